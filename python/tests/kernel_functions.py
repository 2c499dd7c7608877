# SPDX-License-Identifier: MIT
"""Functions of the kinds that vectorize takes, for the tests of what becomes of them."""

import math

import kernel_harness as harness
import numpy as np

import overtake as ot

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
