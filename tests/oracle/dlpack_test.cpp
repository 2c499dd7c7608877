// SPDX-License-Identifier: MIT
// DLPack and addresses: memory is shared, not copied, and given back once.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

#include "exchange/dlpack_abi.hpp"
#include "oracle/devices.hpp"
#include "overtake/dlpack.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::oracle {
namespace {

class Dlpack : public OnEveryDevice {
 protected:
  void SetUp() override {
    OnEveryDevice::SetUp();
    if (IsSkipped()) return;
    const std::string& backend = GetParam().backend;
    if (backend == "cpu" || backend == "cuda") return;
    EXPECT_THROW((void)to_dlpack(ones(Shape{2}, device())), UsageError);
    GTEST_SKIP() << "memory of " << backend << " is not shared";
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, Dlpack, ::testing::ValuesIn(list_devices()), device_name);

// A tensor of another library over host memory, which counts how often it is given back.
struct Lender {
  std::vector<float> values = std::vector<float>(24);
  std::vector<std::int64_t> shape{2, 3, 4}, strides{12, 4, 1};
  DLManagedTensorVersioned tensor{};
  int deleted = 0;

  Lender() {
    std::iota(values.begin(), values.end(), 0.0F);
    tensor.version = {1, 0};
    tensor.manager_ctx = this;
    tensor.deleter = [](DLManagedTensorVersioned* self) { ++static_cast<Lender*>(self->manager_ctx)->deleted; };
    tensor.dl_tensor = {values.data(), {dlpack::on_cpu, 0}, 3, {dlpack::floating, 32, 1},
                        shape.data(),  strides.data(),      0};
  }
};

TEST_P(Dlpack, RoundTripsWithoutACopy) {
  for (std::size_t i = 0; i < dtype_count; ++i) {
    const auto dtype = static_cast<DType>(i);
    const Array a = astype(reshape(arange(12, DType::int64, device()), {3, 4}), dtype);
    DLManagedTensorVersioned* tensor = to_dlpack(a);
    EXPECT_EQ(tensor->flags, dlpack::read_only);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor->dl_tensor.data), address_of(a));
    EXPECT_EQ(std::vector<std::int64_t>(tensor->dl_tensor.strides, tensor->dl_tensor.strides + 2),
              (std::vector<std::int64_t>{4, 1}));
    const Array back = from_dlpack(tensor);
    EXPECT_EQ(back.dtype(), dtype);
    EXPECT_EQ(back.shape(), a.shape());
    EXPECT_EQ(back.device(), device());
    EXPECT_EQ(address_of(back), address_of(a));
    EXPECT_EQ(astype(back + back, DType::int64).to_vector<std::int64_t>(),
              astype(a + a, DType::int64).to_vector<std::int64_t>());
    const Array old = from_dlpack(to_dlpack_unversioned(a, HandOver::none));
    EXPECT_EQ(address_of(old), address_of(a));
  }
  const Array scalar = from_dlpack(to_dlpack(full(Shape{}, 7, device())));
  EXPECT_EQ(scalar.item<int>(), 7);
  EXPECT_EQ(from_dlpack(to_dlpack(zeros(Shape{0, 3}, device()))).shape(), Shape({0, 3}));
}

TEST_P(Dlpack, MemoryLivesAsLongAsAnySideHoldsIt) {
  Array a = arange(5, DType::float32, device());
  DLManagedTensorVersioned* tensor = to_dlpack(a);
  a = Array();
  Array back = from_dlpack(tensor);
  const Array later = back + 1;  // holds it, not yet computed
  back = Array();
  for (int i = 0; i < 4; ++i) full(Shape{5}, 99.0F, device()).eval();  // would be in its place, were it free
  EXPECT_EQ(later.to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5}));
}

