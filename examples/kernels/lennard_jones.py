# SPDX-License-Identifier: MIT
"""Molecular dynamics: atoms with the potential of Lennard and Jones, cut and shifted at 2.5, at constant energy (leapfrog), from
a crystal that melts; every 10 steps they list their neighbours. Usage: lennard_jones.py [device] [atoms] [steps].
"""

import atoms

import overtake as ot

CUT, REACH, SLOTS, DT, GROUP = 2.5, 2.8, 128, 0.002, 128  # SLOTS neighbours at most are listed, up to REACH


def apart(x, i, j, edge):
    """From atom j to atom i, the shortest way in a periodic box."""
    a, b, c = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
    return a - edge * ot.round(a / edge), b - edge * ot.round(b / edge), c - edge * ot.round(c / edge)


@ot.jit
def list_neighbours(x, cell, begins, neighbours, counts, cells, edge):
    i = ot.global_id()
    if i < counts.size:
        count = 0
        for k in range(27):
            row = (cell[i, 0] + k % 3 - 1) % cells * cells + (cell[i, 1] + k // 3 % 3 - 1) % cells
            other = row * cells + (cell[i, 2] + k // 9 - 1) % cells
            for j in range(begins[other], begins[other + 1]):
                a, b, c = apart(x, i, j, edge)
                if j != i and a * a + b * b + c * c < REACH * REACH and count < SLOTS:
                    neighbours[count, i] = j
                    count += 1
        counts[i] = count


@ot.jit
def compute_forces(x, neighbours, counts, force, energy, edge):
    i = ot.global_id()
    if i < counts.size:
        fa = fb = fc = potential = ot.float32(0)
        for k in range(counts[i]):
            a, b, c = apart(x, i, neighbours[k, i], edge)
            r2 = a * a + b * b + c * c
            if r2 < CUT * CUT:
                s6 = 1 / (r2 * r2 * r2)
                f = 24 * s6 * (2 * s6 - 1) / r2
                fa, fb, fc = fa + f * a, fb + f * b, fc + f * c
                potential += 2 * (s6 * (s6 - 1) + (CUT**-6 - CUT**-12))  # half of the pair's
        force[i, 0], force[i, 1], force[i, 2], energy[i] = fa, fb, fc, potential


@ot.vectorize
def move(x, v, f):
    return x + DT * (v + DT * f), v + DT * f


def simulate(device, wanted, steps):
    a = atoms.Atoms(wanted, density=0.8442, temperature=1.44, reach=REACH, slots=SLOTS, device=device)
    groups = -(-a.n // GROUP)
    for step in range(steps + 1):
        if step % 10 == 0:
            a.sort()
            list_neighbours[groups, GROUP](a.x, a.cell, a.begins, a.neighbours, a.counts, a.cells, a.edge)
        compute_forces[groups, GROUP](a.x, a.neighbours, a.counts, a.force, a.energy, a.edge)
        if step in (0, steps):
            yield a.n, a.total_energy(behind=0.5 * DT)  # velocities are half a step behind the places
        a.x, a.v = move(a.x, a.v, a.force)


atoms.check(simulate)
