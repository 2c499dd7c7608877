# SPDX-License-Identifier: MIT
"""Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy (velocity
Verlet), from a crystal that melts. Every 10 steps atoms are sorted by cells and find their neighbours. Nothing depends on the
order in which work-items run: a run repeats to the last bit. Usage: lennard_jones.py [device] [atoms] [steps] [dt].
"""

import sys
import time

import numpy as np
from timing import arguments, verdict

import overtake as ot

DENSITY, TEMPERATURE = 0.8442, 1.44
CUT, SKIN = 2.5, 0.3
REACH = CUT + SKIN
SHIFT = CUT**-6 - CUT**-12
STEPS_A_LIST, SLOTS, GROUP = 10, 128, 128


def nearest(d, edge):
    """A distance in a periodic box."""
    return d - edge if d > 0.5 * edge else d + edge if d < -0.5 * edge else d


@ot.jit
def list_neighbours(position, begins, neighbours, counts, cells, edge):
    """The places of the atoms that are near each one, from the 27 cells around it."""
    i = ot.global_id()
    if i < counts.size:
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        per = cells / edge
        cx, cy, cz = min(int(x * per), cells - 1), min(int(y * per), cells - 1), min(int(z * per), cells - 1)
        count = 0
        for c in range(27):
            row = (cx + c % 3 - 1) % cells * cells + (cy + c // 3 % 3 - 1) % cells
            cell = row * cells + (cz + c // 9 - 1) % cells
            for j in range(begins[cell], begins[cell + 1]):
                dx, dy, dz = x - position[j, 0], y - position[j, 1], z - position[j, 2]
                dx, dy, dz = nearest(dx, edge), nearest(dy, edge), nearest(dz, edge)
                if j != i and dx * dx + dy * dy + dz * dz < REACH * REACH:
                    if count < SLOTS:
                        neighbours[count, i] = j
                    count += 1
        counts[i] = min(count, SLOTS)


@ot.jit
def compute_forces(position, neighbours, counts, velocity, force, energy, edge, half_dt):
    """The forces, each atom's energy, and the second half of a step of the velocities."""
    i = ot.global_id()
    if i < counts.size:
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        fx = fy = fz = potential = ot.float32(0)
        for k in range(counts[i]):
            j = neighbours[k, i]
            dx, dy, dz = x - position[j, 0], y - position[j, 1], z - position[j, 2]
            dx, dy, dz = nearest(dx, edge), nearest(dy, edge), nearest(dz, edge)
            r2 = dx * dx + dy * dy + dz * dz
            if r2 < CUT * CUT:
                s = 1 / r2
                s6 = s * s * s
                f = 24 * s * s6 * (2 * s6 - 1)
                fx, fy, fz = fx + f * dx, fy + f * dy, fz + f * dz
                potential += 2 * (s6 * (s6 - 1) + SHIFT)  # half of the pair's
        force[i, 0], force[i, 1], force[i, 2], energy[i] = fx, fy, fz, potential
        velocity[i, 0] += half_dt * fx
        velocity[i, 1] += half_dt * fy
        velocity[i, 2] += half_dt * fz


@ot.jit
def move(position, velocity, force, dt):
    """The first half of a step of the velocities, then the places."""
    i = ot.global_id()
    if i < position.shape[0]:
        for axis in range(3):
            v = velocity[i, axis] + 0.5 * dt * force[i, axis]
            velocity[i, axis] = v
            position[i, axis] += dt * v


class Atoms:
    """A crystal in a periodic box, and what follows from it."""

    def __init__(self, wanted, device):
        cells = 6  # at least three of REACH
        while 4 * cells**3 < wanted:
            cells += 1
        length = (4 / DENSITY) ** (1 / 3)
        self.n, self.edge = 4 * cells**3, float(np.float32(length * cells))
        corners = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
        places = corners + np.array([[0.25, 0.25, 0.25], [0.75, 0.75, 0.25], [0.75, 0.25, 0.75], [0.25, 0.75, 0.75]])
        self.position = ot.asarray((length * places).reshape(-1, 3).astype(np.float32), device=device)
        v = np.random.default_rng(7).uniform(-1, 1, (self.n, 3))
        v -= v.mean(axis=0)
        v *= np.sqrt(3 * TEMPERATURE * self.n / (v * v).sum())
        self.velocity = ot.asarray(v.astype(np.float32), device=device)
        self.force, self.energies = ot.zeros((self.n, 3), device=device), ot.zeros(self.n, device=device)
        self.neighbours = ot.zeros((SLOTS, self.n), dtype=ot.int32, device=device)
        self.counts = ot.zeros(self.n, dtype=ot.int32, device=device)
        self.listed = self.position.copy()
        self.moved, self.most = ot.zeros((), device=device), ot.zeros((), dtype=ot.int32, device=device)
        self.groups = -(-self.n // GROUP)
        self.list()
        self.forces(0.0)

    def list(self):
        """Sorts the atoms by cells and lists neighbours; notes how far they came since the last time."""
        self.moved = ot.maximum(self.moved, ot.max(ot.sum((self.position - self.listed) ** 2, axis=1)))
        cells = int(self.edge / REACH)
        inside = self.position - self.edge * ot.floor(self.position / self.edge)
        at = ot.minimum((inside * (cells / self.edge)).astype(ot.int32), cells - 1)
        cell = (at[:, 0] * cells + at[:, 1]) * cells + at[:, 2]
        order = ot.argsort(cell)
        begins = ot.searchsorted(cell[order], ot.arange(cells**3 + 1, dtype=ot.int32, device=cell.device))
        self.position, self.velocity, self.force = inside[order], self.velocity[order], self.force[order]
        list_neighbours[self.groups, GROUP](self.position, begins, self.neighbours, self.counts, cells, self.edge)
        self.listed = self.position.copy()
        self.most = ot.maximum(self.most, ot.max(self.counts))
        ot.eval(self.moved, self.most)

    def forces(self, dt):
        """Forces, energies, and the second half of a step of `dt`."""
        given = (self.position, self.neighbours, self.counts, self.velocity, self.force, self.energies)
        compute_forces[self.groups, GROUP](*given, self.edge, dt / 2)

    def energy(self):
        """Of all atoms, added up in float64."""
        v, potential = (np.asarray(each).astype(np.float64) for each in (self.velocity, self.energies))
        return 0.5 * (v * v).sum() + potential.sum()


def simulate(device, wanted, steps, dt):
    """Whether the energy stayed."""
    begin = time.perf_counter()
    atoms = Atoms(wanted, device)
    before = atoms.energy()
    warm = time.perf_counter()
    for step in range(steps):
        if step % STEPS_A_LIST == 0:
            atoms.list()
        move[atoms.groups, GROUP](atoms.position, atoms.velocity, atoms.force, dt)
        atoms.forces(dt)
    ot.synchronize(device)
    took = time.perf_counter() - warm
    drift, everything = abs(atoms.energy() / before - 1), time.perf_counter() - begin
    atoms.list()
    lists_held = float(atoms.moved) ** 0.5 < SKIN / 2 and int(atoms.most) < SLOTS
    print(
        f"{device:10} {atoms.n} atoms: {steps / took:.0f} steps a second, {1e9 * took / steps / atoms.n:.2f} ns per atom-step; "
        f"{everything:.2f} s with the copies; drift {drift:.1e}{'' if lists_held else '; an atom left its list'}"
    )
    return lists_held and drift < 1e-4


device, wanted = arguments(4000)
steps = max(int(sys.argv[3]), 1) if len(sys.argv) > 3 else 200
dt = float(sys.argv[4]) if len(sys.argv) > 4 else 0.002
if device != "cpu":
    simulate("cpu", wanted, min(steps, 200), dt)
verdict(simulate(device, wanted, steps, dt))
