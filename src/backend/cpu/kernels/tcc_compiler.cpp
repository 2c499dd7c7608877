// SPDX-License-Identifier: MIT
// Linked where libtcc is (cmake/OvertakeTcc.cmake).
#include <libtcc.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <mutex>

#include "backend/cpu/kernels/kernel_code.hpp"
#include "backend/cpu/kernels/math_functions.hpp"
#include "backend/cpu/kernels/tcc_text.hpp"
#include "core/hypotenuse.hpp"

// The three variables of the C library that libtcc uses have these names in our copy of it: as they were, it could not
// be part of a shared library. It prints nothing in what it is used for here.
extern "C" {
[[gnu::visibility("hidden")]] std::FILE* overtake_tcc_stdout = nullptr;
[[gnu::visibility("hidden")]] std::FILE* overtake_tcc_stderr = nullptr;
[[gnu::visibility("hidden")]] char** overtake_tcc_environ = nullptr;
// Of its own, where its version has them: what it has open of the function that it compiles.
[[gnu::weak, gnu::visibility("hidden")]] extern void* overtake_tcc_global_label_stack;
[[gnu::weak, gnu::visibility("hidden")]] extern void* overtake_tcc_local_label_stack;
[[gnu::weak, gnu::visibility("hidden")]] extern void* overtake_tcc_cur_switch;
}

namespace overtake::backend::cpu {
namespace {

/// A text with a fault leaves its labels and its switch open, in memory that is given back; the next text would end in
/// them.
void forget_open() {
  for (void** const each :
       {&overtake_tcc_global_label_stack, &overtake_tcc_local_label_stack, &overtake_tcc_cur_switch}) {
    if (each != nullptr) *each = nullptr;
  }
}

/// libtcc keeps its state in global variables.
std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

struct Close {
  void operator()(TCCState* state) const {
    const std::lock_guard lock(one_at_a_time());
    tcc_delete(state);
  }
};
using State = std::unique_ptr<TCCState, Close>;

class TccCode final : public KernelCode {
 public:
  explicit TccCode(State state) : state_(std::move(state)) {}
  [[nodiscard]] void* find(const std::string& name) const override {
    const std::lock_guard lock(one_at_a_time());
    return tcc_get_symbol(state_.get(), name.c_str());
  }

 private:
  State state_;
};

template <typename Function>
void add(TCCState* state, const char* name, Function* function) {
  tcc_add_symbol(state, name, reinterpret_cast<const void*>(function));
}

/// All that code may call: the functions of math_functions.hpp, and those that libtcc calls for copies of structures
/// and conversions of unsigned numbers.
void add_functions(TCCState* state) {
#define OVERTAKE_ADD(name)                                                    \
  add<double(double)>(state, #name, static_cast<double (*)(double)>(::name)); \
  add<float(float)>(state, #name "f", static_cast<float (*)(float)>(::name##f));
  OVERTAKE_MATH_1(OVERTAKE_ADD)
#undef OVERTAKE_ADD
#define OVERTAKE_ADD(name)                                                                    \
  add<double(double, double)>(state, #name, static_cast<double (*)(double, double)>(::name)); \
  add<float(float, float)>(state, #name "f", static_cast<float (*)(float, float)>(::name##f));
  OVERTAKE_MATH_2_OF_C(OVERTAKE_ADD)
#undef OVERTAKE_ADD
  add<double(double, double)>(state, "hypot", static_cast<double (*)(double, double)>(hypotenuse));
  add<float(float, float)>(state, "hypotf", static_cast<float (*)(float, float)>(hypotenuse));
  add<double(double, double, double)>(state, "fma", static_cast<double (*)(double, double, double)>(::fma));
  add<float(float, float, float)>(state, "fmaf", static_cast<float (*)(float, float, float)>(::fmaf));
  add<void*(void*, const void*, std::size_t)>(state, "memcpy", std::memcpy);
  add<void*(void*, const void*, std::size_t)>(state, "memmove", std::memmove);
  add<void*(void*, int, std::size_t)>(state, "memset", std::memset);
  using Unsigned = unsigned long long;
  add<float(Unsigned)>(state, "__floatundisf", [](Unsigned x) { return static_cast<float>(x); });
  add<double(Unsigned)>(state, "__floatundidf", [](Unsigned x) { return static_cast<double>(x); });
  add<Unsigned(float)>(state, "__fixunssfdi", [](float x) { return static_cast<Unsigned>(x); });
  add<Unsigned(double)>(state, "__fixunsdfdi", [](double x) { return static_cast<Unsigned>(x); });
}

}  // namespace

bool has_tcc() noexcept { return true; }

std::unique_ptr<KernelCode> compile_with_tcc(const std::string& text, std::string& log) {
  std::unique_lock lock(one_at_a_time());
  TCCState* const state = tcc_new();
  bool compiled = false;
  if (state != nullptr) {
    forget_open();
    // Its warnings are faults elsewhere: functions that nobody declared, which it would look for in the C library, and
    // writes to what is const.
    tcc_set_options(state, "-nostdlib -Werror -Wimplicit-function-declaration");
    tcc_set_error_func(state, &log, [](void* into, const char* message) {
      std::string line = message;
      if (const std::size_t at = line.find(" warning: "); at != std::string::npos) line.replace(at, 10, " error: ");
      *static_cast<std::string*>(into) += line;
      *static_cast<std::string*>(into) += '\n';
    });
    tcc_set_output_type(state, TCC_OUTPUT_MEMORY);
    add_functions(state);
    compiled =
        tcc_compile_string(state, text_for_tcc(text).c_str()) == 0 && tcc_relocate(state, TCC_RELOCATE_AUTO) == 0;
    tcc_set_error_func(state, nullptr, [](void*, const char*) {});  // the text is the caller's
  }
  lock.unlock();
  State owner(state);
  if (!compiled) return nullptr;
  return std::make_unique<TccCode>(std::move(owner));
}

}  // namespace overtake::backend::cpu
