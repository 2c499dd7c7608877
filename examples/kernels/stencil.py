# SPDX-License-Identifier: MIT
"""Heat in a rod, many steps of a three-point stencil: each group reads its part and a halo on both sides, and makes as many steps
as the halo is wide in memory of its own. Usage: stencil.py [device] [size].
"""

from timing import arguments, show_times, verdict

import overtake as ot

HALO, GROUP = 8, 256
OWN = GROUP - 2 * HALO
STEPS = 32


@ot.jit
def eight_steps(u, v):
    """From u to v, HALO steps later; for groups of GROUP."""
    cells = ot.shared(ot.float32, (2, GROUP))
    t = ot.local_id()
    at = ot.group_id() * OWN + t - HALO
    moves = t > 0 and t < GROUP - 1 and at > 0 and at < u.size - 1  # the ends of the rod stay as they are
    cells[0, t] = u[at] if at >= 0 and at < u.size else 0.0
    ot.sync()
    for step in range(HALO):
        old = step % 2
        here = cells[old, t]
        if moves:
            here = here + 0.25 * (cells[old, t - 1] - 2 * here + cells[old, t + 1])
        cells[1 - old, t] = here
        ot.sync()
    if t >= HALO and t < GROUP - HALO and at < u.size:
        v[at] = cells[0, t]


def cooled(rod):
    """All steps."""
    u, v = rod.copy(), ot.zeros(rod.size, device=rod.device)  # a write gives u another value: rod stays
    for _ in range(0, STEPS, HALO):
        eight_steps[-(-u.size // OWN), GROUP](u, v)
        u, v = v, u
    return u


device, n = arguments(1 << 20)
rod = ot.random.uniform((max(n, 3),), seed=7)

result = cooled(rod.to_device(device)).to_device("cpu")

truth = rod
for _ in range(STEPS):
    left, here, right = truth[:-2], truth[1:-1], truth[2:]
    truth = ot.concat([truth[:1], here + 0.25 * (left - 2 * here + right), truth[-1:]])
print(f"{STEPS} steps of {rod.size} cells on {device}: from {float(ot.min(result)):.4f} to {float(ot.max(result)):.4f}")
show_times(device, [rod], cooled)
verdict(bool(ot.all(result == truth)))  # the same bits
