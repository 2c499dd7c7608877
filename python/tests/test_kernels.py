# SPDX-License-Identifier: MIT
"""Functions of vectorize: what the generated text computes, beside Python's own run with NumPy's numbers."""

import math
import pathlib
import re

import kernel_harness as harness
import numpy as np
import pytest

import overtake as ot

RNG = np.random.default_rng(5)
N = 400
F32 = (RNG.normal(size=N) * 3).astype("float32")
G32 = RNG.uniform(0.1, 4, N).astype("float32")
F64 = RNG.normal(size=N) * 3
G64 = RNG.uniform(0.1, 4, N)
I8, I16 = (RNG.integers(-(2 ** (b - 1)), 2 ** (b - 1), N).astype(f"int{b}") for b in (8, 16))
I32 = RNG.integers(-(2**31), 2**31, N).astype("int32")
I64 = RNG.integers(-(2**63), 2**63 - 1, N)
J32 = RNG.integers(-9, 10, N).astype("int32")
J64 = RNG.integers(-9, 10, N)
U8 = RNG.integers(0, 256, N).astype("uint8")
U16 = RNG.integers(0, 2**16, N).astype("uint16")
U32 = RNG.integers(0, 2**32, N).astype("uint32")
U64 = RNG.integers(0, 2**64, N, dtype="uint64")
B, C = RNG.integers(0, 2, N).astype(bool), RNG.integers(0, 2, N).astype(bool)
EDGES = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e30, -1e30, np.inf, -np.inf, np.nan, 3.0, -7.25], "float32"
)
E1, E2 = (each.ravel() for each in np.meshgrid(EDGES, EDGES))

SCALE, FLAG, SHIFT, NP32, NP8 = 2.5, True, 3, np.float32(0.1), np.int8(5)


@ot.vectorize
def price(s, k, t):
    """Several returns."""
    if s <= 0:
        return 0.0
    d = np.log(s / k) / np.sqrt(t)
    return s * d if d > 0 else k


@ot.vectorize
def mandelbrot(cx, cy, limit):
    x = y = cx * 0
    n = 0
    while x * x + y * y < 4 and n < limit:
        x, y = x * x - y * y + cx, 2 * x * y + cy
        n += 1
    return n


def weak(x):
    c = 0.1
    return c * x + 2 - x / 3


def literal_types(x):
    return x * 0.1 + 1e-3, x + 1, -x, +x


def sums(x, y):
    return x + y, x - y, x * y


def quotients(x, y):
    return x // y, x % y


def true_quotient(x, y):
    return x / y


def comparisons(x, y):
    return x < y, x <= y, x > y, x >= y, x == y, x != y


def chains(x, y):
    return -1 < x < y, x < y <= 3 != x, 0 <= x + 1 < y + 2 < 9


def logic(x, y):
    return x > 0 and y > 0, x > 0 or not y > 0, not x


def values_of_logic(x, y):
    return x and y, x or y, ((x + y) and (x - y)) or 7


def bools(b, c):
    return b & c, b | c, b ^ c, b == c, not b, b and c


def counted_bools(b, c):
    n = 0
    n += b
    n += c
    return n, b * 3 + 0


def bits(x, y):
    return x & y, x | y, x ^ y, ~x


def shifts(x):
    return x << 3, x >> 2, x << 0, x >> 70


def choice(x, y):
    return x if x > y else y, 1 if x > 0 else 0, (x if x > 0 else -x) + (2 if y > 1 else 3)


def nested_branches(x, y):
    if x > 0:
        if y > 0:
            r = 1
        elif y < -1:
            r = 2
        else:
            r = 3
    else:
        r = 4
        if y > 2:
            r += 10
    return r


def ranges(n):
    total = 0
    for i in range(n):
        total += i
    for i in range(2, n):
        total = total * 3 + i
    for i in range(20, n, -3):
        total -= i
    for i in range(-5, n, 4):
        total ^= i
    return total


def step_of_variable(n, step):
    total = 0
    if step == 0:
        return -1
    for i in range(0, n * 10, step):
        total += i * i
        if total > 100000:
            break
    return total


