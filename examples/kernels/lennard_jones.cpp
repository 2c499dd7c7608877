// SPDX-License-Identifier: MIT
// Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy
// (leapfrog), from a crystal that melts. Every 10 steps atoms are sorted by cells and list their neighbours. A run
// repeats to the last bit. Usage: lennard_jones [device] [atoms] [steps].
#include "atoms.hpp"

static constexpr float reach = 2.8F, dt = 0.002F;  // neighbours are listed up to reach
static constexpr int slots = 128;
// From atom q to atom p, the shortest way in a periodic box, and the square of its length.
static const overtake::KernelOptions periodic{.preamble = R"(
DEVICE float4 apart(float4 p, float4 q, float edge) {
  float x = p.x - q.x, y = p.y - q.y, z = p.z - q.z;
  x -= edge * rint(DIVIDE(x, edge)), y -= edge * rint(DIVIDE(y, edge)), z -= edge * rint(DIVIDE(z, edge));
  return make_float4(x, y, z, x * x + y * y + z * z);
})"};

static const overtake::RawKernel list_neighbours(
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

static const overtake::RawKernel compute_forces(
    "const float32* x, const int32* others, const int32* counts, float32* force, float32* energy, int32 n, float32 "
    "edge",
    R"(
  int i = GLOBAL_ID(0);
  if (i >= n) return;
  float fx = 0.0f, fy = 0.0f, fz = 0.0f, potential = 0.0f;
  for (int k = 0; k < counts[i]; ++k) {
    float4 d = apart(LOAD4(&x[4 * i]), LOAD4(&x[4 * others[(int64)k * n + i]]), edge);
    if (d.w >= 6.25f) continue;
    float s6 = 1.0f / (d.w * d.w * d.w), f = 24.0f * s6 * (2.0f * s6 - 1.0f) / d.w;
    fx += f * d.x, fy += f * d.y, fz += f * d.z;
    potential += 2.0f * (s6 * (s6 - 1.0f) + 0.004079222784f);  // half of the pair's
  }
  STORE4(&force[4 * i], make_float4(fx, fy, fz, 0.0f));
  energy[i] = potential;)",
    "forces", periodic);

static const overtake::ElementwiseKernel move("float32 x, float32 v, float32 f, float32 dt", "float32 xn, float32 vn",
                                              "vn = v + dt * f; xn = x + dt * vn;", "move");

static example::Run simulate(const overtake::Device& device, std::int64_t wanted, int steps) {
  example::Atoms a(wanted, 0.8442F, 1.44F, reach, slots, device);
  const overtake::LaunchSize size{.groups = {(a.n + 127) / 128, 1, 1}, .group_size = {128, 1, 1}};
  example::Run run{.atoms = a.n};
  for (int step = 0; step <= steps; ++step) {
    if (step % 10 == 0) {
      a.sort();
      list_neighbours.launch(size,
                             {a.x, a.cell, a.begins, &a.neighbours, &a.counts, a.n, a.cells, a.edge, reach, slots});
    }
    compute_forces.launch(size, {a.x, a.neighbours, a.counts, &a.force, &a.energy, a.n, a.edge});
    if (step == 0 || step == steps) run.note(a.total_energy(0.5F * dt));  // velocities are half a step behind
    const std::vector<overtake::Array> moved = move.call({a.x, a.v, a.force, dt});
    a.x = moved[0], a.v = moved[1];
  }
  return run;
}

int main(int argc, char** argv) { return example::check(argc, argv, simulate); }
