# SPDX-License-Identifier: MIT
"""Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy (leapfrog), from
a crystal that melts. Every 10 steps atoms are sorted by cells and list their neighbours. A run repeats to the last bit: nothing
depends on the order in which work-items run. Usage: lennard_jones.py [device] [atoms] [steps].
"""

import math
import sys
import time

import numpy as np
from timing import arguments, verdict

import overtake as ot

DENSITY, TEMPERATURE, CUT, REACH, DT = 0.8442, 1.44, 2.5, 2.8, 0.002  # neighbours are listed up to REACH
SLOTS, GROUP = 128, 128


def apart(position, i, j, edge):
    """From atom j to atom i, the shortest way in a periodic box."""
    x, y, z = position[i, 0] - position[j, 0], position[i, 1] - position[j, 1], position[i, 2] - position[j, 2]
    return x - edge * ot.round(x / edge), y - edge * ot.round(y / edge), z - edge * ot.round(z / edge)


@ot.jit
def list_neighbours(position, cell, begins, neighbours, counts, cells, edge):
    i = ot.global_id()
    if i < counts.size:
        count = 0
        for c in range(27):
            row = (cell[i, 0] + c % 3 - 1) % cells * cells + (cell[i, 1] + c // 3 % 3 - 1) % cells
            other = row * cells + (cell[i, 2] + c // 9 - 1) % cells
            for j in range(begins[other], begins[other + 1]):
                x, y, z = apart(position, i, j, edge)
                if j != i and x * x + y * y + z * z < REACH * REACH and count < SLOTS:
                    neighbours[count, i] = j
                    count += 1
        counts[i] = count


@ot.jit
def compute_forces(position, neighbours, counts, force, energy, edge):
    i = ot.global_id()
    if i < counts.size:
        fx = fy = fz = potential = ot.float32(0)
        for k in range(counts[i]):
            x, y, z = apart(position, i, neighbours[k, i], edge)
            r2 = x * x + y * y + z * z
            if r2 < CUT * CUT:
                s6 = 1 / (r2 * r2 * r2)
                f = 24 * s6 * (2 * s6 - 1) / r2
                fx, fy, fz = fx + f * x, fy + f * y, fz + f * z
                potential += 2 * (s6 * (s6 - 1) + (CUT**-6 - CUT**-12))  # half of the pair's
        force[i, 0], force[i, 1], force[i, 2], energy[i] = fx, fy, fz, potential


@ot.vectorize
def move(x, v, f):
    return x + DT * (v + DT * f), v + DT * f


def simulate(device, wanted, steps):
    """Whether the energy stayed."""
    begin, side = time.perf_counter(), max(math.ceil((wanted / 4) ** (1 / 3) - 1e-9), 6)
    n, edge = 4 * side**3, float(np.float32(side * (4 / DENSITY) ** (1 / 3)))
    cells, groups = int(edge / REACH), -(-n // GROUP)
    corners = np.array([[0, 0.5, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0.5]]).reshape(3, 4, 1)
    places = (np.indices([side] * 3).reshape(3, 1, -1) + corners).reshape(3, n).T * (edge / side)
    v = np.random.default_rng(7).normal(size=(n, 3))
    v = (v - v.mean(axis=0)) * TEMPERATURE**0.5
    x, v = (ot.asarray(each.astype(np.float32), device=device) for each in (places, v))
    force, energy = ot.zeros((n, 3), device=device), ot.zeros(n, device=device)
    neighbours, counts = (ot.zeros(shape, dtype=ot.int32, device=device) for shape in ((SLOTS, n), n))
    all_cells, factors = ot.arange(cells**3 + 1, device=device), ot.asarray([cells * cells, cells, 1], device=device)
    total, times = [], []
    for step in range(steps + 1):
        if step % 10 == 0:
            x = x % edge
            cell = ot.clip((x * (cells / edge)).astype(ot.int64), 0, cells - 1)
            order = ot.argsort(ot.sum(cell * factors, axis=1))
            x, v, cell = x[order], v[order], cell[order]
            begins = ot.searchsorted(ot.sum(cell * factors, axis=1), all_cells)
            list_neighbours[groups, GROUP](x, cell, begins, neighbours, counts, cells, edge)
        compute_forces[groups, GROUP](x, neighbours, counts, force, energy, edge)
        if step in (0, steps):  # velocities are half a step behind the places
            kinetic = 0.5 * np.square(np.asarray(v + 0.5 * DT * force), dtype=np.float64).sum()
            total.append(kinetic + np.asarray(energy).sum(dtype=np.float64))
            times.append(time.perf_counter())
        x, v = move(x, v, force)
    drift, took = abs(total[1] / total[0] - 1), times[1] - times[0]
    print(
        f"{device:10} {n} atoms: {steps / took:.0f} steps a second, {1e9 * took / steps / n:.2f} ns per atom-step; "
        f"{time.perf_counter() - begin:.2f} s with the copies; drift {drift:.1e}"
    )
    return drift < 1e-4 and int(ot.max(counts)) < SLOTS


device, wanted = arguments(4000)
steps = max(int(sys.argv[3]), 1) if len(sys.argv) > 3 else 200
right = simulate("cpu", wanted, min(steps, 200) if device != "cpu" else steps)
verdict(right and (device == "cpu" or simulate(device, wanted, steps)))