def breaks(n):
    total = 0
    for i in range(100):
        if i == n:
            break
        if i % 3 == 0:
            continue
        j = 0
        while True:
            j += 1
            if j > i:
                break
            if j == 7:
                continue
            total += j
    return total


def loop_variable_stays(n):
    total = 0
    for i in range(5):
        total += i
        i = 100  # noqa: PLW2901
        total += i
    return total + i + n


def ends_of_range(x):
    count = 0
    for _ in range(9223372036854775800, 9223372036854775807, 3):
        count += 1
    for _ in range(-9223372036854775800, -9223372036854775807, -2):
        count += 1
    return count + x


def swap(x, y):
    a, b = x, y
    a, b = b, a + b
    a, b = b, a
    return a - 2 * b


def augmented(x, y):
    a = x
    a += y
    a *= 2
    a -= x
    a //= 3
    a %= 7
    return a


def shared_target(x):
    a = b = x + 1
    a += 1
    return a * b


def powers(x):
    return x**0, x**1, x**2, x**3, x**4


def negative_powers(x):
    return x**-1, x**-2


def power_of_variables(x, y):
    return x**y


def whole_power(x):
    return x**2, x**3, x**7, x**15


def power_of_two(n):
    return 2 ** (n + 9)


def pythons(x, y):
    return abs(x), min(x, y), max(x, y), min(x, y, 1), max(0, x, y)


def rounds(x):
    return round(x), math.floor(x), math.ceil(x)


def truncated(x):
    return math.trunc(x), int(x)


def rounds_of_floats(x):
    return np.floor(x), np.ceil(x), np.trunc(x), np.rint(x)


def conversions(x):
    return np.float32(x), np.float64(x), bool(x)


def to_whole(x):
    return np.int32(x), np.int64(x), int(x)


def narrow(x):
    return np.int8(x), np.uint8(x), np.int16(x), np.uint16(x)


def roots(x):
    return np.sqrt(x), np.sqrt(abs(x)) / x, np.square(x), np.abs(x), np.sign(x)


def functions_of_one(x):
    return np.exp(x), np.log(abs(x)), np.sin(x), np.cos(x), np.tanh(x), np.arctan(x), np.expm1(x), np.log1p(abs(x))


def more_functions(x):
    y = x / 10
    return (
        np.arcsin(y),
        np.arccos(y),
        np.sinh(y),
        np.cosh(y),
        np.arcsinh(x),
        np.arctanh(y),
        np.log2(abs(x)),
        np.log10(abs(x)),
        np.tan(y),
    )


def functions_of_math(x):
    return (
        math.sqrt(abs(x)),
        math.exp(x),
        math.hypot(x, 2),
        math.erf(x),
        math.radians(x),
        math.atan2(x, 2),
        math.fmod(x, 2),
    )


def functions_of_two(x, y):
    return np.arctan2(x, y), np.hypot(x, y), np.copysign(x, y), np.logaddexp(x, y)


def extremes(x, y):
    return np.maximum(x, y), np.minimum(x, y)


def kinds_of_floats(x):
    return np.isnan(x), np.isinf(x), np.isfinite(x), np.signbit(x)


def where(x, y):
    return np.where(x > y, x, y * 2), np.clip(x, -1, 1), np.logical_and(x, y), np.logical_not(x)


def constants(x):
    return x * SCALE + SHIFT, x * np.pi + math.e, x * NP32, (x if FLAG else y_that_is_nowhere)  # noqa: F821


def typed_constant(x):
    return x + NP8, x * NP8


def helper(x, k):
    return x * k + 1


@ot.vectorize
def helper_of_two(x, y):
    return x + y, x - y


def calls(x, y):
    a, b = helper_of_two(x, y)
    return helper(a, 2) + helper(b, x), helper(x, y)


def defaults(x, k=2, c=0.5):
    return x * k + c


def calls_defaults(x):
    return defaults(x) + defaults(x, 3)


