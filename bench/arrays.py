#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Arrays beside their peers in one run: CuPy on the same card, NumPy on the same processor.

Usage: bench/arrays.py DEVICE OUTPUT.json [SCALE]
    DEVICE   cuda:0 (beside CuPy) or cpu (beside NumPy); the package must be importable (PYTHONPATH, OVERTAKE_LIBRARY)
    SCALE    1: sizes of the published table on a GPU; 0.05 and less for small machines

Each work is run with both in turn; the best of several timings counts. Rates are bytes that must move, at least, over time.
"""
import json
import math
import sys
import time

import numpy

import overtake as ot


class Peer:
    """What the two libraries are asked, in one language."""

    def __init__(self, device):
        self.device = device
        if device == "cpu":
            self.name, self.xp, self.wait = "NumPy " + numpy.__version__, numpy, lambda: None
        else:
            import cupy

            self.name, self.xp = "CuPy " + cupy.__version__, cupy
            self.wait = cupy.cuda.Device().synchronize


def best_time(run, wait, least=5, seconds=1.0):
    run()
    wait()
    best, began = math.inf, time.perf_counter()
    times = 0
    while times < least or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run()
        wait()
        best = min(best, time.perf_counter() - start)
        times += 1
        if time.perf_counter() - began > 20 * seconds:
            break
    return best


def queued_time(run, wait, count=2000):
    for _ in range(50):
        run()
    wait()
    start = time.perf_counter()
    for _ in range(count):
        run()
    queued = time.perf_counter() - start
    wait()
    return queued / count, (time.perf_counter() - start) / count


def rows(device, scale):
    peer = Peer(device)
    xp = peer.xp
    wait = lambda: ot.synchronize(device)
    n = int(2**30 * scale) // 4096 * 4096
    side = int(math.sqrt(n)) // 1024 * 1024
    results = []

    def add(work, moved, ours, theirs, seconds=1.0):
        row = {"work": work, "ours_s": best_time(ours, wait, seconds=seconds)}
        row["peer_s"] = best_time(theirs, peer.wait, seconds=seconds) if theirs else None
        if moved:
            row["ours_gbs"] = moved / row["ours_s"] / 1e9
            row["peer_gbs"] = moved / row["peer_s"] / 1e9 if theirs else None
        results.append(row)
        print(json.dumps(row), flush=True)

    values = numpy.random.default_rng(7).random(n, dtype=numpy.float32)
    x = ot.asarray(values, device=device)
    y = xp.asarray(values)
    add("copy", 8 * n, lambda: (x + 0.0).eval(), lambda: y + numpy.float32(0))
    add("a*b+c", 16 * n, lambda: (x * x + x).eval(), lambda: y * y + y)
    add(
        "branchy where",
        8 * n,
        lambda: ot.where(x > 0.5, ot.sqrt(x) * ot.exp(-x), ot.sin(x) + x * x).eval(),
        lambda: xp.where(y > 0.5, xp.sqrt(y) * xp.exp(-y), xp.sin(y) + y * y),
    )
    add("mean", 4 * n, lambda: ot.mean(x).eval(), lambda: y.mean())
    add("sum of squares, fused", 4 * n, lambda: ot.sum(x * x).eval(), lambda: (y * y).sum())
    square, square_peer = x[: side * side].reshape((side, side)).eval(), y[: side * side].reshape(side, side)
    add("sum over axis 0", 4 * side * side, lambda: ot.sum(square, axis=0).eval(), lambda: square_peer.sum(axis=0))
    add("sum over axis 1", 4 * side * side, lambda: ot.sum(square, axis=1).eval(), lambda: square_peer.sum(axis=1))
    add("argmax", 4 * n, lambda: ot.argmax(x).eval(), lambda: y.argmax())
    add("cumulative_sum", 8 * n, lambda: ot.cumulative_sum(x).eval(), lambda: xp.cumsum(y))
    del square, square_peer
    k = n // 4
    keys = numpy.random.default_rng(8).integers(0, 2**32, k, dtype=numpy.uint32)
    u, v = ot.asarray(keys, device=device), xp.asarray(keys)
    add("sort uint32", None, lambda: ot.sort(u).eval(), lambda: xp.sort(v))
    del u, v
    for bins in (256, 65536):
        whole = numpy.random.default_rng(9).integers(0, bins, n, dtype=numpy.int32)
        u, v = ot.asarray(whole, device=device), xp.asarray(whole)
        add(f"bincount into {bins}", 4 * n, lambda: ot.bincount(u, minlength=bins).eval(), lambda: xp.bincount(v, minlength=bins))
        u, v = ot.zeros((n,), dtype=ot.int32, device=device).eval(), xp.zeros(n, dtype="int32")
        add(f"bincount into {bins}, all equal", 4 * n, lambda: ot.bincount(u, minlength=bins).eval(), lambda: xp.bincount(v, minlength=bins))
        del u, v
        add(f"histogram into {bins}", 4 * n, lambda: ot.histogram(x, bins=bins, range=(0.0, 1.0))[0].eval(), lambda: xp.histogram(y, bins=bins, range=(0.0, 1.0)), 0.5)
    m = 2048
    a = ot.asarray(values[: m * m].reshape(m, m), device=device)
    b = xp.asarray(values[: m * m].reshape(m, m))
    add(f"matmul {m}", None, lambda: (a @ a).eval(), lambda: b @ b)
    small, small_peer = ot.asarray(values[:1000], device=device), xp.asarray(values[:1000])
    row = {"work": "mean of 1,000, queued"}
    row["ours_s"], row["ours_done_s"] = queued_time(lambda: ot.mean(small).eval(), wait)
    row["peer_s"], row["peer_done_s"] = queued_time(lambda: small_peer.mean(), peer.wait)
    results.append(row)
    print(json.dumps(row), flush=True)
    row = {"work": "mean of 1,000, read back"}
    row["ours_s"] = best_time(lambda: float(ot.mean(small)), wait)
    row["peer_s"] = best_time(lambda: float(small_peer.mean()), peer.wait)
    results.append(row)
    print(json.dumps(row), flush=True)
    part = values[: min(n, 2**28)]
    add("upload, pageable", part.nbytes, lambda: ot.asarray(part, device=device), lambda: xp.array(part))
    return {"device": device, "scale": scale, "peer": peer.name, "rows": results}


def main():
    device, output = sys.argv[1], sys.argv[2]
    result = rows(device, float(sys.argv[3]) if len(sys.argv) > 3 else 1.0)
    for each in ot.devices():
        if each["id"] == device:
            result["name"] = each["name"]
    with open(output, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
