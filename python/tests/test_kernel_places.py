# SPDX-License-Identifier: MIT
"""Places in functions of jit: in 32 bits where arrays and launches are small enough, in 64 beyond, with the same results."""

import re

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot
from overtake.kernels import _functions

RNG = np.random.default_rng()
WIDTHS = pytest.mark.parametrize("short", [True, False])


def fresh(function, monkeypatch, short):
    """The function with nothing made yet, for arrays that are taken for small or for large ones."""
    if not short:
        monkeypatch.setattr(_functions, "_SHORT", 0)
    return ot.jit(function)


def numbers(high, shape, dtype=np.int32):
    return RNG.integers(0, high, shape).astype(dtype)


def strided(x, out):
    for i in range(ot.global_id(), x.size, ot.global_size()):
        out[i] = x[-1 - i] + 2 * x[i]


def rows_of_three(x, y, out):
    i = ot.global_id()
    if i < x.shape[0]:
        for k in range(x.shape[1]):
            out[i, -1 - k] = x[i, k] * y[-i - 1, k]


def gathered(x, places, out):
    for i in range(places.size - 1, -1, -1):
        out[i] = x[places[i], i % x.shape[1]]


def packed(x, out, count):
    kept = 0
    for i in range(x.size):
        if x[i] % 3 == 0:
            out[kept] = x[i]
            kept += 1
    count[0] = kept


def by_steps(out, first, last):
    kept = 0
    for i in range(first, last, 7):
        out[kept] = i
        kept += 1
    for i in range(last, first, -5):
        out[kept] = i
        kept += 1


@WIDTHS
def test_a_loop_in_steps_of_all_work_items(monkeypatch, short):
    x, out = numbers(1000, 1537), ot.zeros(1537, dtype=ot.int32)
    fresh(strided, monkeypatch, short)[3, 64](ot.asarray(x), out)
    assert np.array_equal(np.asarray(out), x[::-1] + 2 * x)


@WIDTHS
@pytest.mark.parametrize("columns", [1, 3, 4, 5])
def test_rows_of_few_numbers(monkeypatch, short, columns):
    x, y = (RNG.random((67, columns), dtype=np.float32) for _ in range(2))
    out = ot.zeros((67, columns))
    fresh(rows_of_three, monkeypatch, short)[3, 32](ot.asarray(x), ot.asarray(y), out)
    assert np.array_equal(np.asarray(out), (x * y[::-1])[:, ::-1])


@WIDTHS
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint32, np.int64])
def test_places_that_come_from_memory(monkeypatch, short, dtype):
    x, places = RNG.random((50, 6), dtype=np.float32), numbers(50, 91, dtype)
    places = places if np.iinfo(dtype).min == 0 else (places - 25).astype(dtype)  # below 0 they count from the end
    out = ot.zeros(91)
    fresh(gathered, monkeypatch, short)[1, 1](ot.asarray(x), ot.asarray(places), out)
    assert np.array_equal(np.asarray(out), x[places.astype(np.int64), np.arange(91) % 6])


@WIDTHS
def test_variables_that_grow(monkeypatch, short):
    x = numbers(1000, 777)
    out, count = ot.zeros(777, dtype=ot.int32), ot.zeros(1, dtype=ot.int64)
    fresh(packed, monkeypatch, short)[1, 1](ot.asarray(x), out, count)
    wanted = x[x % 3 == 0]
    assert int(count[0]) == wanted.size
    assert np.array_equal(np.asarray(out)[: wanted.size], wanted)


@WIDTHS
@pytest.mark.parametrize("ends", [(0, 50), (-11, 12), (5, 5), (9, 2), (2**31 - 30, 2**31 - 1), (2**63 - 30, 2**63 - 1)])
def test_loops_come_to_no_end_of_their_type(monkeypatch, short, ends):
    wanted = [*range(*ends, 7), *range(ends[1], ends[0], -5)]
    function, given = fresh(by_steps, monkeypatch, short), ot.zeros(64, dtype=ot.int64)
    function[1, 1](given, *ends)
    assert np.asarray(given).tolist()[: len(wanted)] == wanted


@WIDTHS
def test_loops_whose_ends_are_known(monkeypatch, short):
    def known(out):
        kept = 0
        for i in range(2**31 - 40, 2**31 - 1, 16):
            out[kept] = i
            kept += 1
        for i in range(-40, ot.local_size() - 3, 9):
            out[kept] = i
            kept += 1

    out = ot.zeros(16, dtype=ot.int64)
    fresh(known, monkeypatch, short)[1, 1](out)
    wanted = [*range(2**31 - 40, 2**31 - 1, 16), *range(-40, -2, 9)]
    assert np.asarray(out).tolist()[: len(wanted)] == wanted


