// SPDX-License-Identifier: MIT
// Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy
// (velocity Verlet), from a crystal that melts. Every 10 steps atoms are sorted by cells and find their neighbours.
// Nothing depends on the order in which work-items run: a run repeats to the last bit.
// Usage: lennard_jones [device] [atoms] [steps] [dt].
#include <cmath>

#include "overtake/error.hpp"
#include "overtake/kernel.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"
#include "timing.hpp"

using overtake::Array, overtake::Device, overtake::DType, overtake::RawKernel;

namespace {

constexpr float density = 0.8442F, temperature = 1.44F, skin = 0.3F, reach = 2.5F + skin;
constexpr int steps_a_list = 10, slots = 128;
const overtake::KernelOptions periodic{.preamble = R"(
DEVICE float nearest(float d, float edge) { return d > 0.5f * edge ? d - edge : d < -0.5f * edge ? d + edge : d; }
)"};

const RawKernel list_neighbours(
    "const float32* position, const int64* begins, int32* neighbours, int32* counts, "
    "int32 n, int32 cells, float32 edge, float32 reach, int32 slots",
    R"(
  int i = GLOBAL_ID(0), count = 0;
  if (i >= n) return;
  float4 p = LOAD4(&position[4 * i]);
  float per = (float)cells / edge;
  int cx = min((int)(p.x * per), cells - 1), cy = min((int)(p.y * per), cells - 1), cz = min((int)(p.z * per), cells - 1);
  for (int c = 0; c < 27; ++c) {
    int row = (cx + c % 3 - 1 + cells) % cells * cells + (cy + c / 3 % 3 - 1 + cells) % cells;
    int cell = row * cells + (cz + c / 9 - 1 + cells) % cells;
    for (int j = (int)begins[cell]; j < (int)begins[cell + 1]; ++j) {
      float4 q = LOAD4(&position[4 * j]);
      float dx = nearest(p.x - q.x, edge), dy = nearest(p.y - q.y, edge), dz = nearest(p.z - q.z, edge);
      if (j == i || dx * dx + dy * dy + dz * dz >= reach * reach) continue;
      if (count < slots) neighbours[(int64)count * n + i] = j;
      count = count + 1;
    }
  }
  counts[i] = min(count, slots);
)",
    "neighbours", periodic);

const RawKernel compute_forces(
    "const float32* position, const int32* neighbours, const int32* counts, "
    "float32* velocity, float32* force, int32 n, float32 edge, float32 half_dt",
    R"(
  int i = GLOBAL_ID(0);
  if (i >= n) return;
  float4 p = LOAD4(&position[4 * i]), v = LOAD4(&velocity[4 * i]);
  float fx = 0.0f, fy = 0.0f, fz = 0.0f, energy = 0.0f;
  for (int k = 0; k < counts[i]; ++k) {
    float4 q = LOAD4(&position[4 * neighbours[(int64)k * n + i]]);
    float dx = nearest(p.x - q.x, edge), dy = nearest(p.y - q.y, edge), dz = nearest(p.z - q.z, edge);
    float r2 = dx * dx + dy * dy + dz * dz;
    if (r2 < 6.25f) {
      float s = 1.0f / r2, s6 = s * s * s, f = 24.0f * s * s6 * (2.0f * s6 - 1.0f);
      fx += f * dx;
      fy += f * dy;
      fz += f * dz;
      energy += 2.0f * (s6 * (s6 - 1.0f) + 0.004079222784f);  // half of the pair's
    }
  }
  STORE4(&force[4 * i], make_float4(fx, fy, fz, energy));
  STORE4(&velocity[4 * i], make_float4(v.x + half_dt * fx, v.y + half_dt * fy, v.z + half_dt * fz, 0.0f));
)",
    "forces", periodic);

const RawKernel move("float32* position, float32* velocity, const float32* force, int32 n, float32 dt", R"(
  int k = GLOBAL_ID(0);
  if (k % 4 == 3 || k >= 4 * n) return;
  float v = velocity[k] + 0.5f * dt * force[k];
  velocity[k] = v;
  position[k] += dt * v;
)",
                     "move");

overtake::LaunchSize size_for(std::int64_t items) {
  return {.groups = {(items + 127) / 128, 1, 1}, .group_size = {128, 1, 1}};
}

/// Atoms in a periodic box: rows of x, y, z, and a 0 (of forces: the atom's energy).
struct Atoms {
  std::int64_t n;
  float edge;
  Array position, velocity, force, neighbours, counts, listed, moved, most;

