# SPDX-License-Identifier: MIT
"""Kernels without the library: the generated text, compiled by gcc and run here, beside Python's own run of the function."""

import ctypes
import linecache
import re
import subprocess
import types

import numpy as np

import overtake as ot
from overtake.kernels._functions import _last_of
from overtake.kernels._program import Program
from overtake.kernels._source import source_of
from overtake.kernels._types import WEAK_FLOAT, WEAK_INT, ArrayType

_ONE = """exp expm1 log log1p log2 log10 sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf fabs floor ceil trunc
rint"""
_TWO = "pow fmod fmin fmax atan2 hypot copysign nextafter"
PRELUDE = """
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
typedef int8_t int8; typedef int16_t int16; typedef int32_t int32; typedef int64_t int64;
typedef uint8_t uint8; typedef uint16_t uint16; typedef uint32_t uint32; typedef uint64_t uint64;
typedef float float32; typedef double float64;
#define DEVICE static inline
#define UNROLL
#define DIVIDE(a, b) ((a) / (b))
#define MULHI32(a, b) ((unsigned)(((uint64)(a) * (uint64)(b)) >> 32))
#define GLOBAL
#define LOCAL static
#define LOCAL_ARG
#define PLACE int32
static inline float as_float(uint32 bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline double bits_double(uint64 bits) { double x; memcpy(&x, &bits, 8); return x; }
#define BITS_DOUBLE(x) bits_double(x)
static __thread int local_ids[3], group_ids[3];
static int local_sizes[3], group_counts[3];
static pthread_barrier_t group_barrier;
#define LOCAL_ID(a) local_ids[a]
#define GROUP_ID(a) group_ids[a]
#define LOCAL_SIZE(a) local_sizes[a]
#define NUM_GROUPS(a) group_counts[a]
#define GLOBAL_ID(a) (GROUP_ID(a) * LOCAL_SIZE(a) + LOCAL_ID(a))
#define GLOBAL_SIZE(a) (NUM_GROUPS(a) * LOCAL_SIZE(a))
#define WORK_ITEMS
#define PRIVATE(type, name) type name
#define MINE(name) name
#define SYNC pthread_barrier_wait(&group_barrier)
#define ATOMIC_ADD(p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#define ORDERED(name, type, then) static type name(type* p, type v) { \\
  pthread_mutex_lock(&lock); type old = *p; then; pthread_mutex_unlock(&lock); return old; }
ORDERED(ATOMIC_ADD_FLOAT, float, *p = old + v)
ORDERED(ATOMIC_MIN, int, *p = v < old ? v : old)
ORDERED(ATOMIC_MAX, int, *p = v > old ? v : old)
struct work { void (*item)(void**); void** given; int group[3], local[3]; };
static void* one(void* given) {
  struct work* work = given;
  memcpy(group_ids, work->group, sizeof group_ids);
  memcpy(local_ids, work->local, sizeof local_ids);
  work->item(work->given);
  return 0;
}
static void launch(void (*item)(void**), void** given, const int* groups, const int* size) {
  memcpy(local_sizes, size, sizeof local_sizes);
  memcpy(group_counts, groups, sizeof group_counts);
  int count = size[0] * size[1] * size[2];
  for (int g = 0; g < groups[0] * groups[1] * groups[2]; ++g) {
    pthread_t threads[count];
    struct work works[count];
    pthread_barrier_init(&group_barrier, 0, count);
    for (int t = 0; t < count; ++t) {
      works[t] = (struct work){item, given, {g % groups[0], g / groups[0] % groups[1], g / groups[0] / groups[1]},
                               {t % size[0], t / size[0] % size[1], t / size[0] / size[1]}};
      pthread_create(&threads[t], 0, one, &works[t]);
    }
    for (int t = 0; t < count; ++t) pthread_join(threads[t], 0);
    pthread_barrier_destroy(&group_barrier);
  }
}
"""
PRELUDE += "".join(f"#define {n}(x) _Generic((x), float: {n}f, default: {n})(x)\n" for n in _ONE.split())
PRELUDE += "".join(f"#define {n}(x, y) _Generic((x) + (y), float: {n}f, default: {n})(x, y)\n" for n in _TWO.split())
FLAGS = [
    "-std=gnu11",
    "-O2",
    "-ffp-contract=off",
    "-shared",
    "-fPIC",
    "-Wno-unused",
    "-Wall",
    "-Werror",
    "-Wno-unknown-pragmas",
]
# What the generated text may do that -Wall does not like: parentheses around comparisons, comparisons of unsigned with 0.
FLAGS += [
    "-Wno-parentheses",
    "-Wno-bool-compare",
    "-Wno-maybe-uninitialized",
    "-Wno-tautological-compare",
    "-Wno-bool-operation",
]


def kind_of(value):
    """The type of an argument as the package sees it."""
    if isinstance(value, np.ndarray):
        return ot.arrays._dtypes.as_dtype(value.dtype)
    return {bool: ot.bool, int: WEAK_INT, float: WEAK_FLOAT}[type(value)]


def define(text, name, globals_=None):
    """A function whose source can be found, as one of a file."""
    file = f"<kernel {len(linecache.cache)} {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    names = {"ot": ot, "np": np, "__name__": "kernels_of_test", **(globals_ or {})}
    exec(compile(text, file, "exec"), names)
    return names[name]