TEST_P(Dlpack, StridesAreHonoured) {
  if (device().id() != "cpu") GTEST_SKIP() << "the memory is the computer's";
  Lender lender;
  lender.strides = {1, 2, 6};  // column-major
  const Array a = from_dlpack(&lender.tensor);
  EXPECT_EQ((a[{1, 2, 3}].item()), 1 + 2 * 2 + 3 * 6);
  EXPECT_EQ(sum(a).item(), 276);
  EXPECT_EQ((a[{0, Slice(), 0}].to_vector<float>()), (std::vector<float>{0, 2, 4}));
  EXPECT_EQ(sort(reshape(a, {-1})).to_vector<float>(), lender.values);
  Lender backwards;
  backwards.strides = {-12, 4, -1};
  backwards.tensor.dl_tensor.byte_offset = (12 + 3) * sizeof(float);
  const Array b = from_dlpack(&backwards.tensor);
  EXPECT_EQ((b[{0, 0}].to_vector<float>()), (std::vector<float>{15, 14, 13, 12}));
  EXPECT_EQ((matmul(b[0], transpose(b[1])).shape()), Shape({3, 3}));
  Lender spread;
  spread.strides = {0, 0, 1};
  EXPECT_EQ(sum(from_dlpack(&spread.tensor)).item(), 36);
}

TEST_P(Dlpack, TheDeleterRunsOnce) {
  if (device().id() != "cpu") GTEST_SKIP() << "the memory is the computer's";
  Lender lender;
  {
    Array a = from_dlpack(&lender.tensor);
    EXPECT_EQ(address_of(a), reinterpret_cast<std::uintptr_t>(lender.values.data()));
    Array b = a * 2;
    a = Array();
    EXPECT_EQ(lender.deleted, 0);
    EXPECT_EQ(sum(b).item(), 552);
    EXPECT_EQ(lender.deleted, 0);  // b is not computed and holds it
  }
  EXPECT_EQ(lender.deleted, 1);
  Lender empty;
  empty.shape = {0, 3, 4};
  EXPECT_EQ(from_dlpack(&empty.tensor).size(), 0);
  EXPECT_EQ(empty.deleted, 1);
  Lender odd;
  odd.shape[2] = 3;
  odd.tensor.dl_tensor.byte_offset = 2;  // copied
  EXPECT_EQ(from_dlpack(&odd.tensor).size(), 18);
  EXPECT_EQ(odd.deleted, 1);
}

TEST_P(Dlpack, RefusedTensorsStayTheCallers) {
  const auto refused = [](auto&& change) {
    Lender lender;
    change(lender.tensor);
    EXPECT_THROW((void)from_dlpack(&lender.tensor), Error);
    EXPECT_EQ(lender.deleted, 0);
  };
  refused([](DLManagedTensorVersioned& t) { t.version.major = 2; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.dtype.lanes = 4; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.dtype.code = 5; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.device.device_type = 7; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.device = {dlpack::on_cuda, 77}; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.shape[0] = -1; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.ndim = -1; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.data = nullptr; });
  refused([](DLManagedTensorVersioned& t) { t.dl_tensor.strides[0] = std::int64_t{1} << 62U; });
  EXPECT_THROW((void)from_dlpack(static_cast<DLManagedTensorVersioned*>(nullptr)), UsageError);
}

TEST_P(Dlpack, AddressesAndGradients) {
  const Array a = arange(6, DType::float32, device());
  const auto kept = std::make_shared<int>(0);
  const ForeignMemory memory{
      reinterpret_cast<const void*>(address_of(a)), DType::float32, Shape{2}, {{3}}, device(), kept};
  Array b = from_foreign(memory);  // every third element
  device().synchronize();
  EXPECT_EQ(b.to_vector<float>(), (std::vector<float>{0, 3}));
  b.requires_grad();
  sum(square(b)).backward();
  EXPECT_EQ(b.grad().to_vector<float>(), (std::vector<float>{0, 6}));
  EXPECT_EQ(stream_of(device()) != 0, device().info().backend == "cuda");
}

}  // namespace
}  // namespace overtake::oracle
