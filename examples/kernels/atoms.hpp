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

/// Places and velocities in rows of x, y, z, 0.
struct Atoms {
  Array x, v;
  float edge = 0;  ///< of their periodic box
};

/// At least as many as wanted, four in each cube of a crystal.
inline Atoms crystal(std::int64_t wanted, float density, float temperature, const Device& device) {
  static const overtake::ElementwiseKernel places("int64 place, int32 side, float32 length", "float32 x", R"(
  int axis = (int)(place % 4), corner = (int)(place / 4 % 4), cube = (int)(place / 16);
  int at = (axis == 0 ? cube / side / side : axis == 1 ? cube / side : cube) % side;
  x = axis == 3 ? 0.0f : length * ((float)at + (corner != 0 && corner != 3 - axis ? 0.5f : 0.0f));
)",
                                                  "crystal");
  std::int64_t side = 6;
  while (4 * side * side * side < wanted) ++side;
  const std::int64_t n = 4 * side * side * side;
  const float length = std::cbrt(4 / density);
  const Array drawn = overtake::random::normal({n, 3}, 0, std::sqrt(temperature), device, 7);
  return {places(reshape(overtake::arange(4 * n, DType::int64, device), {n, 4}), side, length),
          overtake::concat({drawn - mean(drawn, 0, true), overtake::zeros({n, 1}, device)}, 1),
          length * static_cast<float>(side)};
}

/// Where each atom's cell is, and where each of the cells begins.
struct Cells {
  Array cell, begins;
};

/// Puts atoms in the order of `count` cells along each axis.
inline Cells sort_by_cells(Atoms& atoms, std::int64_t count) {
  const Device device = atoms.x.device();
  const Array factors = Array::from<std::int64_t>({count * count, count, 1, 0}, {4}, device);
  atoms.x = atoms.x % atoms.edge;
  Array cell = clip(astype(atoms.x * (static_cast<float>(count) / atoms.edge), DType::int64), 0, count - 1);
  const Array order = argsort(sum(cell * factors, 1));
  atoms.x = take(atoms.x, order), atoms.v = take(atoms.v, order), cell = take(cell, order);
  return {cell,
          searchsorted(sum(cell * factors, 1), overtake::arange(count * count * count + 1, DType::int64, device))};
}

/// Of all atoms together.
inline double total_energy(const Array& v, const Array& potential) {
  const Array kinetic = sum(square(astype(v.to(Device()), DType::float64))) * 0.5;
  return (kinetic + sum(astype(potential.to(Device()), DType::float64))).item<double>();
}

/// What a run found: its atoms, the energies at the first and at the last step, the time between.
struct Run {
  std::int64_t atoms = 0;
  double before = 0, after = 0, seconds = 0;
};

/// Whether the energy stayed.
template <typename Simulate>
bool stays(const Device& device, std::int64_t atoms, int steps, const Simulate& simulate) {
  const auto begin = Clock::now();
  const Run run = simulate(device, atoms, steps);
  const double drift = std::abs(run.after / run.before - 1);
  std::printf("%-10s %lld atoms: %.0f steps a second, %.2f ns per atom-step; %.2f s with the copies; drift %.1e\n",
              device.id().c_str(), static_cast<long long>(run.atoms), steps / run.seconds,
              1e9 * run.seconds / steps / static_cast<double>(run.atoms), milliseconds_since(begin) / 1000, drift);
  return drift < 1e-4;
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
