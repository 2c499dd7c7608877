// SPDX-License-Identifier: MIT
// Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy
// (leapfrog), from a crystal that melts. Every 10 steps atoms are sorted by cells and list their neighbours. A run
// repeats to the last bit: nothing depends on the order in which work-items run.
// Usage: lennard_jones [device] [atoms] [steps].
#include "atoms.hpp"

namespace {

using overtake::Array, overtake::Device;

constexpr float reach = 2.8F, dt = 0.002F;  // neighbours are listed up to reach
constexpr int slots = 128;
// From atom q to atom p, the shortest way in a periodic box, and the square of its length.
const overtake::KernelOptions periodic{.preamble = R"(
DEVICE float4 apart(float4 p, float4 q, float edge) {
  float x = p.x - q.x, y = p.y - q.y, z = p.z - q.z;
  x -= edge * rint(x / edge), y -= edge * rint(y / edge), z -= edge * rint(z / edge);
  return make_float4(x, y, z, x * x + y * y + z * z);
})"};

const overtake::RawKernel list_neighbours(
    "const float32* x, const int64* cell, const int64* begins, int32* neighbours, int32* counts, int32 n, "
    "int32 cells, float32 edge, float32 reach, int32 slots",
    R"(
  int i = GLOBAL_ID(0), count = 0;
  if (i >= n) return;
  for (int k = 0; k < 27; ++k) {
    int a = (int)cell[4 * i] + k % 3 - 1 + cells, b = (int)cell[4 * i + 1] + k / 3 % 3 - 1 + cells;
    int other = (a % cells * cells + b % cells) * cells + ((int)cell[4 * i + 2] + k / 9 - 1 + cells) % cells;
    for (int j = (int)begins[other]; j < (int)begins[other + 1]; ++j) {
      float4 d = apart(LOAD4(&x[4 * i]), LOAD4(&x[4 * j]), edge);
      if (j != i && d.w < reach * reach && count < slots) neighbours[(int64)(count++) * n + i] = j;
    }
  }
  counts[i] = count;)",
    "neighbours", periodic);

const overtake::RawKernel compute_forces(
    "const float32* x, const int32* neighbours, const int32* counts, float32* force, float32* energy, int32 n, "
    "float32 edge",
    R"(
  int i = GLOBAL_ID(0);
  if (i >= n) return;
  float fx = 0.0f, fy = 0.0f, fz = 0.0f, potential = 0.0f;
  for (int k = 0; k < counts[i]; ++k) {
    float4 d = apart(LOAD4(&x[4 * i]), LOAD4(&x[4 * neighbours[(int64)k * n + i]]), edge);
    if (d.w >= 6.25f) continue;
    float s6 = 1.0f / (d.w * d.w * d.w), f = 24.0f * s6 * (2.0f * s6 - 1.0f) / d.w;
    fx += f * d.x, fy += f * d.y, fz += f * d.z;
    potential += 2.0f * (s6 * (s6 - 1.0f) + 0.004079222784f);  // half of the pair's
  }
  STORE4(&force[4 * i], make_float4(fx, fy, fz, 0.0f));
  energy[i] = potential;)",
    "forces", periodic);

const overtake::ElementwiseKernel move("float32 x, float32 v, float32 f, float32 dt", "float32 x_new, float32 v_new",
                                       "v_new = v + dt * f; x_new = x + dt * v_new;", "move");

example::Run simulate(const Device& device, std::int64_t wanted, int steps) {
  example::Atoms atoms = example::crystal(wanted, 0.8442F, 1.44F, device);
  const std::int64_t n = atoms.x.shape()[0], cells = static_cast<std::int64_t>(atoms.edge / reach);
  const overtake::LaunchSize size{.groups = {(n + 127) / 128, 1, 1}, .group_size = {128, 1, 1}};
  Array force = overtake::zeros({n, 4}, device), energy = overtake::zeros({n}, device);
  Array neighbours = overtake::zeros({slots, n}, overtake::DType::int32, device);
  Array counts = overtake::zeros({n}, overtake::DType::int32, device);
  example::Run run{.atoms = n};
  auto warm = example::Clock::now();
  for (int step = 0; step <= steps; ++step) {
    if (step % 10 == 0) {
      const auto [cell, begins] = example::sort_by_cells(atoms, cells);
      list_neighbours.launch(size, {atoms.x, cell, begins, &neighbours, &counts, n, cells, atoms.edge, reach, slots});
    }
    compute_forces.launch(size, {atoms.x, neighbours, counts, &force, &energy, n, atoms.edge});
    if (step == 0 || step == steps) {  // velocities are half a step behind the places
      (step == 0 ? run.before : run.after) = example::total_energy(atoms.v + 0.5F * dt * force, energy);
      if (step == 0) warm = example::Clock::now();
    }
    const std::vector<Array> moved = move.call({atoms.x, atoms.v, force, dt});
    atoms.x = moved[0], atoms.v = moved[1];
  }
  run.seconds = example::milliseconds_since(warm) / 1000;
  if (max(counts).item<int>() == slots) run.after = NAN;  // there may have been more neighbours
  return run;
}

}  // namespace

int main(int argc, char** argv) { return example::check(argc, argv, simulate); }
