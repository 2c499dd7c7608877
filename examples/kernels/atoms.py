# SPDX-License-Identifier: MIT
"""Around lennard_jones.py: a crystal to begin with, atoms in the order of their cells, the energy, and what is printed."""

import math
import sys
import time

import numpy as np
from timing import arguments, verdict

import overtake as ot


class Atoms:
    """Atoms in a periodic box, and what a simulation keeps of each: `x`, `v`, `force`, `energy`, `neighbours` (slots x n), `counts`."""

    def __init__(self, wanted, density, temperature, reach, slots, device):
        """At least as many as wanted, four in each cube of a crystal; cells of the box are no smaller than `reach`."""
        side = max(math.ceil((wanted / 4) ** (1 / 3) - 1e-9), 6)
        self.n, self.edge = 4 * side**3, float(np.float32(side * (4 / density) ** (1 / 3)))
        self.cells = int(self.edge / reach)
        corners = np.array([[0, 0.5, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0.5]]).reshape(3, 4, 1)
        x = (np.indices([side] * 3).reshape(3, 1, -1) + corners).reshape(3, self.n).T * (self.edge / side)
        v = np.random.default_rng(7).normal(size=(self.n, 3))
        v = (v - v.mean(axis=0)) * temperature**0.5
        self.x, self.v = (ot.asarray(each.astype(np.float32), device=device) for each in (x, v))
        self.force, self.energy = ot.zeros((self.n, 3), device=device), ot.zeros(self.n, device=device)
        self.neighbours, self.counts = (
            ot.zeros(each, dtype=ot.int32, device=device) for each in ((slots, self.n), self.n)
        )

    def sort(self):
        """Puts them in the order of their cells; `cell`: the three numbers of each one's, `begins`: where each of the cells begins."""
        factors = ot.asarray([self.cells**2, self.cells, 1], device=self.x.device)
        x = self.x % self.edge
        cell = ot.clip((x * (self.cells / self.edge)).astype(ot.int64), 0, self.cells - 1)
        order = ot.argsort(ot.sum(cell * factors, axis=1))
        self.x, self.v, self.cell = x[order], self.v[order], cell[order]
        cells = ot.arange(self.cells**3 + 1, device=x.device)
        self.begins = ot.searchsorted(ot.sum(self.cell * factors, axis=1), cells)

    def total_energy(self, behind):
        """Of all together, of velocities that are `behind` the places by a time. NaN where more neighbours than slots are possible."""
        v, potential = np.asarray(self.v + behind * self.force), np.asarray(self.energy)
        total = 0.5 * np.square(v, dtype=np.float64).sum() + potential.sum(dtype=np.float64)
        return total if int(ot.max(self.counts)) < len(self.neighbours) else np.nan


def check(simulate):
    """Runs `simulate(device, atoms, steps)`, which yields the number of atoms and the energy at its first and its last step."""
    device, wanted = arguments(4000)
    steps = max(int(sys.argv[3]), 1) if len(sys.argv) > 3 else 200
    right = True
    for where in dict.fromkeys(("cpu", device)):
        for _ in simulate(where, wanted, 20):  # what compiles in the background has time to
            pass
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
