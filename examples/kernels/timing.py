# SPDX-License-Identifier: MIT
"""What the examples of this folder share: which device, and how long work takes there and on the cpu."""

import statistics
import sys
import time

import numpy as np

import overtake as ot


def arguments(usual):
    """The device: the first argument, or the GPU with the highest rate, or the cpu; and the size: the second, or `usual`."""
    gpus = [each for each in ot.devices() if each["usable"] and each["kind"] == "gpu"] if len(sys.argv) < 2 else []
    best = max(gpus, key=lambda each: each["peak_gflops"])["id"] if gpus else "cpu"
    return sys.argv[1] if len(sys.argv) > 1 else best, max(int(sys.argv[2]), 1) if len(sys.argv) > 2 else usual


def milliseconds(work):
    """The median of up to nine runs, after one that compiles; about half a second in all."""
    work()
    times = []
    while len(times) < 9 and sum(times) < 0.5:
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def show_times(device, inputs, work):
    """Times of `work(*inputs)`, which gives an array, from inputs that lie on the cpu."""

    def once(given, where):
        result = work(*given)
        ot.eval(result)
        ot.synchronize(where)
        return result

    print(f"{'cpu':10} {milliseconds(lambda: once(inputs, 'cpu')):9.3f} ms")
    if device == "cpu":
        return

    def there():
        return [each.to_device(device) for each in inputs]

    moved = there()
    alone = milliseconds(lambda: once(moved, device))
    everything = milliseconds(lambda: np.asarray(once(there(), device)))
    print(f"{device:10} {alone:9.3f} ms, {everything:.3f} ms with the copies")


def verdict(right):
    """Says whether a result is right, and ends the program."""
    print("right" if right else "WRONG")
    sys.exit(not right)