  /// At rest in a crystal, but for the velocities.
  Atoms(std::int64_t wanted, const Device& device) {
    std::int64_t cells = 6;  // at least three of `reach`
    while (4 * cells * cells * cells < wanted) ++cells;
    n = 4 * cells * cells * cells;
    const double length = std::cbrt(4 / density);
    edge = static_cast<float>(length * static_cast<double>(cells));
    std::vector<float> places(static_cast<std::size_t>(4 * n));
    for (std::int64_t k = 0; k < 3 * n; ++k) {
      const std::int64_t atom = k / 3, cell = atom / 4, axis = k % 3, corner = atom % 4;
      const std::int64_t at = (axis == 0 ? cell / cells / cells : axis == 1 ? cell / cells : cell) % cells;
      const double shift = corner != 0 && corner != 3 - axis ? 0.75 : 0.25;
      places[static_cast<std::size_t>(4 * atom + axis)] =
          static_cast<float>(length * (static_cast<double>(at) + shift));
    }
    listed = position = Array::from(places, {n, 4}, device);
    const Array thrown = overtake::random::uniform({n, 3}, -1, 1, Device(), 7), v = thrown - mean(thrown, 0, true);
    const Array scaled = v * sqrt(3 * temperature * static_cast<float>(n) / sum(v * v));
    velocity = concat(std::vector<Array>{scaled, overtake::zeros({n, 1})}, 1).to(device);
    force = overtake::zeros({n, 4}, device), moved = overtake::zeros({}, device);
    neighbours = overtake::zeros({slots, n}, DType::int32, device);
    counts = overtake::zeros({n}, DType::int32, device), most = overtake::zeros({}, DType::int32, device);
    make_lists();
    make_forces(0);
  }

  /// Sorts the atoms by cells and lists neighbours; notes how far they came since the last time.
  void make_lists() {
    moved = maximum(moved, max(sum(square(position - listed), 1)));
    const auto cells = static_cast<std::int64_t>(edge / reach);
    const Array inside = position - edge * floor(position / edge);
    const Array at = minimum(astype(inside * (static_cast<float>(cells) / edge), DType::int32), cells - 1);
    const Array cell = sum(at * Array::from<std::int64_t>({cells * cells, cells, 1, 0}, {4}, at.device()), 1);
    const Array order = argsort(cell), all = arange(cells * cells * cells + 1, DType::int64, at.device());
    const Array begins = searchsorted(take(cell, order, 0), all);
    listed = position = take(inside, order, 0), velocity = take(velocity, order, 0), force = take(force, order, 0);
    list_neighbours.launch(size_for(n), {position, begins, &neighbours, &counts, n, cells, edge, reach, slots});
    most = maximum(most, max(counts));
    eval(std::vector<Array>{moved, most});
  }

  /// Forces, energies, and the second half of a step of `dt`.
  void make_forces(float dt) {
    compute_forces.launch(size_for(n), {position, neighbours, counts, &velocity, &force, n, edge, dt / 2});
  }

  /// Of all atoms, added up in double precision.
  [[nodiscard]] double energy() const {
    const std::vector<float> v = velocity.to_vector<float>(), f = force.to_vector<float>();
    double total = 0;
    for (std::size_t k = 0; k < v.size(); ++k) total += k % 4 == 3 ? double{f[k]} : 0.5 * double{v[k]} * v[k];
    return total;
  }
};

/// Whether the energy stayed.
bool simulate(const Device& device, std::int64_t wanted, int steps, float dt) {
  const auto begin = example::Clock::now();
  Atoms atoms(wanted, device);
  const double before = atoms.energy();
  const auto warm = example::Clock::now();
  for (int step = 0; step < steps; ++step) {
    if (step % steps_a_list == 0) atoms.make_lists();
    move.launch(size_for(4 * atoms.n), {&atoms.position, &atoms.velocity, atoms.force, atoms.n, dt});
    atoms.make_forces(dt);
  }
  device.synchronize();
  const double took = example::milliseconds_since(warm) / 1000, drift = std::abs(atoms.energy() / before - 1);
  const double with_copies = example::milliseconds_since(begin) / 1000;
  atoms.make_lists();
  const bool held = std::sqrt(atoms.moved.item()) < skin / 2 && atoms.most.item<int>() < slots;
  std::printf("%-10s %lld atoms: %.0f steps a second, %.2f ns per atom-step; %.2f s with the copies; drift %.1e%s\n",
              device.id().c_str(), static_cast<long long>(atoms.n), steps / took,
              1e9 * took / steps / static_cast<double>(atoms.n), with_copies, drift,
              held ? "" : "; an atom left its list");
  return held && drift < 1e-4;
}

}  // namespace

int main(int argc, char** argv) try {
  const Device device = example::device_of(argc, argv);
  const std::int64_t atoms = example::size_of(argc, argv, 4000);
  const int steps = argc > 3 ? std::max(std::atoi(argv[3]), 1) : 200;
  const float dt = argc > 4 ? static_cast<float>(std::atof(argv[4])) : 0.002F;
  const bool right = simulate(Device(), atoms, device == Device() ? steps : std::min(steps, 200), dt);
  return example::verdict(device == Device() ? right : simulate(device, atoms, steps, dt));
} catch (const overtake::Error& error) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", error.what(), error.hint().c_str());
  return static_cast<int>(error.code());
}
