// SPDX-License-Identifier: MIT
// Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy
// (leapfrog), from a crystal that melts. Every 10 steps atoms are sorted by cells and list their neighbours. A run
// repeats to the last bit: nothing depends on the order in which work-items run.
// Usage: lennard_jones [device] [atoms] [steps].
#include <cmath>

#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array, overtake::Device, overtake::DType, overtake::RawKernel;

namespace {

constexpr float density = 0.8442F, temperature = 1.44F, reach = 2.8F, dt = 0.002F;  // neighbours are listed up to reach
constexpr int slots = 128;
// From atom q to atom p, the shortest way in a periodic box, and the square of its length.
const overtake::KernelOptions periodic{.preamble = R"(
DEVICE float4 apart(float4 p, float4 q, float edge) {
  float x = p.x - q.x, y = p.y - q.y, z = p.z - q.z;
  x -= edge * rint(x / edge), y -= edge * rint(y / edge), z -= edge * rint(z / edge);
  return make_float4(x, y, z, x * x + y * y + z * z);
}
)"};

const RawKernel list_neighbours(
    "const float32* position, const int64* cell, const int64* begins, int32* neighbours, int32* counts, "
    "int32 n, int32 cells, float32 edge, float32 reach, int32 slots",
    R"(
  int i = GLOBAL_ID(0), count = 0;
  if (i >= n) return;
  for (int c = 0; c < 27; ++c) {
    int x = (int)cell[4 * i] + c % 3 - 1 + cells, y = (int)cell[4 * i + 1] + c / 3 % 3 - 1 + cells;
    int other = (x % cells * cells + y % cells) * cells + ((int)cell[4 * i + 2] + c / 9 - 1 + cells) % cells;
    for (int j = (int)begins[other]; j < (int)begins[other + 1]; ++j) {
      float4 d = apart(LOAD4(&position[4 * i]), LOAD4(&position[4 * j]), edge);
      if (j != i && d.w < reach * reach && count < slots) neighbours[(int64)(count++) * n + i] = j;
    }
  }
  counts[i] = count;
)",
    "neighbours", periodic);

const RawKernel compute_forces(
    "const float32* position, const int32* neighbours, const int32* counts, "
    "float32* force, float32* energy, int32 n, float32 edge",
    R"(
  int i = GLOBAL_ID(0);
  if (i >= n) return;
  float fx = 0.0f, fy = 0.0f, fz = 0.0f, potential = 0.0f;
  for (int k = 0; k < counts[i]; ++k) {
    float4 d = apart(LOAD4(&position[4 * i]), LOAD4(&position[4 * neighbours[(int64)k * n + i]]), edge);
    if (d.w >= 6.25f) continue;
    float s6 = 1.0f / (d.w * d.w * d.w), f = 24.0f * s6 * (2.0f * s6 - 1.0f) / d.w;
    fx += f * d.x, fy += f * d.y, fz += f * d.z;
    potential += 2.0f * (s6 * (s6 - 1.0f) + 0.004079222784f);  // half of the pair's
  }
  STORE4(&force[4 * i], make_float4(fx, fy, fz, 0.0f));
  energy[i] = potential;
)",
    "forces", periodic);

const overtake::ElementwiseKernel move("float32 x, float32 v, float32 f, float32 dt", "float32 x_new, float32 v_new",
                                       "v_new = v + dt * f; x_new = x + dt * v_new;", "move");

// Rows of x, y, z, 0: four atoms in each cube of a crystal.
const overtake::ElementwiseKernel crystal("int64 place, int32 side, float32 length", "float32 x", R"(
  int axis = (int)(place % 4), corner = (int)(place / 4 % 4), cube = (int)(place / 16);
  int at = (axis == 0 ? cube / side / side : axis == 1 ? cube / side : cube) % side;
  x = axis == 3 ? 0.0f : length * ((float)at + (corner != 0 && corner != 3 - axis ? 0.5f : 0.0f));
)",
                                          "crystal");

/// Whether the energy stayed.
bool simulate(const Device& device, std::int64_t wanted, int steps) {
  const auto begin = example::Clock::now();
  std::int64_t side = 6;
  while (4 * side * side * side < wanted) ++side;
  const std::int64_t n = 4 * side * side * side;
  const float length = std::cbrt(4 / density), edge = length * static_cast<float>(side);
  const auto cells = static_cast<std::int64_t>(edge / reach);
  const overtake::LaunchSize size{.groups = {(n + 127) / 128, 1, 1}, .group_size = {128, 1, 1}};
  const Array all_cells = overtake::arange(cells * cells * cells + 1, DType::int64, device);
  const Array factors = Array::from<std::int64_t>({cells * cells, cells, 1, 0}, {4}, device);
  Array x = crystal(reshape(overtake::arange(4 * n, DType::int64, device), {n, 4}), side, length);
  const Array drawn = overtake::random::normal({n, 3}, 0, std::sqrt(temperature), device, 7);
  Array v = overtake::concat({drawn - mean(drawn, 0, true), overtake::zeros({n, 1}, device)}, 1);
  Array force = overtake::zeros({n, 4}, device), energy = overtake::zeros({n}, device);
  Array neighbours = overtake::zeros({slots, n}, DType::int32, device);
  Array counts = overtake::zeros({n}, DType::int32, device);
  double before = 0, after = 0;
  auto warm = begin;
  for (int step = 0; step <= steps; ++step) {
    if (step % 10 == 0) {
      x = x % edge;
      Array cell = clip(astype(x * (static_cast<float>(cells) / edge), DType::int64), 0, cells - 1);
      const Array order = argsort(sum(cell * factors, 1));
      x = take(x, order), v = take(v, order), cell = take(cell, order);
      const Array begins = searchsorted(sum(cell * factors, 1), all_cells);
      list_neighbours.launch(size, {x, cell, begins, &neighbours, &counts, n, cells, edge, reach, slots});
    }
    compute_forces.launch(size, {x, neighbours, counts, &force, &energy, n, edge});
    if (step == 0 || step == steps) {  // velocities are half a step behind the places
      const Array now = astype((v + 0.5F * dt * force).to(Device()), DType::float64);
      const Array potential = sum(astype(energy.to(Device()), DType::float64));
      (step == 0 ? before : after) = (sum(square(now)) * 0.5 + potential).item<double>();
      if (step == 0) warm = example::Clock::now();
    }
    if (step == steps) break;
    const std::vector<Array> moved = move.call({x, v, force, dt});
    x = moved[0], v = moved[1];
  }
  const double took = example::milliseconds_since(warm) / 1000, drift = std::abs(after / before - 1);
  std::printf("%-10s %lld atoms: %.0f steps a second, %.2f ns per atom-step; %.2f s with the copies; drift %.1e\n",
              device.id().c_str(), static_cast<long long>(n), steps / took, 1e9 * took / steps / static_cast<double>(n),
              example::milliseconds_since(begin) / 1000, drift);
  return drift < 1e-4 && max(counts).item<int>() < slots;
}

}  // namespace

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t atoms = example::size_of(argc, argv, 4000);
  const int steps = argc > 3 ? std::max(std::atoi(argv[3]), 1) : 200;
  const bool right = simulate(Device(), atoms, device == Device() ? steps : std::min(steps, 200));
  return example::verdict(right && (device == Device() || simulate(device, atoms, steps)));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
