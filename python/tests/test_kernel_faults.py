# SPDX-License-Identifier: MIT
"""Kernels that were wrong in silence once, on every device: each kind of fault."""

import copy
import pickle
import sys

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot

pytestmark = pytest.mark.parametrize("device", DEVICES)
RANDOM = np.random.default_rng()
WHOLE = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


@ot.vectorize
def compare(x, n):
    return x < n, n <= x, x == n, n != x, x > n, n >= x


@ot.vectorize
def below_zero(x):
    return x < -1, x >= -1, x == -1


@ot.vectorize
def plus(x, n):
    return x + n


@pytest.mark.parametrize("dtype", WHOLE)
def test_plain_ints_beside_narrow_types(device, dtype):
    ends = np.iinfo(dtype)
    drawn = RANDOM.integers(ends.min, ends.max, 20, dtype, endpoint=True)
    values = [int(ends.min), int(ends.max), 0, 1, *(int(each) for each in drawn)]
    on = ot.asarray(np.array(values, dtype), device=device)
    for n in (-1, 0, 300, -(2**40), 2**40, 2**63 - 1, *(int(each) for each in RANDOM.integers(-300, 300, 3))):
        truth = [[a < n, n <= a, a == n, n != a, a > n, n >= a] for a in values]
        np.testing.assert_array_equal(np.asarray(compare(on, n)), np.array(truth).T)
    np.testing.assert_array_equal(np.asarray(below_zero(on)), np.array([[a < -1, a >= -1, a == -1] for a in values]).T)
    assert int(plus(ot.asarray(np.ones(1, dtype), device=device), 3)[0]) == 4
    with pytest.raises(OverflowError, match=r"\[plus\]"):
        plus(on, ends.max + 1)


def tenth():
    return 0.1


def thrice(a):
    return a * 3


def test_floats_of_called_functions_are_as_wide_as_the_caller(device):
    @ot.vectorize
    def through(x, r):
        return x * tenth(), x * thrice(0.1), x * thrice(r)

    wide = through(ot.ones(1, dtype=ot.float64, device=device), 0.1)
    assert [float(each[0]) for each in wide] == [0.1, 0.1 * 3, 0.1 * 3]
    single = through(ot.ones(1, device=device), 0.1)
    assert all(each.dtype is ot.float32 for each in single)
    assert float(single[0][0]) == np.float32(0.1)


def test_signs_that_conversions_and_sums_change(device):
    @ot.jit
    def last(x, u, small, out):
        out[0] = x[ot.int8(u[0])]
        out[1] = x[ot.int16(u[0])]
        i = abs(small[0]) + ot.int8(125)
        out[2] = x[i]
        j = u[1] * u[1]
        out[3] = x[j]

    x = ot.asarray(np.arange(300, dtype=np.int32), device=device)
    out = ot.zeros(4, dtype=ot.int32, device=device)
    u, small = np.array([255, 16], np.uint8), np.array([-128], np.int8)
    last[1, 1](x, ot.asarray(u, device=device), ot.asarray(small, device=device), out)
    np.testing.assert_array_equal(np.asarray(out), [299, 255, 297, 0])


def lane():
    return ot.local_id()


def test_barriers_in_loops_that_work_items_leave(device):
    @ot.jit
    def breaks(o):
        for t in range(10):
            ot.sync()
            if ot.local_id() == t:
                break
            o[ot.local_id()] += 1

    @ot.jit
    def hidden(o):
        k = 0
        while k < lane():
            ot.sync()
            k += 1
        o[ot.local_id()] = k

    @ot.jit
    def together(o, n):
        for t in range(n):
            ot.sync()
            for k in range(3):
                if lane() == k:
                    break
            if t == 4:
                break
            o[ot.local_id()] += 1

    out = ot.zeros(8, dtype=ot.int32, device=device)
    for wrong in (breaks, hidden):
        with pytest.raises(ot.kernels.KernelSyntaxError, match="leave at different times"):
            wrong[1, 8](out)
    together[1, 8](out, 10)
    np.testing.assert_array_equal(np.asarray(out), np.full(8, 4))


