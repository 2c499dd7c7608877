#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernels of one's own beside their peers in one run: CuPy and Numba on the same card, Numba with parallel=True on the cpu.

Usage: bench/kernels.py DEVICE OUTPUT.json [SCALE]
    DEVICE   cuda:0 or cpu; peers that cannot be imported are left out
    SCALE    1: sizes for a GPU; 0.05 for small machines

The best of several timings counts, each of one call that is waited for.
"""
import importlib
import json
import linecache
import math
import sys
import time

import numpy

import overtake as ot


def imported(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


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


TILE = 16


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


CUPY_HISTOGRAM = """
extern "C" __global__ void histogram(const int* x, long long n, int* out) {
  __shared__ int bins[256];
  bins[threadIdx.x] = 0;
  __syncthreads();
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) atomicAdd(&bins[x[i]], 1);
  __syncthreads();
  atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}"""
CUPY_PRODUCT = """
extern "C" __global__ void product(const float* a, const float* b, float* c, int n) {
  __shared__ float left[16][16], right[16][16];
  int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
  float total = 0;
  for (int at = 0; at < n; at += 16) {
    left[threadIdx.y][threadIdx.x] = a[row * n + at + threadIdx.x];
    right[threadIdx.y][threadIdx.x] = b[(at + threadIdx.y) * n + column];
    __syncthreads();
    for (int k = 0; k < 16; ++k) total += left[threadIdx.y][k] * right[k][threadIdx.x];
    __syncthreads();
  }
  c[row * n + column] = total;
}"""
CUPY_ESCAPE = """
float x = 0, y = 0; n = 0;
while (x * x + y * y < 4 && n < limit) { float t = x * x - y * y + cx; y = 2 * x * y + cy; x = t; ++n; }"""


class Bench:
    def __init__(self, device, scale):
        self.device, self.scale, self.rows = device, scale, []
        self.cupy = imported("cupy") if device != "cpu" else None
        self.numba = imported("numba")

    def best(self, run, wait, seconds=1.0):
        run()
        wait()
        best, began, times = math.inf, time.perf_counter(), 0
        while times < 3 or time.perf_counter() - began < seconds:
            start = time.perf_counter()
            run()
            wait()
            best, times = min(best, time.perf_counter() - start), times + 1
        return best

    def add(self, work, ours, peers, moved=None):
        row = {"work": work, "ours_s": self.best(ours, lambda: ot.synchronize(self.device))}
        if moved:
            row["ours_gbs"] = moved / row["ours_s"] / 1e9
        for name, run in peers.items():
            if run:
                wait = self.cupy.cuda.Device().synchronize if self.cupy else (lambda: None)
                row[name + "_s"] = self.best(run, wait)
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def first_calls(self):
        """The first call of a new function, and of one whose code is on disk already."""
        text = "@ot.vectorize\ndef fresh(x):\n    return x * {} + {} if x > 0.5 else ot.exp(x)\n"
        path = __file__ + ".fresh.py"
        x = ot.random.uniform((1000,), device=self.device).eval()
        seconds = []
        for k in range(4):
            code = text.format(time.time_ns() % 1000003, k)
            linecache.cache[path + str(k)] = (len(code), None, code.splitlines(True), path + str(k))
            space = {"ot": ot}
            exec(compile(code, path + str(k), "exec"), space)
            start = time.perf_counter()
            space["fresh"](x).eval()
            ot.synchronize(self.device)
            seconds.append(time.perf_counter() - start)
        self.rows.append({"work": "first call of a new vectorize function", "ours_s": min(seconds[1:])})
        print(json.dumps(self.rows[-1]), flush=True)

    def small_calls(self):
        x = ot.random.uniform((1000,), device=self.device).eval()
        peer = None
        if self.cupy:
            kernel = self.cupy.ElementwiseKernel("float32 x", "float32 y", "y = x > 0.5f ? sqrt(x) * exp(-x) : sin(x) + x * x", "branchy")
            z = self.cupy.random.random(1000, dtype="float32")
            peer = lambda: kernel(z)
        for name, run in (("ours", lambda: branchy(x)), ("cupy", peer)):
            if not run:
                continue
            for _ in range(100):
                run()
            ot.synchronize(self.device)
            start = time.perf_counter()
            for _ in range(5000):
                run()
            ot.synchronize(self.device)
            if self.cupy:
                self.cupy.cuda.Device().synchronize()
            row = {"work": "1,000 elements, queued", name + "_s": (time.perf_counter() - start) / 5000}
            self.rows.append(row)
            print(json.dumps(row), flush=True)

    def numba_functions(self):
        """Numba's own, for the cpu."""
        if self.numba is None or self.device != "cpu":
            return None, None, None
        njit, prange = self.numba.njit, self.numba.prange

        @njit(parallel=True, fastmath=False)
        def nb_branchy(x, out):
            for i in prange(x.size):
                v = x[i]
                if v > numpy.float32(0.5):
                    out[i] = math.sqrt(v) * math.exp(-v)
                else:
                    out[i] = math.sin(v) + v * v

        @njit(parallel=True)
        def nb_mandelbrot(cx, cy, limit, out):
            for j in prange(cy.size):
                for i in range(cx.size):
                    x = y = numpy.float32(0)
                    n = 0
                    while x * x + y * y < numpy.float32(4) and n < limit:
                        x, y = x * x - y * y + cx[i], numpy.float32(2) * x * y + cy[j]
                        n += 1
                    out[j, i] = n

        @njit(parallel=True)
        def nb_black_scholes(s, k, t, out):
            for i in prange(s.size):
                root = math.sqrt(t[i])
                d = (math.log(s[i] / k[i]) + numpy.float32(0.065) * t[i]) / (numpy.float32(0.3) * root)
                e = d - numpy.float32(0.3) * root
                half = numpy.float32(0.70710678)
                out[i] = s[i] * numpy.float32(0.5) * (1 + math.erf(d * half)) - k[i] * math.exp(numpy.float32(-0.02) * t[i]) * numpy.float32(0.5) * (1 + math.erf(e * half))

        return nb_branchy, nb_mandelbrot, nb_black_scholes

    def run(self):
        n = int(2**30 * self.scale)
        host = numpy.random.default_rng(1).random(n, dtype=numpy.float32)
        nb_branchy, nb_mandelbrot, nb_black_scholes = self.numba_functions()
        x, out = ot.asarray(host, device=self.device), numpy.empty_like(host)
        body = "y = x > 0.5f ? sqrt(x) * exp(-x) : sin(x) + x * x"
        peers = {"numba": (lambda: nb_branchy(host, out)) if nb_branchy else None}
        if self.cupy:
            y, kernel = self.cupy.asarray(host), self.cupy.ElementwiseKernel("float32 x", "float32 y", body, "branchy")
            peers["cupy"] = lambda: kernel(y)
        self.add("copy", lambda: (x + 0.0).eval(), {}, 8 * n)
        self.add("branchy element-wise", lambda: branchy(x), peers, 8 * n)
        if self.cupy:
            del y
        side = 8192 if self.scale >= 1 else 1024
        cx, cy = ot.linspace(-2, 1, side, device=self.device).eval(), ot.linspace(-1, 1, side, device=self.device).reshape((side, 1)).eval()
        peers = {}
        if nb_mandelbrot:
            hx, hy, counts = numpy.asarray(cx), numpy.asarray(cy).ravel(), numpy.empty((side, side), numpy.int32)
            peers["numba"] = lambda: nb_mandelbrot(hx, hy, 256, counts)
        if self.cupy:
            px, py = self.cupy.linspace(-2, 1, side, dtype="float32"), self.cupy.linspace(-1, 1, side, dtype="float32").reshape(side, 1)
            escape = self.cupy.ElementwiseKernel("float32 cx, float32 cy, int32 limit", "int32 n", CUPY_ESCAPE, "escape")
            peers["cupy"] = lambda: escape(px, py, 256)
        self.add(f"Mandelbrot {side}^2, 256 iterations", lambda: mandelbrot(cx, cy, 256), peers)
        part = host[: n // 4]
        s = ot.asarray(part * 100 + 50, device=self.device)
        k, t = ot.asarray(part * 50 + 80, device=self.device), ot.asarray(part + 0.1, device=self.device)
        peers = {}
        if nb_black_scholes:
            hs, hk, ht, prices = part * 100 + 50, part * 50 + 80, part + 0.1, numpy.empty_like(part)
            peers["numba"] = lambda: nb_black_scholes(hs, hk, ht, prices)
        self.add("Black-Scholes", lambda: black_scholes(s, k, t), peers, 16 * part.size)
        whole = numpy.random.default_rng(2).integers(0, 256, n // 4, dtype=numpy.int32)
        u, counts = ot.asarray(whole, device=self.device), ot.zeros((256,), dtype=ot.int32, device=self.device)
        peers = {}
        if self.cupy:
            raw, v, w = self.cupy.RawKernel(CUPY_HISTOGRAM, "histogram"), self.cupy.asarray(whole), self.cupy.zeros(256, "int32")
            peers["cupy"] = lambda: raw((1056,), (256,), (v, numpy.int64(v.size), w))
        self.add("histogram of 256 bins", lambda: histogram[1056, 256](u, counts), peers, 4 * u.size)
        m = 4096 if self.scale >= 1 else 512
        a, b = ot.random.uniform((m, m), device=self.device).eval(), ot.random.uniform((m, m), device=self.device).eval()
        c = ot.zeros((m, m), device=self.device)
        peers = {}
        if self.cupy:
            tiled = self.cupy.RawKernel(CUPY_PRODUCT, "product", options=("--fmad=false",))
            pa, pb, pc = self.cupy.asarray(numpy.asarray(a)), self.cupy.asarray(numpy.asarray(b)), self.cupy.empty((m, m), "float32")
            peers["cupy"] = lambda: tiled((m // 16, m // 16), (16, 16), (pa, pb, pc, numpy.int32(m)))
        self.add(f"tiled product {m}", lambda: product[(m // TILE, m // TILE), (TILE, TILE)](a, b, c), peers)
        self.first_calls()
        self.small_calls()
        return {"device": self.device, "scale": self.scale, "peers": [p.__name__ + " " + p.__version__ for p in (self.cupy, self.numba) if p], "rows": self.rows}


def main():
    device, output = sys.argv[1], sys.argv[2]
    result = Bench(device, float(sys.argv[3]) if len(sys.argv) > 3 else 1.0).run()
    result["name"] = next((each["name"] for each in ot.devices() if each["id"] == device), device)
    with open(output, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
