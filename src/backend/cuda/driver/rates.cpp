// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/rates.hpp"

namespace overtake::backend::cuda {
namespace {

/// Operations of one multiprocessor in a clock; a multiply-add is two.
struct UnitRates {
  int fp64 = 0;
  int tf32 = 0;
  int bf16 = 0;
};

// fp64: CUDA C++ Programming Guide, throughput of native arithmetic instructions. Tensor cores, dense, with sums in
// float32: the whitepapers of GA100 (A100), GA102, AD102, GH100 (H100) and GB200/GB202 (Blackwell); where they give
// TFLOP/s only, divided by multiprocessors and boost clock.
UnitRates unit_rates(int major, int minor) {
  if (major == 8 && minor == 0) return {64, 1024, 2048};
  if (major == 8) return {4, 512, 1024};
  if (major == 9) return {128, 2048, 4096};
  if (major == 10 && minor == 0) return {128, 4096, 8192};
  if (major == 10) return {4, 4096, 8192};
  if (major == 12) return {4, 512, 1024};
  return {4, 0, 0};  // 7.5
}

}  // namespace

std::vector<PrecisionRate> theoretical_rates(int major, int minor, const DeviceInfo& info) {
  UnitRates rates = unit_rates(major, minor);
  // The whitepapers have GeForce cards of 8.6 and later at half the rate where sums are float32.
  const bool is_halved = info.name.find("GeForce") != std::string::npos && !(major == 8 && minor == 0);
  if (is_halved) {
    rates.tf32 /= 2;
    rates.bf16 /= 2;
  }
  const double clocks = info.compute_units * info.clock_mhz / 1e3;
  std::vector<PrecisionRate> all;
  if (rates.tf32 > 0) all.push_back({"tf32", 0, rates.tf32 * clocks});
  if (rates.bf16 > 0) all.push_back({"bf16", 0, rates.bf16 * clocks});
  all.push_back({"fp64", 0, rates.fp64 * clocks});
  return all;
}

}  // namespace overtake::backend::cuda
