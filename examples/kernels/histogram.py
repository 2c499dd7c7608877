# SPDX-License-Identifier: MIT
"""How often each of 256 values occurs: groups count in memory of their own, then add that up.

Usage: histogram.py [device] [size].
"""

from timing import arguments, show_times, verdict

import overtake as ot


@ot.jit
def histogram(x, counts):
    """For groups of 256."""
    found = ot.shared(ot.int32, 256)
    found[ot.local_id()] = 0
    ot.sync()
    for k in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_add(found, x[k], 1)
    ot.sync()
    ot.atomic_add(counts, ot.local_id(), found[ot.local_id()])


def count(x):
    """Launches it."""
    counts = ot.zeros(256, dtype=ot.int32, device=x.device)
    histogram[min(max(x.size // 4096, 1), 1024), 256](x, counts)
    return counts


device, n = arguments(1 << 22)
x = ot.random.integers(0, 256, (n,), seed=7, dtype=ot.uint8)

counts = count(x.to_device(device)).to_device("cpu")

print(f"{n} values on {device}: {int(ot.min(counts))} to {int(ot.max(counts))} of each")
show_times(device, [x], count)
verdict(bool(ot.all(counts == ot.bincount(x, minlength=256))))