@WIDTHS
def test_numbers_that_were_floats(monkeypatch, short):
    def converted(x, out):
        kept = 0
        large = int(x[0])
        for i in range(large - 40, large, 16):
            out[kept] = i
            kept += 1
        out[kept] = large % 1000003
        out[kept + 1] = int(x[1]) // 7

    out = ot.zeros(8, dtype=ot.int64)
    fresh(converted, monkeypatch, short)[1, 1](ot.asarray([1e19, -5e12], dtype=ot.float32), out)
    large = 2**63 - 1
    wanted = [*range(large - 40, large, 16), large % 1000003, int(np.float32(-5e12)) // 7]
    assert np.asarray(out).tolist()[: len(wanted)] == wanted


@WIDTHS
def test_what_wraps_round_may_be_below_0(monkeypatch, short):
    def wrapping(x, small, out, n):
        doubled, tripled, a, b = 1, 1, 0, 1
        for i in range(63):
            doubled += doubled
            tripled = tripled * 3 + i
            a, b = b, a + b
        for _ in range(40):
            a, b = b, a + b
        out[0] = x[doubled // 2**62]
        out[1] = x[(tripled * 5) // 2**62]
        out[2] = x[b // 2**62]
        out[3] = x[ot.int64(small[0] % ot.int8(n))]
        product = (x.size + 2**40) * (x.size + 2**40)
        out[4] = x[product // 2**62]

    x, small = np.arange(10, dtype=np.float32), np.array([-7], np.int8)
    out = ot.zeros(5)
    fresh(wrapping, monkeypatch, short)[1, 1](ot.asarray(x), ot.asarray(small), out, -5)

    def held(number):
        return (number + 2**63) % 2**64 - 2**63

    tripled, a, b = 1, 0, 1
    for i in range(63):
        tripled, a, b = held(tripled * 3 + i), b, held(a + b)
    for _ in range(40):
        a, b = b, held(a + b)
    places = [-(2**63) // 2**62, held(tripled * 5) // 2**62, b // 2**62, -7 % -5, held((10 + 2**40) ** 2) // 2**62]
    assert np.asarray(out).tolist() == x[places].tolist()


@WIDTHS
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_places_below_0_count_from_the_end(monkeypatch, short, dtype):
    def both(x, places, out):
        k = ot.global_id()
        if k < places.size:
            j = places[k]
            out[k, 0], out[k, 1], out[k, 2] = x[j], x[places[k]], x[j // 2]

    for device in DEVICES:
        x = RNG.random(100, dtype=np.float32)
        places = np.concatenate([[-100, -1, 0, 99], RNG.integers(-100, 100, 60)]).astype(dtype)
        out = ot.zeros((64, 3), device=device)
        fresh(both, monkeypatch, short)[1, 64](ot.asarray(x, device=device), ot.asarray(places, device=device), out)
        expected = np.stack([x[places], x[places], x[places // 2]], axis=1)
        assert np.array_equal(np.asarray(out), expected), device


def test_numbers_that_cannot_be_below_0_are_not_looked_at():
    def called(x, i, j):
        return x[i] - x[j]

    @ot.jit
    def sure(x, y, out):
        i, kept = ot.global_id(), 0
        for k in range(y.size):
            out[kept, i % 5] = called(x, i, k * 3) + x[max(y[k], 0)] + x[y[k] & 7] + x[y[k] % 7]
            kept += 1 + i % 2
        for k in range(y.size - 1, -1, -1):
            out[k, 2 * i + k // 2] = 0

    @ot.jit
    def unsure(x, y, out):
        for k in range(y[0]):
            out[y[k], k - 1] = called(x, y[1], k * 3)

    def looks(text):
        return len(re.findall(r"ot_(?:at|short_at|place)_\w+\(", re.sub("(?m)^(?:DEVICE|#define) .*ot_.*", "", text)))

    kinds = ot.float32, ot.int32, (ot.float32, 2)
    assert looks(sure.source(*kinds)) == 0
    assert looks(unsure.source(*kinds)) == 4


def test_plain_ints_that_32_bits_hold_are_counted_so():
    @ot.vectorize
    def turns(x, n):
        count = ot.int32(0)
        while count < n and count < x:
            count += 1
        return count

    @ot.jit
    def total(n, first, out):
        for i in range(first, n):
            out[0] += i

    x = numbers(50, 100)
    ends = [int(RNG.integers(-5, 60)), 0, -(2**31), 2**31, 2**40, -(2**40)]
    for n in ends:
        assert np.array_equal(np.asarray(turns(ot.asarray(x), n)), np.minimum(x, np.maximum(n, 0)))
    assert len(turns._made) == 2
    for first in (-3, 2**31 - 5, 2**40, 2**63 - 9):
        out = ot.zeros(1, dtype=ot.int64)
        total[1, 1](first + 7, first, out)
        assert int(out[0]) == (sum(range(first, first + 7)) + 2**63) % 2**64 - 2**63
    assert "PLACE" in total.source(int, int, ot.int64)
    assert "PLACE" not in total.source(2**40, 0, ot.int64)


def test_rows_of_few_numbers_are_a_kernel_of_their_own():
    function = ot.jit(rows_of_three)
    for columns in (3, 3, 5, 6, 4):
        x = ot.ones((8, columns))
        function[1, 8](x, x, ot.zeros((8, columns)))
    assert len(function._made) == 3
    assert " * 3 + " in function.source(*3 * [ot.ones((8, 3))])
    assert "int32 x_shape0" in function.source(*3 * [(ot.float32, 2)])


def test_which_launches_are_too_large_for_32_bits():
    function = ot.jit(strided)
    assert function[2**20, 1024]._short
    assert not function[2**21, 1024]._short
    assert _functions._is_short_shape((2**16, 2**15 - 1))
    assert not _functions._is_short_shape((2**16, 2**15))
    assert not _functions._is_short_shape((2**31, 0))  # a size of its own
    assert _functions._is_short_shape((2**30, 0))
