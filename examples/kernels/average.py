# SPDX-License-Identifier: MIT
"""The mean of n numbers: the library's own call. Usage: average.py [device] [size]."""

import numpy as np
from timing import arguments, show_times, verdict

import overtake as ot

device, n = arguments(1 << 24)
x = ot.random.uniform((n,), seed=7)

average = float(ot.mean(x.to_device(device)))

print(f"the mean of {n} numbers on {device}: {average:.7f}")
show_times(device, [x], ot.mean)
verdict(abs(average - np.asarray(x).mean(dtype=np.float64)) < 1e-6)
