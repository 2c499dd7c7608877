// SPDX-License-Identifier: MIT
// Around lennard_jones.cpp: a crystal to begin with, atoms in the order of their cells, the energy, and what is
// printed.
#pragma once

#include <cmath>
#include <string>

#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

namespace example {

using overtake::Array, overtake::Device, overtake::DType;

/// Atoms in a periodic box, in rows of x, y, z, 0, and what a simulation keeps of each of them.
struct Atoms {
  std::int64_t n = 0, cells = 0;  ///< cells along each axis of the box, none smaller than `reach`
  float edge = 0;
  Array x, v, force, energy;  ///< energy: potential
  Array neighbours, counts;   ///< neighbours: slots x n
  Array cell, begins;         ///< after sort(): where each atom's cell is, and where each of the cells begins

  /// At least as many as wanted, four in each cube of a crystal.
  Atoms(std::int64_t wanted, float density, float temperature, float reach, int slots, const Device& device) {
    static const overtake::ElementwiseKernel places("int64 place, int32 side, float32 length", "float32 x", R"(
  int axis = (int)(place % 4), corner = (int)(place / 4 % 4), cube = (int)(place / 16);
  int at = (axis == 0 ? cube / side / side : axis == 1 ? cube / side : cube) % side;
  x = axis == 3 ? 0.0f : length * ((float)at + (corner != 0 && corner != 3 - axis ? 0.5f : 0.0f));
)",
                                                    "crystal");
    std::int64_t side = 6;
    while (4 * side * side * side < wanted) ++side;
    n = 4 * side * side * side;
    const float length = std::cbrt(4 / density);
    edge = length * static_cast<float>(side);
    cells = static_cast<std::int64_t>(edge / reach);
    const Array drawn = overtake::random::normal({n, 3}, 0, std::sqrt(temperature), device, 7);
    x = places(reshape(overtake::arange(4 * n, DType::int64, device), {n, 4}), side, length);
    v = overtake::concat({drawn - mean(drawn, 0, true), overtake::zeros({n, 1}, device)}, 1);
    force = overtake::zeros({n, 4}, device), energy = overtake::zeros({n}, device);
    neighbours = overtake::zeros({slots, n}, DType::int32, device);
    counts = overtake::zeros({n}, DType::int32, device);
  }

  /// Puts atoms in the order of their cells.
  void sort() {
    const Device device = x.device();
    const Array factors = Array::from<std::int64_t>({cells * cells, cells, 1, 0}, {4}, device);
    x = x % edge;
    cell = clip(astype(x * (static_cast<float>(cells) / edge), DType::int64), 0, cells - 1);
    const Array order = argsort(sum(cell * factors, 1));
    x = take(x, order), v = take(v, order), cell = take(cell, order);
    begins = searchsorted(sum(cell * factors, 1), overtake::arange(cells * cells * cells + 1, DType::int64, device));
  }

  /// Of all together, of velocities that are `behind` the places by a time. NaN where there may be more neighbours than
  /// slots.
  [[nodiscard]] double total_energy(float behind) const {
    const Array kinetic = sum(square(astype((v + behind * force).to(Device()), DType::float64))) * 0.5;
    const double total = (kinetic + sum(astype(energy.to(Device()), DType::float64))).item<double>();
    return max(counts).item<int>() < neighbours.shape()[0] ? total : NAN;
  }
};

/// What a run found: its atoms, the energies at the first and at the last step, the time between.
struct Run {
  std::int64_t atoms = 0;
  double before = NAN, after = NAN, seconds = 0;
  Clock::time_point begin{};

  /// An energy, the first one or the last.
  void note(double energy) {
    const bool is_first = std::isnan(before);
    (is_first ? before : after) = energy;
    if (is_first) begin = Clock::now();
    seconds = milliseconds_since(begin) / 1000;
  }
};

/// Whether the energy stayed.
template <typename Simulate>
bool stays(const Device& device, std::int64_t atoms, int steps, const Simulate& simulate) {
  (void)simulate(device, atoms, 20);  // what compiles in the background has time to
  const auto begin = Clock::now();
  const Run run = simulate(device, atoms, steps);
  const double drift = std::abs(run.after / run.before - 1);
  std::printf("%-10s %lld atoms: %.0f steps a second, %.2f ns per atom-step; %.2f s with the copies; drift %.1e\n",
              device.id().c_str(), static_cast<long long>(run.atoms), steps / run.seconds,
              1e9 * run.seconds / steps / static_cast<double>(run.atoms), milliseconds_since(begin) / 1000, drift);
  return drift < 1e-4;  // not of NaN
}

/// Runs simulate(device, atoms, steps), on the cpu before; the program's exit status.
template <typename Simulate>
int check(int argc, char** argv, const Simulate& simulate) try {
  const Device device = device_of(argc, argv);
  const std::int64_t atoms = size_of(argc, argv, 4000);
  const int steps = argc > 3 ? std::max(std::atoi(argv[3]), 1) : 200;
  const bool is_cpu = device == Device();
  const bool right = stays(Device(), atoms, is_cpu ? steps : std::min(steps, 200), simulate);
  return verdict(right && (is_cpu || stays(device, atoms, steps, simulate)));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}

}  // namespace example
