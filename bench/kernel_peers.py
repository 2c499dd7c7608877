# SPDX-License-Identifier: MIT
"""The peers of kernels.py: CuPy and Numba on a card, Numba with parallel=True on the cpu.

Each has a method for a piece of work, which makes arrays and kernels and gives what is timed; a peer without a method does
not do that work. Numba's kernels on a card may fuse a product and a sum, which it documents no option against.
"""
import importlib
import linecache
import math
import time

import numpy

TILE = 16
BRANCHY = "y = x > 0.5f ? sqrt(x) * exp(-x) : sin(x) + x * x"
ESCAPE = """
float x = 0, y = 0; n = 0;
while (x * x + y * y < 4 && n < limit) { float t = x * x - y * y + cx; y = 2 * x * y + cy; x = t; ++n; }"""
HISTOGRAM = """
extern "C" __global__ void histogram(const int* x, long long n, int* out) {
  __shared__ int bins[256];
  bins[threadIdx.x] = 0;
  __syncthreads();
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) atomicAdd(&bins[x[i]], 1);
  __syncthreads();
  atomicAdd(&out[threadIdx.x], bins[threadIdx.x]);
}"""
PRODUCT = """
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

FORCES = """
extern "C" __global__ void forces(const float* x, const int* neighbours, const int* counts, float* force, float* energy, int n, float edge) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float px = x[3 * i], py = x[3 * i + 1], pz = x[3 * i + 2], fa = 0, fb = 0, fc = 0, potential = 0;
  for (int k = 0; k < counts[i]; ++k) {
    int j = neighbours[k * n + i];
    float a = px - x[3 * j], b = py - x[3 * j + 1], c = pz - x[3 * j + 2];
    a -= edge * rintf(a / edge); b -= edge * rintf(b / edge); c -= edge * rintf(c / edge);
    float r2 = a * a + b * b + c * c;
    if (r2 < 6.25f) {
      float s6 = 1 / (r2 * r2 * r2), f = 24 * s6 * (2 * s6 - 1) / r2;
      fa += f * a; fb += f * b; fc += f * c;
      potential += 2 * (s6 * (s6 - 1) + 0.0040792f);
    }
  }
  force[3 * i] = fa; force[3 * i + 1] = fb; force[3 * i + 2] = fc; energy[i] = potential;
}"""


def liquid(side):
    """4 side^3 atoms near the places of a crystal, in its order, their edge, and who is nearer than 2.8: columns of 128 slots, counts."""
    from scipy.spatial import cKDTree

    n, edge = 4 * side**3, float(numpy.float32(side * (4 / 0.8442) ** (1 / 3)))
    corners = numpy.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
    places = (numpy.indices([side] * 3).reshape(3, -1, 1) + corners.T[:, None, :]).reshape(3, n).T * (edge / side)
    x = ((places + numpy.random.default_rng(6).normal(size=(n, 3)) * 0.08) % edge).astype(numpy.float32)
    pairs = cKDTree(x.astype(float) % edge, boxsize=edge).query_pairs(2.8, output_type="ndarray")
    first, second = numpy.concatenate([pairs, pairs[:, ::-1]]).T
    order = numpy.lexsort((second, first))
    first, second = first[order], second[order]
    counts = numpy.bincount(first, minlength=n).astype(numpy.int32)
    neighbours = numpy.zeros((128, n), numpy.int32)
    neighbours[numpy.arange(first.size) - numpy.repeat(numpy.cumsum(counts) - counts, counts), first] = second
    return x, neighbours, counts, edge


def function_of(text, name, space):
    """A function that was never seen before, with its source where those look that read it."""
    path = f"{__file__}.{time.time_ns()}.py"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    exec(compile(text, path, "exec"), space)
    return space[name]


def apart(a, b, edge):
    d = a - b
    return d - edge * numpy.float32(round(d / edge))


def numba_forces(grid, apart):
    f32, cut, shift = numpy.float32, numpy.float32(6.25), numpy.float32(0.0040792)

    def kernel(x, neighbours, counts, force, energy, edge):
        i = grid(1)
        if i >= counts.size:
            return
        fa = fb = fc = potential = f32(0)
        for k in range(counts[i]):
            j = neighbours[k, i]
            a, b, c = apart(x[i, 0], x[j, 0], edge), apart(x[i, 1], x[j, 1], edge), apart(x[i, 2], x[j, 2], edge)
            r2 = a * a + b * b + c * c
            if r2 < cut:
                s6 = f32(1) / (r2 * r2 * r2)
                f = f32(24) * s6 * (f32(2) * s6 - f32(1)) / r2
                fa, fb, fc = fa + f * a, fb + f * b, fc + f * c
                potential += f32(2) * (s6 * (s6 - f32(1)) + shift)
        force[i, 0], force[i, 1], force[i, 2], energy[i] = fa, fb, fc, potential

    return kernel


class Cupy:
    name = "cupy"

    def __init__(self):
        self.cupy = importlib.import_module("cupy")
        self.version = self.cupy.__version__
        self.wait = self.cupy.cuda.Device().synchronize

    def let_go(self):
        self.cupy.get_default_memory_pool().free_all_blocks()

    def branchy(self, host):
        x, kernel = self.cupy.asarray(host), self.cupy.ElementwiseKernel("float32 x", "float32 y", BRANCHY, "branchy")
        return lambda: kernel(x)

    def mandelbrot(self, cx, cy, limit):
        px, py = self.cupy.asarray(cx), self.cupy.asarray(cy).reshape(-1, 1)
        kernel = self.cupy.ElementwiseKernel("float32 cx, float32 cy, int32 limit", "int32 n", ESCAPE, "escape")
        return lambda: kernel(px, py, limit)

    def histogram(self, whole):
        kernel, x, out = self.cupy.RawKernel(HISTOGRAM, "histogram"), self.cupy.asarray(whole), self.cupy.zeros(256, "int32")
        return lambda: kernel((1056,), (256,), (x, numpy.int64(x.size), out))

    def product(self, a, b):
        kernel, m = self.cupy.RawKernel(PRODUCT, "product", options=("--fmad=false",)), a.shape[0]
        pa, pb, pc = self.cupy.asarray(a), self.cupy.asarray(b), self.cupy.empty_like(a)
        return lambda: kernel((m // TILE, m // TILE), (TILE, TILE), (pa, pb, pc, numpy.int32(m)))

    def forces(self, x, neighbours, counts, edge):
        kernel, n = self.cupy.RawKernel(FORCES, "forces", options=("--fmad=false",)), counts.size
        given = [self.cupy.asarray(each) for each in (x, neighbours, counts)]
        results = self.cupy.empty((n, 3), "float32"), self.cupy.empty(n, "float32")
        return lambda: kernel(((n + 127) // 128,), (128,), (*given, *results, numpy.int32(n), numpy.float32(edge)))

    def fresh(self, host, first, second):
        x = self.cupy.asarray(host)
        body = f"y = x > 0.5f ? x * {first} + {second} : exp(x)"
        return lambda: self.cupy.ElementwiseKernel("float32 x", "float32 y", body, "fresh")(x)


class NumbaCuda:
    name = "numba_cuda"

    def __init__(self):
        if not hasattr(numpy, "row_stack"):
            numpy.row_stack = numpy.vstack  # Numba 0.68 asks for the old name, which NumPy 2.5 has no more
        self.numba, self.cuda = importlib.import_module("numba"), importlib.import_module("numba.cuda")
        self.version = self.numba.__version__
        self.numba.config.CUDA_LOW_OCCUPANCY_WARNINGS = 0
        self.cuda.synchronize()  # fails here where there is no card for it

    def wait(self):
        self.cuda.synchronize()

    def let_go(self):
        self.cuda.current_context().deallocations.clear()

    def branchy(self, host):
        cuda = self.cuda

        @cuda.jit
        def kernel(x, out):
            i = cuda.grid(1)
            if i < x.size:
                v = x[i]
                if v > numpy.float32(0.5):
                    out[i] = math.sqrt(v) * math.exp(-v)
                else:
                    out[i] = math.sin(v) + v * v

        x, out = cuda.to_device(host), cuda.device_array(host.shape, host.dtype)
        launched = kernel[(host.size + 255) // 256, 256]
        return lambda: launched(x, out)

    def mandelbrot(self, cx, cy, limit):
        cuda = self.cuda

        @cuda.jit
        def kernel(cx, cy, limit, out):
            i, j = cuda.grid(2)
            if i < cx.size and j < cy.size:
                x = y = numpy.float32(0)
                n = 0
                while x * x + y * y < numpy.float32(4) and n < limit:
                    x, y = x * x - y * y + cx[i], numpy.float32(2) * x * y + cy[j]
                    n += 1
                out[j, i] = n

        px, py, out = cuda.to_device(cx), cuda.to_device(cy), cuda.device_array((cy.size, cx.size), numpy.int32)
        launched = kernel[((cx.size + 31) // 32, (cy.size + 7) // 8), (32, 8)]
        return lambda: launched(px, py, limit, out)

    def histogram(self, whole):
        cuda, int32 = self.cuda, self.numba.int32

        @cuda.jit
        def kernel(x, out):
            bins = cuda.shared.array(256, int32)
            t = cuda.threadIdx.x
            bins[t] = 0
            cuda.syncthreads()
            for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
                cuda.atomic.add(bins, x[i], 1)
            cuda.syncthreads()
            cuda.atomic.add(out, t, bins[t])

        x, out = cuda.to_device(whole), cuda.to_device(numpy.zeros(256, numpy.int32))
        launched = kernel[1056, 256]
        return lambda: launched(x, out)

    def product(self, a, b):
        cuda, float32 = self.cuda, self.numba.float32

        @cuda.jit
        def kernel(a, b, c):
            left = cuda.shared.array((TILE, TILE), float32)
            right = cuda.shared.array((TILE, TILE), float32)
            column, row = cuda.grid(2)
            x, y = cuda.threadIdx.x, cuda.threadIdx.y
            total = float32(0)
            for at in range(0, a.shape[1], TILE):
                left[y, x] = a[row, at + x]
                right[y, x] = b[at + y, column]
                cuda.syncthreads()
                for k in range(TILE):
                    total += left[y, k] * right[k, x]
                cuda.syncthreads()
            c[row, column] = total

        pa, pb, pc = cuda.to_device(a), cuda.to_device(b), cuda.device_array(a.shape, a.dtype)
        launched = kernel[(a.shape[0] // TILE, a.shape[0] // TILE), (TILE, TILE)]
        return lambda: launched(pa, pb, pc)

    def forces(self, x, neighbours, counts, edge):
        cuda, f32 = self.cuda, numpy.float32
        kernel = cuda.jit(numba_forces(cuda.grid, cuda.jit(device=True)(apart)))
        given = [cuda.to_device(each) for each in (x, neighbours, counts)]
        results = cuda.device_array(x.shape, f32), cuda.device_array(counts.shape, f32)
        launched = kernel[(counts.size + 127) // 128, 128]
        return lambda: launched(*given, *results, f32(edge))

    def fresh(self, host, first, second):
        text = f"""@cuda.jit