def test_debug_looks_at_each_axis_and_into_functions(device):
    def get(x, k):
        return x[k]

    @ot.jit(debug=True)
    def plane(x, out, i, j):
        out[0] = x[i, j]

    @ot.jit(debug=True)
    def line(x, out, i):
        out[0] = get(x, i)

    x, out = np.arange(20, dtype=np.float32).reshape(4, 5), ot.zeros(1, device=device)
    on, flat = ot.asarray(x, device=device), ot.asarray(x.reshape(20), device=device)
    plane[1, 1](on, out, -1, 2)
    assert float(out[0]) == x[-1, 2]
    for i, j, message in ((0, 7, "index 7 of axis 1"), (-5, 0, "index -5 of axis 0"), (2**40, 0, f"index {2**40} of")):
        with pytest.raises(ot.UsageError, match=f"{message}.*\\(4, 5\\)"):
            plane[1, 1](on, out, i, j)
    line[1, 1](flat, out, -20)
    assert float(out[0]) == 0
    number = get.__code__.co_firstlineno + 1
    with pytest.raises(ot.UsageError, match=f"line {number}: index -21 of axis 0 of x"):
        line[1, 1](flat, out, -21)


def test_a_file_that_is_edited(device, tmp_path, monkeypatch):
    name = f"edited_{RANDOM.integers(2**40)}"
    path = tmp_path / f"{name}.py"
    text = "import overtake as ot\n\n\n@ot.vectorize\ndef add(x):\n    return x + {}\n"
    path.write_text(text.format(1))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(name)
    np.testing.assert_array_equal(np.asarray(module.add(ot.ones(2, device=device))), [2, 2])
    del sys.modules[name]
    again = __import__(name)
    path.write_text(text.format("1000.5 "))
    with pytest.raises(ot.KernelError, match="has changed since"):
        again.add(ot.ones(2, device=device))


def test_memory_that_was_lent_is_not_written(device):
    if device != "cpu":
        pytest.skip("NumPy's memory is the cpu's")

    @ot.jit
    def double(x, out):
        out[ot.global_id()] = x[ot.global_id()] * 2

    for write in (
        double[1, 4],
        ot.kernels.RawKernel("const float32* x, float32* y", "y[0] = 2;")[1, 1],
    ):
        lent = np.arange(4, dtype=np.float32)
        one, other = ot.from_dlpack(lent), ot.from_dlpack(lent)
        write(ot.ones(4), one)
        assert float(one[0]) == 2
        np.testing.assert_array_equal(lent, np.arange(4))
        np.testing.assert_array_equal(np.asarray(other), np.arange(4))


def test_names_with_our_prefixes(device):
    def helper(x):
        return x + 1

    @ot.vectorize
    def overtake_clash(user_overtake_clash, overtake_x, n):
        user_helper = user_overtake_clash * 2
        return helper(user_helper) + overtake_x + n

    ones = ot.ones(3, device=device)
    np.testing.assert_array_equal(np.asarray(overtake_clash(ones, ones, ones)), [5, 5, 5])
    with pytest.raises(ot.UsageError, match="argument 'n'"):
        overtake_clash(ones, ones, ot.ones(4, device=device))


def test_texts(device):
    """ElementwiseKernel, ReductionKernel and RawKernel."""
    x = RANDOM.normal(size=5).astype(np.float32)
    on, out = ot.asarray(x, device=device), ot.zeros(2, dtype=ot.int32, device=device)
    np.testing.assert_array_equal(np.asarray(ot.ElementwiseKernel("float32 x", "float32 y", "y = x * x;")(on)), x * x)
    assert float(ot.ElementwiseKernel("float32 x", "float32 y", "y = x;")(on[0])) == x[0]
    for body in ("y = nobody_declared_this(x);", "x = 3.0f; y = x;"):
        with pytest.raises(ot.UsageError, match="does not compile"):
            ot.ElementwiseKernel("float32 x", "float32 y", body)(on)
    with pytest.raises(ot.UsageError, match="has no output"):
        ot.ElementwiseKernel("float32 x", "", "")
    for inputs in ("float32 i", "float32 size"):
        with pytest.raises(ot.UsageError, match="the body knows"):
            ot.ElementwiseKernel(inputs, "float32 y", "y = 1;")
    for limit in (-1.0, float("nan")):
        with pytest.raises(ot.UsageError, match="time limit"):
            ot.RawKernel("int32* y", "y[0] = 1;", time_limit=limit)
    raw = ot.RawKernel("int32* x, int32* y", "x[0] = 1; y[1] = 2;")
    with pytest.raises(ot.UsageError, match="writes one array as 'x' and as 'y'"):
        raw[1, 1](out, out)
    with pytest.raises(ot.UsageError, match="writes argument 1, which is of type ndarray"):
        raw[1, 1](out, np.zeros(2, np.int32))
    fixed = ot.RawKernel("const int32* x, int32* y, int32 n", "x[0] = n;")
    with pytest.raises(ot.UsageError, match="does not compile"):
        fixed[1, 1](out, ot.zeros(2, dtype=ot.int32, device=device), np.int64(3))
    np.testing.assert_array_equal(np.asarray(out), [0, 0])
    options = {"preamble": "DEVICE int three(void){return 3;}", "time_limit": 1.0, "debug": True}
    ot.RawKernel("int32* y, int32 n", "y[0] = three() + n;", **options)[np.int64(1), 1](out, np.int64(2))
    assert int(out[0]) == 5
    total = ot.ReductionKernel("float32 x", "float32 y", "x", "a + b", "y = a", "0")
    assert total(on.reshape((1, 5)), axis=np.int64(1)).shape == (1,)
    with pytest.raises(ot.UsageError, match="named twice"):
        total(on.reshape((1, 5)), axis=(0, -2))
    with pytest.raises(ot.UsageError, match="input is called 'a'"):
        ot.ReductionKernel("float32 a", "float32 y", "a", "a + b", "y = a", "0")


