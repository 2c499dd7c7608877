# SPDX-License-Identifier: MIT
"""Variables that change their type, calls by keyword, constants of classes, methods, and what debug cannot look at."""

import enum
import functools

import kernel_harness as harness
import numpy as np
import pytest
from networks import DEVICES

import overtake as ot
from overtake.kernels import KernelError, KernelSyntaxError

LARGE = 2**24 + 1  # no float32


class Sizes:
    width = 3

    @staticmethod
    def twice(x):
        return 2 * x


class Colour(enum.IntEnum):
    RED = 2


class Kind(enum.Enum):
    LAST = 0.5


# -- one name, several variables -----------------------------------------------------------------------------------------
def apart(x, n):
    m = n - 16777216
    n = n * 0.5
    return m + 0 * n + 0 * x


def counted(x, n):
    total = 0
    for i in range(n):
        total += i
    mean = total
    total /= 2
    if total > 3:
        total = 16777219
        mean += total
        total *= 0.0
    return mean + 0 * x, total


def swapped(x, n):
    a, b = n, 1
    while b < 4:
        a, b = b, a + b
        k = b
        k = k * 0.5
        b = b + 1
        if k > 7:
            break
    a = a / 2
    for i in range(n):
        i = i * 0.25  # noqa: PLW2901
        a += i
    return a, b + 0 * x


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("function", [apart, counted, swapped])
@pytest.mark.parametrize("n", [0, 1, 5, LARGE])
def test_variables_of_one_name(device, function, n):
    n = n % 100 if function is not apart else n
    results = ot.vectorize(function)(ot.zeros(2, dtype=ot.int64, device=device), n)
    results = results if isinstance(results, tuple) else (results,)
    truth = function(0, n)
    for result, true in zip(results, truth if isinstance(truth, tuple) else (truth,), strict=True):
        np.testing.assert_array_equal(np.asarray(result), [true, true])


def test_whole_numbers_that_floats_do_not_hold():
    @ot.vectorize
    def halved(x, n):
        while n > 1:
            n = n * 0.5
        return n + 0 * x

    @ot.vectorize
    def literal(x):
        n = 16777217
        if x > 0:
            n = x
        return n

    on = ot.ones(2)
    assert float(halved(on, 10)[0]) == 0.625
    assert float(halved(on, ot.asarray([5], dtype=ot.int16))[0]) == 0.625
    with pytest.raises(OverflowError, match=rf"\[halved\] n becomes float32, which cannot hold {LARGE}"):
        halved(on, LARGE)
    with pytest.raises(KernelError, match="n is int32 here and float32 elsewhere") as caught:
        halved(on, ot.asarray([5], dtype=ot.int32))
    assert "overtake.float32(...)" in caught.value.hint
    with pytest.raises(KernelError, match="n is 16777217 here and float32 elsewhere"):
        literal(on)
    assert float(literal(ot.asarray([-1.0], dtype=ot.float64))[0]) == LARGE


def test_a_name_that_is_read_before_it_has_a_value():
    @ot.vectorize
    def early(x):
        if x > 0:
            m = 3
            m = m * 0.5
        else:
            y = m  # noqa: F841
            m = 1
        return x

    with pytest.raises(KernelError, match="m is not assigned on every way"):
        early(ot.ones(2))


# -- calls -------------------------------------------------------------------------------------------------------------
def mixed(a, b=1, c=10):
    return a - b + c


@ot.vectorize
def plus(x, n=2):
    return x + n


@pytest.mark.parametrize("device", DEVICES)
def test_arguments_by_name(device):
    @ot.vectorize
    def inside(x, y):
        return mixed(c=x, a=y)

    @ot.jit
    def fill(out, value, times=2):
        out[ot.global_id()] = value * times

    on = ot.ones(3, device=device)
    for result in (plus(x=on, n=5), plus(on, n=5), plus(n=5, x=on)):
        np.testing.assert_array_equal(np.asarray(result), [6, 6, 6])
    np.testing.assert_array_equal(np.asarray(plus(x=on)), [3, 3, 3])
    np.testing.assert_array_equal(np.asarray(inside(on, 4.0)), [4, 4, 4])
    fill[1, 3](value=np.float32(1.5), out=on)
    np.testing.assert_array_equal(np.asarray(on), [3, 3, 3])
    fill[np.int64(1), np.int32(3)](on, np.int64(7), times=1)
    fill[0, 3](on, 9)  # no groups: nothing to do
    np.testing.assert_array_equal(np.asarray(on), [7, 7, 7])


