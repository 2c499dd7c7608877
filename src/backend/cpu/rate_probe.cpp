// SPDX-License-Identifier: MIT
#include "backend/cpu/rate_probe.hpp"

#include <cstddef>

#include "backend/cpu/matmul_library.hpp"
#include "core/parallel.hpp"

// Highway includes this file again for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/rate_probe.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace overtake::backend::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t chains = 12;  // as many as two units with a latency of five or six cycles keep busy

/// Runs the chains; gives the operations of one round. The sum keeps the compiler from leaving the work out.
double run_chains(std::size_t rounds, double* sum) {
  const hn::ScalableTag<double> d;
  const auto scale = hn::Set(d, 0.999), shift = hn::Set(d, 0.001);
  auto a = hn::Iota(d, 0.0), b = hn::Iota(d, 1.0), c = hn::Iota(d, 2.0), e = hn::Iota(d, 3.0);
  auto f = hn::Iota(d, 4.0), g = hn::Iota(d, 5.0), h = hn::Iota(d, 6.0), i = hn::Iota(d, 7.0);
  auto j = hn::Iota(d, 8.0), k = hn::Iota(d, 9.0), l = hn::Iota(d, 10.0), m = hn::Iota(d, 11.0);
  for (std::size_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, scale, shift), b = hn::MulAdd(b, scale, shift), c = hn::MulAdd(c, scale, shift);
    e = hn::MulAdd(e, scale, shift), f = hn::MulAdd(f, scale, shift), g = hn::MulAdd(g, scale, shift);
    h = hn::MulAdd(h, scale, shift), i = hn::MulAdd(i, scale, shift), j = hn::MulAdd(j, scale, shift);
    k = hn::MulAdd(k, scale, shift), l = hn::MulAdd(l, scale, shift), m = hn::MulAdd(m, scale, shift);
  }
  const auto all = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, e)), hn::Add(hn::Add(f, g), hn::Add(h, i)));
  *sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(all, hn::Add(hn::Add(j, k), hn::Add(l, m)))));
  return 2.0 * static_cast<double>(chains * hn::Lanes(d));
}

}  // namespace
}  // namespace overtake::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace overtake::backend::cpu {
namespace {

HWY_EXPORT(run_chains);

RateProbe double_chains(int threads) {
  constexpr std::size_t rounds = 200'000;
  double ignored = 0;
  const double of_a_round = HWY_DYNAMIC_DISPATCH(run_chains)(0, &ignored);
  const auto run = [threads] {
    std::vector<double> sums(static_cast<std::size_t>(threads));
    parallel_for(sums.size(), threads, [&](std::size_t i) { HWY_DYNAMIC_DISPATCH(run_chains)(rounds, &sums[i]); });
  };
  return {run, of_a_round * static_cast<double>(rounds) * threads};
}

}  // namespace

RateProbe rate_probe(std::string_view format, int threads) {
  if (format == "fp64") return double_chains(threads);
  return format == "bf16" ? bf16_product(threads) : RateProbe{};
}

}  // namespace overtake::backend::cpu
#endif  // HWY_ONCE