def stepping(x, step):
    n = x
    for i in range(0, 5, step):
        n += i
    return n


def steps_inside(x, step):
    return stepping(x, step) + 1


def steps_of_groups(out, steps):
    n = 0
    for i in range(5, 0, steps[ot.global_id()]):
        n += i
    out[ot.global_id()] = n


def test_a_step_of_0_has_no_turns_and_is_told_by_debug(device):
    x = ot.asarray(np.array([7, 7, 7], np.int32), device=device)
    steps = ot.asarray(np.array([2, -1, 0], np.int32), device=device)
    good = ot.asarray(np.array([2, -1, 1], np.int32), device=device)
    np.testing.assert_array_equal(np.asarray(ot.vectorize(stepping)(x, steps)), [13, 7, 7])
    for function, add in ((stepping, 0), (steps_inside, 1)):
        checked = ot.vectorize(debug=True)(function)
        np.testing.assert_array_equal(np.asarray(checked(x, good)) - add, [13, 7, 17])
        with pytest.raises(ot.UsageError, match=r"line [0-9]+.*: the step of range\(\) is 0 in element 2"):
            np.asarray(checked(x, steps))
    out = ot.zeros(3, dtype=ot.int32, device=device)
    ot.jit(steps_of_groups)[1, 3](out, steps)
    np.testing.assert_array_equal(np.asarray(out), [0, 15, 0])
    checked = ot.jit(debug=True)(steps_of_groups)
    checked[1, 3](out, good)
    with pytest.raises(
        ot.UsageError,
        match=r"\[steps_of_groups\] line [0-9]+ of .*: the step of range\(\) is 0 in work-item \(2, 0, 0\)",
    ):
        checked[1, 3](out, steps)


def waits_each_turn(x, steps):
    for i in range(0, 5, steps[0]):
        x[ot.global_id()] += i + 1
        ot.sync()


@pytest.mark.parametrize("options", [{}, {"debug": True}, {"time_limit": 9.0}])
def test_barriers_in_a_loop_whose_step_is_an_argument(device, options):
    x = ot.zeros(4, dtype=ot.int32, device=device)
    ot.jit(**options)(waits_each_turn)[2, 2](x, ot.asarray(np.array([2], np.int32), device=device))
    np.testing.assert_array_equal(np.asarray(x), [9] * 4)


def test_the_expression_of_a_reduction_that_does_not_compile(device):
    right = ["x", "a + b", "y = a", "0"]
    for at, wrong in enumerate(("x + foo", "a + bar", "y = baz")):
        texts = [*right[:at], wrong, *right[at + 1 :]]
        with pytest.raises(ot.UsageError, match=rf"(?s)does not compile.*\| .*{wrong[-3:]}"):
            ot.ReductionKernel("float32 x", "float32 y", *texts)(ot.ones(2, device=device))


def test_functions_are_pickled_by_name(device):
    again = pickle.loads(pickle.dumps(plus))
    assert again is plus and copy.deepcopy(plus) is plus
    np.testing.assert_array_equal(np.asarray(again(ot.ones(2, device=device), 2)), [3, 3])


def test_constants_outside_of_functions(device):
    @ot.vectorize
    def far(x):
        return x + ot.log(0.0), x + ot.exp(1000.0), x + np.sqrt(-1.0)

    @ot.vectorize
    def wrong(x):
        return x + int(ot.nan)

    ones = ot.ones(1, device=device)
    np.testing.assert_array_equal([float(each[0]) for each in far(ones)], [-np.inf, np.inf, np.nan])
    with pytest.raises(ot.KernelError, match="NaN"):
        wrong(ones)