def test_arguments_that_do_not_fit():
    @ot.vectorize
    def absent(x, k=None):
        return x

    @ot.vectorize
    def unknown(x):
        return mixed(x, d=x)

    on = ot.ones(3)
    for call, message in (
        (lambda: plus(on, m=1), r"plus\(x, n\) has no argument m"),
        (lambda: plus(on, x=1), r"plus\(x, n\) gets x twice"),
        (lambda: plus(n=1), r"takes 2 arguments, not 1"),
        (lambda: unknown(on), r"mixed\(a, b, c\) has no argument d"),
        (lambda: absent(on), r"absent\(\): k is None"),
        (lambda: absent(on, "text"), r"absent\(\): k is of type str"),
    ):
        with pytest.raises(KernelError, match=message):
            call()


@pytest.mark.parametrize("device", DEVICES)
def test_constants_of_classes(device):
    @ot.vectorize
    def constants(x):
        return Sizes.twice(x) + Sizes.width + Colour.RED + Kind.LAST.value

    @ot.vectorize
    def missing(x):
        return x + Sizes.height

    np.testing.assert_array_equal(np.asarray(constants(ot.ones(2, device=device))), [7.5, 7.5])
    with pytest.raises(KernelError, match="Sizes has no height"):
        missing(ot.ones(2))


def test_methods_and_decorators_between():
    class Owner:
        @ot.vectorize
        def scaled(self, x):
            return x

        @ot.jit
        def launched(self, x):
            x[0] = 1

        free = ot.vectorize(mixed)

    def logged(function):
        @functools.wraps(function)
        def inner(*given):
            return function(*given)

        return inner

    @logged
    def stacked(x):
        return x

    on = ot.ones(2)
    with pytest.raises(KernelError, match=r"scaled\(\) is a method of Owner"):
        Owner().scaled(on)
    with pytest.raises(KernelError, match=r"launched\(\) is a method of Owner"):
        Owner().launched[1, 1](on)
    np.testing.assert_array_equal(np.asarray(Owner().free(on)), [10, 10])
    with pytest.raises(KernelError, match=r"another decorator stands between .* def stacked\(\)"):
        ot.vectorize(stacked)(on)

    def renamed(x):
        return x + 1

    renamed.__name__ = "other"
    np.testing.assert_array_equal(np.asarray(ot.vectorize(renamed)(on)), [2, 2])


def test_places_of_lambdas_and_hints():
    with pytest.raises(KernelSyntaxError, match=r"a lambda cannot be a kernel\n.*lambda x"):
        ot.vectorize(lambda x: x)(ot.ones(2))
    for body, message, hint in (
        ("return pow(x, 2, 3)", "pow() takes 2 numbers here, not 3", "Write pow(x, y)."),
        ("return int()", "int() takes one number", "Write int(x)."),
        ("a, *b = x, x, x\nreturn a", "names with *", "variable"),
        ("if x > 0:\n    return x\nreturn", "returns 1 value before and nothing here", "as many"),
    ):
        text = "def f(x):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
        with pytest.raises(KernelError) as caught:
            harness.translated(harness.define(text, "f"), (np.ones(2, "float32"),))
        assert message in caught.value.message
        assert hint in caught.value.hint

    @ot.jit
    def twice(x):
        x[0, 0] = x[0][1]

    with pytest.raises(KernelSyntaxError, match="an element of an array has no elements") as caught:
        twice[1, 1](ot.ones((2, 2)))
    assert "x[0, 1]" in caught.value.hint


