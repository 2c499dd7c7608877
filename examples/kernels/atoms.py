# SPDX-License-Identifier: MIT
"""Around lennard_jones.py: a crystal to begin with, atoms in the order of their cells, the energy, and what is printed."""

import math
import sys
import time

import numpy as np
from timing import arguments, verdict

import overtake as ot


def crystal(wanted, density, temperature, device):
    """Places and velocities of at least as many atoms, four in each cube of a crystal, and the edge of their periodic box."""
    side = max(math.ceil((wanted / 4) ** (1 / 3) - 1e-9), 6)
    n, edge = 4 * side**3, float(np.float32(side * (4 / density) ** (1 / 3)))
    corners = np.array([[0, 0.5, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0.5]]).reshape(3, 4, 1)
    places = (np.indices([side] * 3).reshape(3, 1, -1) + corners).reshape(3, n).T * (edge / side)
    v = np.random.default_rng(7).normal(size=(n, 3))
    v = (v - v.mean(axis=0)) * temperature**0.5
    return *(ot.asarray(each.astype(np.float32), device=device) for each in (places, v)), edge


def by_cells(x, v, cells, edge):
    """Atoms in the order of cells^3 cells: places, velocities, the three numbers of each one's cell, where each cell begins."""
    factors = ot.asarray([cells * cells, cells, 1], device=x.device)
    cell = ot.clip((x * (cells / edge)).astype(ot.int64), 0, cells - 1)
    order = ot.argsort(ot.sum(cell * factors, axis=1))
    cell = cell[order]
    begins = ot.searchsorted(ot.sum(cell * factors, axis=1), ot.arange(cells**3 + 1, device=x.device))
    return x[order], v[order], cell, begins


def total_energy(v, potential):
    """Of all atoms together."""
    return 0.5 * np.square(np.asarray(v), dtype=np.float64).sum() + np.asarray(potential).sum(dtype=np.float64)


def check(simulate):
    """Runs `simulate(device, atoms, steps)`, which yields the number of atoms and the energy at its first and its last step."""
    device, wanted = arguments(4000)
    steps = max(int(sys.argv[3]), 1) if len(sys.argv) > 3 else 200
    right = True
    for where in dict.fromkeys(("cpu", device)):
        count = steps if where == device else min(steps, 200)
        run, begin = simulate(where, wanted, count), time.perf_counter()
        n, before = next(run)
        warm = time.perf_counter()
        n, after = next(run)
        took, drift = time.perf_counter() - warm, abs(after / before - 1)
        next(run, None)  # to its end
        print(
            f"{where:10} {n} atoms: {count / took:.0f} steps a second, {1e9 * took / count / n:.2f} ns per atom-step; "
            f"{time.perf_counter() - begin:.2f} s with the copies; drift {drift:.1e}"
        )
        right = right and drift < 1e-4
    verdict(right)