def reserved_names(int_, new):
    this = int_ + 1
    kernel = this * new
    LOCAL = kernel - 2
    I = LOCAL + 1  # noqa: E741
    i = I + kernel
    exp = i + 1
    float4 = exp
    ot_1 = float4
    _x = ot_1
    return _x + LOCAL


not_ascii = harness.define(
    "def not_ascii(x):\n    gr\u00f6\u00dfe = x + 1\n    return gr\u00f6\u00dfe * 2\n", "not_ascii"
)


def changed_parameter(x, n):
    x = x + 1
    n = n * 2
    while n > 5:
        n -= 3
        x = x * 0.5
    return x + n


def becomes_float(n):
    a = 0
    for i in range(3):
        a = a + i * 0.5
    return a + n


def accumulates(x):
    total = 0.0
    for k in range(1, 6):
        total += x / k
    return total


def annotated(x):
    y: float = x * 2
    return y


def dead_code(x):
    if x > 0:
        return x
    else:  # noqa: RET505
        return -x
    return 100


def loops_that_run(x):
    for i in range(3):
        last = x + i
    return last


def condition_of_number(x, y):
    r = 0
    if x:
        r += 1
    if y and x:
        r += 2
    while r < 5 and y:
        r += 4
    return r if x else -r


def literal_beside_narrow(x):
    return x + 100, x * 3, x < 300, x > -200


def whole_of_floats(x, y):
    return x // y, x % y


def overflow(x):
    a = x * x * x + 7
    for _ in range(5):
        a = a * a - 3
    return a, -x, abs(x)


def inner_call_in_condition(x):
    n = 0
    while helper(n, 2) < x and n < 10:
        n += 1
    return n


def unsigned(x, y):
    return x - y, x + y, x * y, x // y, x % y, x >> 1, x < y


def big_literals(x):
    return x + 9223372036854775807, x ^ -9223372036854775808


