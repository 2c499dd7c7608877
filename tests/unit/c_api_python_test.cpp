// SPDX-License-Identifier: MIT
// What the library calls of Python: signals while arrays are computed, and the end of capsules.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>

#include "c_api_support.hpp"
#include "overtake/array.hpp"
#include "overtake/c_array.h"
#include "overtake/ops.hpp"

namespace overtake::test {
namespace {

using ArrayHandle = std::unique_ptr<overtake_array, Freed<overtake_array_free>>;

/// A Python of this test's own.
struct Python {
  int asked = 0, ensured = 0, restored = 0;
  int answer = 0;
  const char* name = "";
  void* tensor = nullptr;
} python;

int is_valid(void*, const char* name) { return std::strcmp(name, python.name) == 0 ? 1 : 0; }
void* pointer(void*, const char*) { return python.tensor; }
void fetch(void** type, void** value, void** trace) {
  *type = &python;
  *value = *trace = nullptr;
}
void restore(void* type, void*, void*) { python.restored += type == &python ? 1 : 0; }
int check_signals() {
  ++python.asked;
  return python.answer;
}
int ensure() { return ++python.ensured; }
void release(int) { --python.ensured; }

class CApiPython : public ::testing::Test {
 protected:
  void SetUp() override {
    python = Python();
    const overtake_python functions{is_valid, pointer, fetch, restore, check_signals, ensure, release};
    overtake_python_set(&functions);
  }
  void TearDown() override {
    const overtake_python none{};
    overtake_python_set(&none);
  }
};

// Work of about a second, in small operations or in one.
ArrayHandle long_work(std::int64_t size, int steps) {
  auto array = made<ArrayHandle>([&](overtake_array** result) {
    const float one = 1;
    return overtake_array_from(&one, OVERTAKE_ELEMENT_FLOAT32, nullptr, 0, nullptr, result);
  });
  std::int32_t full = 0, sine = 0;
  EXPECT_EQ(overtake_array_function("full", &full), OVERTAKE_OK);
  EXPECT_EQ(overtake_array_function("sin", &sine), OVERTAKE_OK);
  const std::array<const overtake_array*, 2> inputs{nullptr, array.get()};
  const std::array<std::int64_t, 3> settings{1, size, OVERTAKE_ELEMENT_FLOAT32};
  std::int64_t count = 0;
  array = made<ArrayHandle>([&](overtake_array** result) {
    return overtake_array_call(full, inputs.data(), 2, settings.data(), 3, nullptr, 0, result, 1, &count);
  });
  for (int i = 0; i < steps; ++i) {
    array = made<ArrayHandle>([&](overtake_array** result) { return overtake_array_unary(sine, array.get(), result); });
  }
  return array;
}

TEST_F(CApiPython, ASignalEndsWhatIsComputed) {
  const ArrayHandle array = long_work(1 << 22, 100);
  const overtake_array* given = array.get();
  python.answer = -1;
  EXPECT_EQ(overtake_array_eval(&given, 1), OVERTAKE_CALLER_ERROR);
  EXPECT_EQ(python.asked, 1);
  EXPECT_EQ(python.ensured, 0);
  void *type = nullptr, *value = nullptr, *trace = nullptr;
  overtake_python_error(&type, &value, &trace);
  EXPECT_EQ(type, &python);
  overtake_python_error(&type, &value, &trace);
  EXPECT_EQ(type, nullptr) << "it is given once";
  python.answer = 0;
  EXPECT_EQ(overtake_array_eval(&given, 1), OVERTAKE_OK) << "it is still to be computed";
  EXPECT_GT(python.asked, 1);
}

TEST_F(CApiPython, AHandlerMayNotComputeMeanwhile) {
  static overtake_status inside = OVERTAKE_OK;
  const auto computing = []() -> int {
    const ArrayHandle other = long_work(3, 1);
    const overtake_array* given = other.get();
    inside = overtake_array_eval(&given, 1);
    return 0;
  };
  const overtake_python functions{is_valid, pointer, fetch, restore, computing, ensure, release};
  overtake_python_set(&functions);
  const ArrayHandle array = long_work(1 << 22, 100);
  const overtake_array* given = array.get();
  EXPECT_EQ(overtake_array_eval(&given, 1), OVERTAKE_OK);
  EXPECT_EQ(inside, OVERTAKE_USAGE_ERROR);
}

TEST_F(CApiPython, ACapsuleThatNobodyTookGivesItsTensorBack) {
  const ArrayHandle array = long_work(3, 1);
  void* tensor = nullptr;
  ASSERT_EQ(overtake_array_to_dlpack(array.get(), 1, 1, &tensor), OVERTAKE_OK);
  python.tensor = tensor;
  python.name = "dltensor_versioned";
  int capsule = 0;
  overtake_python_capsule_end(&capsule);
  EXPECT_EQ(python.restored, 1) << "an error on its way goes on";
  python.name = "used_dltensor_versioned";
  overtake_python_capsule_end(&capsule);
  EXPECT_EQ(python.restored, 2);
}

}  // namespace
}  // namespace overtake::test