def build(texts, folder):
    """Compiles texts of kernels as one library; run(k, ...) runs the k-th."""
    from pathlib import Path

    parts = [PRELUDE]
    for k, text in enumerate(texts):
        own = _elementwise(text) if text.outputs else _raw(text)
        renamed = re.sub(r"\b(ot|user)_", rf"\g<1>{k}_", text.preamble + own)
        parts.append(renamed.replace("void run(", f"void run{k}("))
    source = Path(folder) / "kernels.c"
    source.write_text("\n".join(parts))
    library = Path(folder) / "kernels.so"
    made = subprocess.run(
        ["gcc", "-x", "c", *FLAGS, str(source), "-o", str(library), "-lm"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr[:3000]
    return ctypes.CDLL(str(library))


def _split(parameters):
    return [each.rsplit(" ", 1) for each in parameters.split(", ")] if parameters else []


def _elementwise(text):
    ins = "".join(f"    {t} {n} = (({t}*)in[{k}])[i];\n" for k, (t, n) in enumerate(_split(text.parameters)))
    outs = _split(text.outputs)
    declared = "".join(f"    {t} {n};\n" for t, n in outs)
    stored = "".join(f"    (({t}*)out[{k}])[i] = {n};\n" for k, (t, n) in enumerate(outs))
    inner = f"{ins}{declared}{text.body}\n{stored}"
    return f"void run(int64 n, void** in, void** out) {{\n  for (int64 i = 0; i < n; ++i) {{\n{inner}  }}\n}}\n"


def _raw(text):
    parameters = _split(text.parameters.replace("bool*", "uint8*"))  # a byte each, as in the library
    given = ", ".join(
        f"({t})given[{k}]" if t.endswith("*") else f"*({t}*)given[{k}]" for k, (t, _) in enumerate(parameters)
    )
    return (
        f"static void kernel_ot_({', '.join(' '.join(each) for each in parameters)}) {{\n{text.body}}}\n"
        f"static void item_ot_(void** given) {{ kernel_ot_({given}); }}\n"
        "void run(void** given, const int* groups, const int* size) { launch(item_ot_, given, groups, size); }\n"
    ).replace("_ot_", "_" + str(abs(hash(text.body))))


def translated(function, arguments):
    """The text of a function of vectorize for arguments."""
    target = getattr(function, "_kernel_function", function)
    return Program(False).elementwise(source_of(target), [kind_of(each) for each in arguments])


def run(library, k, text, arguments):
    """Runs an elementwise kernel on arrays and numbers; a list of arrays."""
    kinds = [t for t, _ in _split(text.parameters)]
    arrays = [np.asarray(each, dtype=kind) for each, kind in zip(arguments, kinds, strict=True)]
    arrays = [np.ascontiguousarray(each) for each in np.broadcast_arrays(*arrays)] if arrays else []
    shape = arrays[0].shape if arrays else ()
    outs = [np.empty(shape, t) for t, _ in _split(text.outputs)]
    pointers = [(ctypes.c_void_p * max(1, len(each)))(*(a.ctypes.data for a in each)) for each in (arrays, outs)]
    size = arrays[0].size if arrays else 1
    getattr(library, f"run{k}")(ctypes.c_int64(size), *pointers)
    return outs


def translated_groups(function, arguments):
    """The text of a function of jit."""
    kinds = [
        ArrayType(kind_of(each), each.ndim, last=_last_of(each.shape) or None)
        if isinstance(each, np.ndarray)
        else kind_of(each)
        for each in arguments
    ]
    return Program(True, short=True).groups(source_of(getattr(function, "_kernel_function", function)), kinds)


def launch(library, k, text, groups, size, arguments):
    """Runs a kernel in groups; arrays change in place."""
    kinds = [t for t, _ in _split(text.parameters)]
    passed = []
    for (place, axis), kind in zip(text.arguments, kinds, strict=True):
        each = arguments[place]
        passed.append(
            np.array(each.shape[axis], kind)
            if axis is not None
            else each
            if kind.endswith("*")
            else np.array(each, kind)
        )
    pointers = (ctypes.c_void_p * len(passed))(*(each.ctypes.data for each in passed))
    three = [
        (ctypes.c_int * 3)(
            *(each if isinstance(each, tuple) else (each,)), *[1] * (3 - (len(each) if isinstance(each, tuple) else 1))
        )
        for each in (groups, size)
    ]
    getattr(library, f"run{k}")(pointers, *three)


def as_python(function, arguments, **names):
    """Python's own run of a function on each element, as NumPy's numbers."""
    target = getattr(function, "_kernel_function", function)
    plain = {name: getattr(each, "_kernel_function", each) for name, each in target.__globals__.items()}
    own = types.FunctionType(
        target.__code__, {**plain, **names}, target.__name__, target.__defaults__, target.__closure__
    )
    arrays = [each for each in arguments if isinstance(each, np.ndarray)]
    broadcast = iter(np.broadcast_arrays(*arrays)) if arrays else iter(())
    columns = [next(broadcast).ravel() if isinstance(each, np.ndarray) else each for each in arguments]
    size = np.broadcast_shapes(*(each.shape for each in arrays)) if arrays else ()
    rows = []
    with np.errstate(all="ignore"):
        for at in range(int(np.prod(size))):
            result = own(*(each[at] if isinstance(each, np.ndarray) else each for each in columns))
            rows.append(result if isinstance(result, tuple) else (result,))
    return [np.array(column).reshape(size) for column in zip(*rows, strict=True)]