EXACT = [
    (mandelbrot, (np.linspace(-2, 1, N), np.linspace(-1, 1, N), 50)),
    (mandelbrot, (np.linspace(-2, 1, N, dtype="float32"), np.linspace(-1, 1, N, dtype="float32"), 50)),
    *((weak, (each,)) for each in (F32, F64)),
    *((literal_types, (each,)) for each in (F32, F64)),
    *((sums, pair) for pair in ((F32, G32), (F64, G64), (F32, G64), (I32, J32), (I64, J64), (I32, I32[::-1].copy()))),
    *(
        (sums, pair)
        for pair in ((I64, I64[::-1].copy()), (I8, I16), (U8, U16), (I8, U8), (U32, J32), (J32, F32), (J64, F64))
    ),
    *((quotients, pair) for pair in ((J32, J32[::-1].copy()), (J64, J64[::-1].copy()), (I32, J32), (I64, J64))),
    *(
        (quotients, pair)
        for pair in ((I8, I8[::-1].copy()), (U8, U8[::-1].copy()), (U64, U64 % np.uint64(5)), (I16, J32))
    ),
    *((true_quotient, pair) for pair in ((F32, G32), (F64, G64), (F32, F64), (E1, E2))),
    *((comparisons, pair) for pair in ((F32, G32), (J32, J64), (I8, U8), (B, C), (U32, J32), (E1, E2), (J64, F64))),
    *((chains, (x, y)) for x, y in ((J32, J64), (F32, G32))),
    *((logic, (x, y)) for x, y in ((J32, J64), (F32, G32), (B, C))),
    *((values_of_logic, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F32, G32))),
    (bools, (B, C)),
    (counted_bools, (B, C)),
    *((bits, pair) for pair in ((I32, J32), (I64, J64), (U8, U16), (I8, I8[::-1].copy()), (U64, U64[::-1].copy()))),
    *((shifts, (each,)) for each in (I32, I64, U32, U64)),
    *((choice, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F64, G64))),
    *((nested_branches, (x, y)) for x, y in ((J32, J64), (F32, G32))),
    (ranges, (J64,)),
    (step_of_variable, (J64, J64[::-1].copy())),
    (breaks, (J64 * 2,)),
    (loop_variable_stays, (J64,)),
    (ends_of_range, (J64,)),
    *((swap, (x, y)) for x, y in ((J64, J32), (F32, G32))),
    *((augmented, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F64, G64))),
    (shared_target, (J32,)),
    *((powers, (each,)) for each in (I32, I64, J32)),
    (whole_power, (I64,)),
    (power_of_two, (J64,)),
    *((pythons, (x, y)) for x, y in ((J64, J64[::-1].copy()), (F32, G32), (F64, G64))),
    *((rounds, (each,)) for each in (F32, F64, np.arange(-9, 9) / 2)),
    (truncated, (F64,)),
    *((rounds_of_floats, (each,)) for each in (F32, F64, EDGES)),
    *((conversions, (each,)) for each in (F32, F64, J32, I64, U64, B)),
    *((to_whole, (each,)) for each in (F32, F64, J32, U8, B)),
    *((narrow, (each,)) for each in (J32 + 9, I32, I64, U16)),
    *((roots, (each,)) for each in (F32, F64)),
    *((extremes, pair) for pair in ((F32, G32), (E1, E2), (J32, J64))),
    (kinds_of_floats, (EDGES,)),
    *((where, (x, y)) for x, y in ((F32, G32), (J64, J64[::-1].copy()))),
    (constants, (F32,)),
    (typed_constant, (I8,)),
    *((calls, (x, y)) for x, y in ((F32, G32), (J64, J64[::-1].copy()))),
    (calls_defaults, (F32,)),
    (reserved_names, (J64, J64[::-1].copy())),
    (not_ascii, (F32,)),
    *((changed_parameter, (x, y)) for x, y in ((F32, J32), (F64, J64), (F32, 9))),
    (becomes_float, (F32,)),
    *((accumulates, (each,)) for each in (F32, F64)),
    (annotated, (F32,)),
    (dead_code, (F32,)),
    (loops_that_run, (F32,)),
    *((condition_of_number, (x, y)) for x, y in ((J32, J64), (F32, G32), (B, C))),
    (literal_beside_narrow, (I8,)),
    *(
        (whole_of_floats, pair)
        for pair in ((F32, G32), (F64, -G64), (E1, E2), (E1.astype("float64"), E2.astype("float64")))
    ),
    *((overflow, (each,)) for each in (I32, I64, I8, I16)),
    (inner_call_in_condition, (J64,)),
    *((unsigned, (x, y)) for x, y in ((U8, U8[::-1].copy()), (U32, U32[::-1].copy()), (U64, U64[::-1].copy()))),
    (big_literals, (I64,)),
    (sums, (F32, 2)),
    (sums, (J32, 3)),
    (sums, (F64, 0.1)),
]
CLOSE = [
    *((price, (x, y, 0.5)) for x, y in ((F32, G32), (F64, G64), (F32, F64))),
    *((powers, (each,)) for each in (F32, F64)),
    *((negative_powers, (each,)) for each in (F32, F64)),
    *((power_of_variables, pair) for pair in ((G32, F32), (G64, F64), (G32, J32))),
    *((functions_of_one, (each,)) for each in (F32, F64)),
    *((more_functions, (each,)) for each in (F32 / 3, F64 / 3)),
    *((functions_of_math, (each,)) for each in (F32, F64)),
    *((functions_of_two, pair) for pair in ((F32, G32), (F64, G64), (E1, E2))),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    cases = EXACT + CLOSE
    texts = [harness.translated(function, arguments) for function, arguments in cases]
    return harness.build(texts, tmp_path_factory.mktemp("kernels")), texts


@pytest.mark.parametrize("at", range(len(EXACT) + len(CLOSE)), ids=lambda at: (EXACT + CLOSE)[at][0].__name__)
def test_values(at, compiled):
    function, arguments = (EXACT + CLOSE)[at]
    library, texts = compiled
    got = harness.run(library, at, texts[at], arguments)
    expected = harness.as_python(function, arguments)
    assert len(got) == len(expected)
    for mine, truth in zip(got, expected, strict=True):
        if at < len(EXACT):
            np.testing.assert_array_equal(mine, truth.astype(mine.dtype))
            if mine.dtype.kind == "f" and function is not extremes:  # of -0 and 0 NumPy gives either
                known = ~np.isnan(mine)
                np.testing.assert_array_equal(np.signbit(mine)[known], np.signbit(truth)[known])
        else:
            single = any(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in arguments)
            np.testing.assert_allclose(mine, truth, rtol=3e-7 if single else 1e-15, atol=1e-7 if single else 1e-16)


def test_types_join_as_those_of_arrays():
    from overtake.kernels import _types

    for a in (each for each in ot.arrays._dtypes.ALL if "16" not in each.name or "int" in each.name):
        for b in (each for each in ot.arrays._dtypes.ALL if "16" not in each.name or "int" in each.name):
            try:
                expected = ot.arrays._dtypes.promoted(a, b)
            except ot.UsageError:
                expected = None
            try:
                got = _types.promoted(a, b)
            except _types.NoCommonType:
                got = None
            assert got is expected, (a, b)


@pytest.mark.parametrize(
    ("function", "arguments", "types"),
    [
        (literal_types, (F32,), ["float32"] * 4),
        (literal_types, (F64,), ["float64"] * 4),
        (literal_types, (I8,), None),
        (weak, (F64,), ["float64"]),
        (true_quotient, (J32, J64), ["float32"]),
        (true_quotient, (J32, F64), ["float64"]),
        (sums, (J32, 2), ["int32"] * 3),
        (sums, (F32, 2.5), ["float32"] * 3),
        (sums, (J32, 2.5), ["float32"] * 3),
        (choice, (F32, G32), ["float32", "int64", "float32"]),
        (accumulates, (F32,), ["float32"]),
        (becomes_float, (F32,), ["float32"]),
        (bools, (B, C), ["bool"] * 6),
        (powers, (I8,), ["int8"] * 5),
        (rounds, (F32,), ["int64"] * 3),
        (mandelbrot, (F32, F32, 9), ["int64"]),
    ],
)
def test_types_of_results(function, arguments, types):
    text = harness.translated(function, arguments)
    if types is None:
        types = ["float32", "int8", "int8", "int8"]
    assert [str(each) for each in text.results] == types


def test_source():
    text = price.source(ot.float32, ot.float32, float)
    assert "DEVICE float32 user_price(float32 s, float32 k, float32 t) {" in text
    assert f'"{__file__}"' in text
    line = price.__wrapped__.__code__.co_firstlineno
    assert f"#line {line + 1} " in text
    assert f"#line {line + 5}\n  d = log(s / k) / sqrt(t);" in text
    assert "float64 t" in price.source("float64", np.float64, float)
    assert repr(price) == "<overtake.vectorize of price>"
    assert price.__doc__ == "Several returns."
    with pytest.raises(ot.UsageError, match="takes 3 arguments, not 1"):
        price.source(ot.float32)


def test_names_that_mean_something_in_c():
    text = harness.translated(reserved_names, (J64, J64)).source
    for name in ("this_", "kernel_", "LOCAL_", "I_", "i_", "exp_", "float4_", "ot_1_", "v_x", "new_"):
        assert f" {name} = " in text or f" {name})" in text or f" {name}," in text, name


def test_examples_of_the_page(tmp_path):
    """Those of docs/python-kernels.md are translated as they stand there."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python-kernels.md"
    blocks = [
        each
        for each in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        if "def " in each
    ]
    assert len(blocks) == 2
    text = "\n".join(blocks)
    names = {name: harness.define(text, name) for name in ("price", "mandelbrot", "histogram", "product")}
    texts = [harness.translated(names[each], (F32, F32, F32)) for each in ("price", "mandelbrot")]
    texts.append(harness.translated_groups(names["histogram"], (I32, I32)))
    texts.append(harness.translated_groups(names["product"], (F32.reshape(20, 20),) * 3))
    harness.build(texts, tmp_path)