# -- texts -------------------------------------------------------------------------------------------------------------
HIDDEN = [
    ("out[0] = (x)[9];", "", 1),
    ("out[0] = 9[x];", "", 1),
    ("out[0] = 1;\nout[1] = *(x + 9);", "", 2),
    ("#define AT(j) x[j]\nout[0] = AT(9);", "", 1),
    ("out[0] = AT(x, 9);", "#define AT(array, j) array[j]", 1),
    ("const GLOBAL float32* p = x + 1; out[0] = p[9];", "", 1),
    ("const GLOBAL float32* p = &x[1]; out[0] = p[9];", "", 1),
    ("const GLOBAL float32* p = (const GLOBAL float32*)&x[1]; out[0] = p[9];", "", 1),
    ("out[0] = first(out[1] > 0 ? x : x + 1);", "DEVICE float first(const GLOBAL float32* t) { return t[0]; }", 1),
    ("out[0] = second(x);", "DEVICE float second(const GLOBAL float32* t) {\n return *(t + 1); }", "2 of the preamble"),
    ("LOCAL float a[2], b[2][3]; float* row = b[1]; out[0] = row[9];", "", 1),
]


@pytest.mark.parametrize(("body", "preamble", "line"), HIDDEN)
def test_what_debug_cannot_look_at(body, preamble, line):
    kernel = ot.RawKernel("const float32* x, float32* out", body, "hides", preamble=preamble, debug=True)
    with pytest.raises(ot.UsageError, match=rf"\[hides\] line {line}: debug cannot look at what is read through"):
        kernel[1, 1](ot.ones(3), ot.ones(3))


@pytest.mark.parametrize("device", DEVICES)
def test_what_debug_can_look_at(device):
    kernel = ot.RawKernel(
        "const float32* x, int32* n, float32* out, int32 k",
        """
        LOCAL int a[2], b[2][3];
        (void)x;
        a[0] = b[1][2] = 1 & n[0];
        if (n[0] && x[0] > 0 && k) ATOMIC_ADD(&n[k], (int)(sizeof(a) / sizeof(int)));
        out[0] = SQUARE(x[1]) + first(x + 1) + first(&x[2]) + (float)b[1][2];
        """,
        "shows",
        preamble="#define SQUARE(x) ((x) * (x))\nDEVICE float first(const GLOBAL float32* t) { return t[0]; }",
        debug=True,
    )
    x, n, out = (ot.ones(3, dtype=kind, device=device) for kind in (ot.float32, ot.int32, ot.float32))
    kernel[1, 1](x, n, out, 1)
    assert float(out[0]) == 4
    assert int(n[1]) == 3
    with pytest.raises(ot.UsageError, match=r"\[shows\] line 5: n\[3\] is outside"):
        kernel[1, 1](x, n, out, 3)
    second = ot.RawKernel("float32* out", "LOCAL float a[2], b[2]; b[2] = a[0]; out[0] = b[0];", "second", debug=True)
    with pytest.raises(ot.UsageError, match=r"\[second\] line 1: b\[2\] is outside"):
        second[1, 1](out)


def test_texts_that_are_refused_before_they_compile():
    for body, preamble, message in (
        ("out[0] = 1;\n}", "", r"\[k\] line 2: this } has no other brace"),
        ("if (out[0] > 0) {\nout[0] = 1;", "", r"\[k\] line 1: this { has no other brace"),
        ("out[0] = 1;", "\nDEVICE int f(void) { return 1;", r"\[k\] line 2 of the preamble: this { has no"),
        ("\nLOCAL int c[2] = {1, 2};", "", r"\[k\] line 2: LOCAL memory is given values"),
        ("out[0] = 1;\0 out[0] = 2;", "", "a NUL in it"),
        ("out[0] = 1; // \ud800", "", "half of a surrogate pair"),
    ):
        with pytest.raises(ot.UsageError, match=message):
            ot.RawKernel("float32* out", body, "k", preamble=preamble)
    ot.RawKernel("float32* out", "#ifdef A\nif (out[0] > 0) {\n#else\n{\n#endif\n}", "k")


def test_faults_name_the_function_and_its_file():
    @ot.jit(debug=True)
    def far(x):
        x[0] = x[-5]

    line = far.__wrapped__.__code__.co_firstlineno + 2
    with pytest.raises(ot.UsageError, match=rf"\[far\] line {line} of .*test_kernel_mends.py: index -5 of axis 0 of x"):
        far[1, 1](ot.ones(3))
    waits = ot.RawKernel(
        "int32* x", "for (int t = 0; t < 9; ++t) { SYNC; if (LOCAL_ID(0) == t) break; x[t] = 1; }", "waits"
    )
    with pytest.raises(ot.UsageError, match=r"^\[waits\] work-item 0 of group \(0, 0, 0\)"):
        waits[1, 8](ot.zeros(9, dtype=ot.int32))
