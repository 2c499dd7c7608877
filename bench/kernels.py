#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernels of one's own beside their peers (kernel_peers.py) in one run.

Usage: bench/kernels.py DEVICE OUTPUT.json [SCALE [SECONDS]]
    DEVICE   cuda:0 or cpu; of a peer that cannot do a piece of work the reason is kept
    SCALE    1: sizes for a GPU; 0.05 for small machines
    SECONDS  for each timing; the best counts, each of one call that is waited for
"""
import json
import math
import os
import sys
import time

import kernel_peers
import numpy
from kernel_peers import TILE, function_of, liquid

import overtake as ot

QUEUED = 2000  # calls


@ot.vectorize
def branchy(x):
    if x > 0.5:
        return ot.sqrt(x) * ot.exp(-x)
    return ot.sin(x) + x * x


@ot.vectorize
def mandelbrot(cx, cy, limit):
    x = y = 0.0
    n = ot.int32(0)
    while x * x + y * y < 4 and n < limit:
        x, y = x * x - y * y + cx, 2 * x * y + cy
        n += 1
    return n


mandelbrot_fused = ot.vectorize(fma=True)(mandelbrot._kernel_function)  # as Numba's


@ot.vectorize
def black_scholes(s, k, t):
    d = (ot.log(s / k) + (0.02 + 0.045) * t) / (0.3 * ot.sqrt(t))
    e = d - 0.3 * ot.sqrt(t)
    return s * 0.5 * (1 + ot.erf(d * 0.70710678)) - k * ot.exp(-0.02 * t) * 0.5 * (1 + ot.erf(e * 0.70710678))


@ot.jit
def histogram(x, out):
    bins = ot.shared(ot.int32, 256)
    bins[ot.local_id()] = 0
    ot.sync()
    for i in range(ot.global_id(), x.size, ot.global_size()):
        ot.atomic_add(bins, x[i], 1)
    ot.sync()
    ot.atomic_add(out, ot.local_id(), bins[ot.local_id()])


@ot.jit
def product(a, b, c):
    left = ot.shared(ot.float32, (TILE, TILE))
    right = ot.shared(ot.float32, (TILE, TILE))
    row, column = ot.global_id(1), ot.global_id(0)
    y, x = ot.local_id(1), ot.local_id(0)
    total = 0.0
    for at in range(0, a.shape[1], TILE):
        left[y, x] = a[row, at + x]
        right[y, x] = b[at + y, column]
        ot.sync()
        for k in range(TILE):
            total += left[y, k] * right[k, x]
        ot.sync()
    c[row, column] = total


@ot.jit
def forces(x, neighbours, counts, force, energy, edge):
    i = ot.global_id()
    if i < counts.size:
        fa = fb = fc = potential = ot.float32(0)
        for k in range(counts[i]):
            j = neighbours[k, i]
            a, b, c = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
            a, b, c = a - edge * ot.round(a / edge), b - edge * ot.round(b / edge), c - edge * ot.round(c / edge)
            r2 = a * a + b * b + c * c
            if r2 < 6.25:
                s6 = 1 / (r2 * r2 * r2)
                f = 24 * s6 * (2 * s6 - 1) / r2
                fa, fb, fc = fa + f * a, fb + f * b, fc + f * c
                potential += 2 * (s6 * (s6 - 1) + 0.0040792)
        force[i, 0], force[i, 1], force[i, 2], energy[i] = fa, fb, fc, potential


class Ours:
    name = "ours"

    def __init__(self, device):
        self.device = device

    def wait(self):
        ot.synchronize(self.device)

    def fresh(self, host, first, second):
        x = ot.asarray(host, device=self.device).eval()
        text = f"@ot.vectorize\ndef fresh(x):\n    return x * {first} + {second} if x > 0.5 else ot.exp(x)\n"
        function = function_of(text, "fresh", {"ot": ot})
        return lambda: function(x)


def once(run, wait):
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


def queued(run, wait):
    """One of many calls that are waited for together."""

    def many():
        for _ in range(QUEUED):
            run()

    return once(many, wait) / QUEUED


def first_call(peer, host):
    """The shortest of three, after one that loads the compiler."""
    seconds = []
    for k in range(4):
        run = peer.fresh(host, time.time_ns() % 1000003, k)
        peer.wait()
        start = time.perf_counter()
        run()
        peer.wait()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


class Bench:
    def __init__(self, device, output, scale, seconds):
        self.device, self.output, self.scale, self.rows, self.peers, self.named = device, output, scale, [], [], []
        self.seconds, self.cores = seconds, len(os.sched_getaffinity(0))
        self.name = next((each["name"] for each in ot.devices() if each["id"] == device), device)
        for kind in (kernel_peers.NumbaCpu,) if device == "cpu" else (kernel_peers.Cupy, kernel_peers.NumbaCuda):
            try:
                self.peers.append(kind())
                self.named.append(f"{kind.name} {self.peers[-1].version}")
            except Exception as error:  # whatever a peer does not work for
                self.named.append(f"{kind.name}: {reason(error)}")

    def measure(self, row, name, work):
        """A failure of a peer is kept with its reason, and loses nothing else."""
        try:
            row[name + "_s"] = work()
        except Exception as error:
            row[name + "_failed"] = reason(error)

    def keep(self, row):
        """Each row is written at once: what a time limit ends has those before."""
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        result = {"device": self.device, "name": self.name, "cores": self.cores, "scale": self.scale, "peers": self.named, "rows": self.rows}
        with open(self.output, "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")

    def add(self, work, ours, method="", given=(), moved=None, timer=once):
        """Ours and the peers in turn, for as long as asked for: what disturbs one disturbs the others."""
        row, runs = {"work": work}, {"ours": (ours, lambda: ot.synchronize(self.device))}
        for peer in self.peers:
            if hasattr(peer, method):
                try:
                    runs[peer.name] = getattr(peer, method)(*given), peer.wait
                    timer(*runs[peer.name])
                except Exception as error:
                    runs.pop(peer.name, None)
                    row[peer.name + "_failed"] = reason(error)
        timer(*runs["ours"])
        least, began, times = dict.fromkeys(runs, math.inf), time.perf_counter(), 0
        while times < 3 or time.perf_counter() - began < self.seconds * len(runs):
            for name, (run, wait) in runs.items():
                least[name] = min(least[name], timer(run, wait))
            times += 1
        row |= {name + "_s": seconds for name, seconds in least.items()}
        if moved:
            row["ours_gbs"] = moved / row["ours_s"] / 1e9
        runs.clear()
        for peer in self.peers:
            self.measure({}, peer.name, peer.let_go)
        self.keep(row)

    def elements(self):
        n = int(2**30 * self.scale)
        host = numpy.random.default_rng(1).random(n, dtype=numpy.float32)
        x = ot.asarray(host, device=self.device)
        self.add("copy", lambda: (x + 0.0).eval(), moved=8 * n)
        self.add("branchy element-wise", lambda: branchy(x), "branchy", (host,), 8 * n)
        del x
        part = host[: n // 4]
        options = part * 100 + 50, part * 50 + 80, part + numpy.float32(0.1)
        s, k, t = (ot.asarray(each, device=self.device) for each in options)
        self.add("Black-Scholes", lambda: black_scholes(s, k, t), "black_scholes", options, 16 * part.size)

    def programs(self):
        side = 8192 if self.scale >= 1 else 1024
        lines = [numpy.linspace(-2, 1, side, dtype=numpy.float32), numpy.linspace(-1, 1, side, dtype=numpy.float32)]
        cx, cy = (ot.asarray(each, device=self.device) for each in (lines[0], lines[1].reshape(side, 1)))
        self.add(f"Mandelbrot {side}^2, 256 iterations", lambda: mandelbrot(cx, cy, 256), "mandelbrot", (*lines, 256))
        fused = f"Mandelbrot {side}^2, 256 iterations, products and sums rounded once"
        self.add(fused, lambda: mandelbrot_fused(cx, cy, 256), "mandelbrot", (*lines, 256))
        whole = numpy.random.default_rng(2).integers(0, 256, int(2**28 * self.scale), dtype=numpy.int32)
        u, counts = ot.asarray(whole, device=self.device), ot.zeros((256,), dtype=ot.int32, device=self.device)
        self.add("histogram of 256 bins", lambda: histogram[1056, 256](u, counts), "histogram", (whole,), 4 * whole.size)
        m = 4096 if self.scale >= 1 else 512
        sides = [numpy.random.default_rng(k).random((m, m), dtype=numpy.float32) for k in (3, 4)]
        a, b = (ot.asarray(each, device=self.device) for each in sides)
        c, groups = ot.zeros((m, m), device=self.device), (m // TILE, m // TILE)
        self.add(f"tiled product {m}", lambda: product[groups, (TILE, TILE)](a, b, c), "product", sides)

    def atoms(self):
        given = liquid(30 if self.scale >= 1 else 10)
        *arrays, edge = (ot.asarray(each, device=self.device) if isinstance(each, numpy.ndarray) else each for each in given)
        n = given[2].size
        results = ot.zeros((n, 3), device=self.device), ot.zeros(n, device=self.device)
        run = lambda: forces[-(-n // 128), 128](*arrays, *results, edge)  # noqa: E731
        self.add(f"forces of {n:,} atoms", run, "forces", given)
        self.add(f"forces of {n:,} atoms, queued as steps are", run, "forces", given, timer=queued)

    def calls(self):
        small = numpy.random.default_rng(5).random(1000, dtype=numpy.float32)
        row = {"work": "first call of a new function"}
        for each in (Ours(self.device), *self.peers):
            self.measure(row, each.name, lambda: first_call(each, small))
        self.keep(row)
        x = ot.asarray(small, device=self.device).eval()
        self.add("1,000 elements, queued", lambda: branchy(x), "branchy", (small,), timer=queued)

    def run(self):
        self.elements()
        self.programs()
        self.atoms()
        self.calls()


def reason(error):
    return f"{type(error).__name__}: {error}"[:300]


def main():
    device, output = sys.argv[1], sys.argv[2]
    scale, seconds = (float(sys.argv[at]) if len(sys.argv) > at else 1.0 for at in (3, 4))
    Bench(device, output, scale, seconds).run()


if __name__ == "__main__":
    main()
