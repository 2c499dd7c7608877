// SPDX-License-Identifier: MIT
// Every kind of tile and split, whatever the cost model would choose for the size.
#include <cmath>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/dialect_support.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectMatMulTiles);

struct Case {
  MatMulPlan plan;
  std::int64_t m, n, k;
  bool a_transposed, b_transposed;
};

Operation operation_of(const Case& test) {
  Operation operation;
  MatMulCore core{test.m, test.n, test.k, {}, {}};
  core.a = test.a_transposed ? MatMulCore::Operand{0, 0, 1, test.m} : MatMulCore::Operand{0, 0, test.k, 1};
  core.b = test.b_transposed ? MatMulCore::Operand{1, 0, 1, test.k} : MatMulCore::Operand{1, 0, test.n, 1};
  operation.core = core;
  operation.extent = Shape{test.m, test.n};
  operation.tape.loads = {strided(2, 0, {0, 1})};
  operation.tape.code = {dialect_tests::core(), load(0), op(TapeCode::add, 0, 1)};
  operation.tape.stores = {{3, 2}};
  return operation;
}

void check_case(const Case& test) {
  if (testing::Test::IsSkipped()) return;
  const MatMulTile& t = test.plan.tile;
  SCOPED_TRACE(testing::Message() << t.ty << "x" << t.tx << " items of " << t.tm << "x" << t.tn << ", panels of "
                                  << t.bk << ", " << t.slices << " slices, " << test.plan.splits
                                  << " splits: " << test.m << " x " << test.n << " x " << test.k);
  const Operation operation = operation_of(test);
  const std::vector<HostSlot> slots = {HostSlot::floats(random_floats(test.m * test.k, -1, 1, 1)),
                                       HostSlot::floats(random_floats(test.k * test.n, -1, 1, 2)),
                                       HostSlot::floats(random_floats(test.n, -1, 1, 3)),
                                       HostSlot::empty(test.m * test.n)};
  const HostSlot expected = reference(slots, {operation})[3];
  Device& device = this_device();
  for (const bool fence : {true, false}) {
    if (test.plan.splits == 1 && !fence) continue;
    LoweringTraits traits;
    traits.fence_across_groups = fence;
    const LoweredOperation lowered = lower_matmul(operation, std::get<MatMulCore>(operation.core), traits, test.plan);
    std::vector<std::unique_ptr<Buffer>> buffers;
    for (const HostSlot& slot : slots) {
      buffers.push_back(device.allocate(slot.bits.size() * 4));
      device.upload(*buffers.back(), 0, slot.bits.data(), slot.bits.size() * 4);
    }
    try {
      launch_lowered(device, nullptr, lowered, buffers, fence ? 2 : 1);
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();  // this device does not compile
    }
    HostSlot actual = slots[3];
    device.download(*buffers[3], 0, actual.bits.data(), actual.bits.size() * 4);
    expect_close(actual, expected, 2e-5);
  }
}

TEST_P(DialectMatMulTiles, OnePanel) {
  check_case({{{16, 16, 1, 1, 64}, 1, 64}, 33, 18, 60, false, true});
  check_case({{{64, 4, 1, 1, 64}, 1, 64}, 100, 2, 13, false, false});
  check_case({{{8, 8, 2, 2, 64, 4}, 1, 64}, 37, 20, 64, false, true});
  check_case({{{4, 8, 4, 4, 32, 8}, 1, 32}, 20, 36, 31, true, false});
  check_case({{{8, 8, 13, 8, 16, 4}, 1, 16}, 100, 68, 12, true, true});
}

TEST_P(DialectMatMulTiles, SeveralPanels) {
  check_case({{{16, 16, 8, 8, 16}, 1, 112}, 140, 132, 100, true, false});
  check_case({{{16, 16, 4, 4, 20}, 1, 100}, 65, 64, 100, true, false});
  check_case({{{8, 16, 13, 4, 16}, 1, 64}, 100, 68, 64, false, true});
  check_case({{{8, 16, 13, 4, 24, 2}, 1, 96}, 100, 100, 96, false, true});
  check_case({{{8, 4, 13, 8, 32, 8}, 1, 64}, 101, 36, 64, false, false});
  check_case({{{8, 8, 13, 4, 32, 4}, 1, 128}, 50, 33, 127, false, false});
}

TEST_P(DialectMatMulTiles, SplitsWithTicketsAndWithASecondKernel) {
  check_case({{{16, 16, 1, 1, 32}, 4, 64}, 17, 33, 250, false, true});
  check_case({{{8, 8, 4, 4, 32, 2}, 3, 96}, 40, 40, 260, false, true});
  check_case({{{8, 8, 13, 8, 16, 2}, 2, 128}, 100, 64, 256, false, false});
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