def fresh(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = x[i] * float32({first}) + float32({second}) if x[i] > float32(0.5) else math.exp(x[i])
"""
        x, out = self.cuda.to_device(host), self.cuda.device_array(host.shape, host.dtype)
        kernel = function_of(text, "fresh", {"cuda": self.cuda, "math": math, "float32": numpy.float32})
        return lambda: kernel[(host.size + 255) // 256, 256](x, out)


class NumbaCpu:
    name = "numba"

    def __init__(self):
        self.numba = importlib.import_module("numba")
        self.version = self.numba.__version__

    def wait(self):
        """Its calls are over when they return."""

    let_go = wait

    def branchy(self, host):
        prange = self.numba.prange

        @self.numba.njit(parallel=True)
        def kernel(x, out):
            for i in prange(x.size):
                v = x[i]
                if v > numpy.float32(0.5):
                    out[i] = math.sqrt(v) * math.exp(-v)
                else:
                    out[i] = math.sin(v) + v * v

        out = numpy.empty_like(host)
        return lambda: kernel(host, out)

    def mandelbrot(self, cx, cy, limit):
        prange = self.numba.prange

        @self.numba.njit(parallel=True)
        def kernel(cx, cy, limit, out):
            for j in prange(cy.size):
                for i in range(cx.size):
                    x = y = numpy.float32(0)
                    n = 0
                    while x * x + y * y < numpy.float32(4) and n < limit:
                        x, y = x * x - y * y + cx[i], numpy.float32(2) * x * y + cy[j]
                        n += 1
                    out[j, i] = n

        out = numpy.empty((cy.size, cx.size), numpy.int32)
        return lambda: kernel(cx, cy, limit, out)

    def black_scholes(self, s, k, t):
        prange = self.numba.prange

        @self.numba.njit(parallel=True)
        def kernel(s, k, t, out):
            for i in prange(s.size):
                root = math.sqrt(t[i])
                d = (math.log(s[i] / k[i]) + numpy.float32(0.065) * t[i]) / (numpy.float32(0.3) * root)
                e = d - numpy.float32(0.3) * root
                part, half = numpy.float32(0.70710678), numpy.float32(0.5)
                put = k[i] * math.exp(numpy.float32(-0.02) * t[i]) * half * (numpy.float32(1) + math.erf(e * part))
                out[i] = s[i] * half * (numpy.float32(1) + math.erf(d * part)) - put

        out = numpy.empty_like(s)
        return lambda: kernel(s, k, t, out)

    def fresh(self, host, first, second):
        text = f"""@njit(parallel=True)
def fresh(x, out):
    for i in prange(x.size):
        out[i] = x[i] * float32({first}) + float32({second}) if x[i] > float32(0.5) else math.exp(x[i])
"""
        space = {"njit": self.numba.njit, "prange": self.numba.prange, "math": math, "float32": numpy.float32}
        kernel, out = function_of(text, "fresh", space), numpy.empty_like(host)
        return lambda: kernel(host, out)
