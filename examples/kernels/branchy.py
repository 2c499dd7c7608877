# SPDX-License-Identifier: MIT
"""An if and an else for each element. Usage: branchy.py [device] [size]."""

from timing import arguments, show_times, verdict

import overtake as ot


@ot.vectorize
def branchy(x):
    """Two ways, one of which each element takes."""
    if x > 0.5:
        return ot.sqrt(x) * ot.exp(-x)
    return ot.sin(x) + x * x


device, n = arguments(1 << 22)
x = ot.random.uniform((n,), seed=7)

y = branchy(x.to_device(device))

# The same of functions of arrays, which compute both sides of where().
truth = ot.where(x > 0.5, ot.sqrt(x) * ot.exp(-x), ot.sin(x) + x * x)
off = float(ot.max(ot.abs(y.to_device("cpu") - truth)))
print(f"{n} elements on {device}: at most {off:.1e} away")
show_times(device, [x], branchy)
verdict(off < 1e-6)
