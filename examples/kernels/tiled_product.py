# SPDX-License-Identifier: MIT
"""The product of two matrices, tile by tile: each group keeps one of both in memory of its own. matmul() is faster; this is how
kernels share. Usage: tiled_product.py [device] [size].
"""

from timing import arguments, show_times, verdict

import overtake as ot

TILE = 16


@ot.jit
def tiled(a, b, c):
    """For groups of TILE x TILE."""
    left = ot.shared(ot.float32, (TILE, TILE))
    right = ot.shared(ot.float32, (TILE, TILE))
    row, column = ot.global_id(1), ot.global_id(0)
    y, x = ot.local_id(1), ot.local_id(0)
    total = 0.0
    for at in range(0, a.shape[1], TILE):
        left[y, x] = a[row, at + x] if row < a.shape[0] and at + x < a.shape[1] else 0.0
        right[y, x] = b[at + y, column] if at + y < b.shape[0] and column < b.shape[1] else 0.0
        ot.sync()
        for k in range(TILE):
            total += left[y, k] * right[k, x]
        ot.sync()
    if row < c.shape[0] and column < c.shape[1]:
        c[row, column] = total


def product(a, b):
    """Launches it."""
    c = ot.zeros((a.shape[0], b.shape[1]), device=a.device)
    tiled[(-(-b.shape[1] // TILE), -(-a.shape[0] // TILE)), (TILE, TILE)](a, b, c)
    return c


device, n = arguments(250)
a, b = (ot.random.uniform((n, n), low=-1, high=1, seed=seed) for seed in (1, 2))

c = product(a.to_device(device), b.to_device(device)).to_device("cpu")

off = float(ot.max(ot.abs(c - ot.matmul(a, b))))
print(f"{n} x {n} on {device}: at most {off:.1e} from matmul()")
show_times(device, [a, b], product)
verdict(off < 1e-6 * (n + 10))
