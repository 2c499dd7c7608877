# SPDX-License-Identifier: MIT
"""Numbers that an array's type cannot hold, or that lie at its ends. What was wrong in silence once."""

import numpy as np
import pytest

import overtake as ot

WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", WHOLE)
def test_comparisons_with_far_numbers(dtype):
    limits = np.iinfo(dtype)
    values = np.array([limits.min, 1, limits.max], dtype=dtype)
    x = ot.asarray(values)
    for number in (limits.max + 1, limits.min - 1, 2**63, 2**64, -(2**63) - 1, 10**30, limits.max, limits.min):
        for compare in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
            same(getattr(x, compare)(number), [bool(getattr(int(value), compare)(number)) for value in values])
        same(ot.less(number, x), [number < int(value) for value in values])
        same(ot.greater_equal(number, x), [number >= int(value) for value in values])
        same(number < x, [number < int(value) for value in values])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: x + 300,
        lambda x: 300 - x,
        lambda x: x * 300,
        lambda x: x // 300,
        lambda x: x % 300,
        lambda x: x & 300,
        lambda x: x << 300,
        lambda x: ot.maximum(x, 300),
        lambda x: ot.minimum(300, x),
        lambda x: ot.where(x > 1, x, 300),
        lambda x: ot.clip(x, 0, 300),
        lambda x: ot.full((2,), 300, dtype=x.dtype),
        lambda x: ot.full_like(x, 300),
        lambda x: ot.asarray(300, dtype=x.dtype),
        lambda x: ot.asarray([300], dtype=x.dtype),
        lambda x: ot.pad(x, 1, constant_values=300),
        lambda x: x.__setitem__(0, 300),
        lambda x: x.__setitem__([0], 300),
        lambda x: x.__setitem__(x > 1, 300),
        lambda x: x.__setitem__(slice(None), [300, 1, 2]),
        lambda x: x.__iadd__(300),
        lambda x: x.__setitem__(0, -1) if x.dtype == "uint8" else x.__setitem__(0, -129),
        lambda x: ot.arange(300, dtype=x.dtype),
        lambda x: ot.random.integers(0, 300, (3,), dtype=x.dtype),
        lambda x: x.__setitem__(0, 1e30),
    ],
)
@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_numbers_that_do_not_fit(wrong, dtype):
    x = ot.asarray([1, 2, 3], dtype=dtype)
    with pytest.raises(OverflowError, match="out of bounds"):
        wrong(x)
    assert x.tolist() == [1, 2, 3]


def test_numbers_that_fit_after_promotion():
    x = ot.asarray([1, 2], dtype="int8")
    np.testing.assert_allclose(np.asarray(x / 1000), [0.001, 0.002], rtol=1e-6)
    assert (ot.asarray([True, False]) + 1000).tolist() == [1001, 1000]
    assert (ot.asarray([0.5]) + 2**40).dtype == "float32"
    assert (x < 1000.5).tolist() == [True, True]


def test_assigned_numbers():
    x = ot.zeros(3, dtype="int32")
    x[0] = 2.9
    x[1] = -2.9
    x[2] = True
    assert x.tolist() == [2, -2, 1]
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="no value of int32"):
            x[0] = wrong
        with pytest.raises(ValueError, match="no value of int32"):
            ot.full((2,), wrong, dtype="int32")


def test_operators_in_place_keep_the_type():
    for change in ("__itruediv__", "__iadd__", "__imul__", "__ipow__"):
        x = ot.asarray([4, 6])
        with pytest.raises(TypeError, match="float32"):
            getattr(x, change)(1.5)
        assert x.tolist() == [4, 6]
    b = ot.asarray([True])
    with pytest.raises(TypeError):
        b += 1
    u = ot.asarray([1], dtype="uint8")
    with pytest.raises(TypeError):
        u += ot.asarray([1], dtype="int8")
    u += ot.asarray([1], dtype="uint32")
    assert u.dtype == "uint8" and u.tolist() == [2]


def test_large_whole_numbers():
    assert ot.asarray(2**63 + 5).dtype == "uint64" and ot.asarray(2**63 + 5).item() == 2**63 + 5
    for arguments in (
        (2**60, 2**60 + 3),
        (-(2**62), 2**62, 2**61),
        (2**63, 2**63 + 3),
        (2**63 + 2, 2**63 - 1, -1),
        (2**63 - 3, 2**63),
        (0, 2**64, 2**62),
        (2**60,) * 2,
        (5, 2**63, 2**63 - 1),
        (2**53 + 1, 2**53 - 2, -1),
    ):
        assert ot.arange(*arguments).tolist() == list(range(*arguments))
    assert ot.arange(2**63, 2**63 + 2).dtype == "uint64" and ot.arange(2**60, 2**60 + 2).dtype == "int64"
    with pytest.raises(OverflowError):
        ot.arange(2**64, 2**64 + 2)
    with pytest.raises(ValueError, match="step"):
        ot.arange(0, 5, 0)


def test_clip_with_fractions():
    x = ot.asarray([0, 1, 2, 3])
    same(ot.clip(x, 0.5, 2.5), np.clip(np.arange(4), 0.5, 2.5))
    same(ot.clip(x, max=ot.asarray(1.5)), np.clip(np.arange(4), None, 1.5))
    assert ot.clip(x, 1, 2).dtype == "int64"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_next_numbers_of_16_bits(dtype):
    bits = np.arange(2**16, dtype=np.uint32)
    halves = bits.astype(np.uint16).view(np.float16).astype(np.float32)
    values = halves if dtype == "float16" else (bits << 16).view(np.float32)
    values = values[~np.isnan(values)]
    ordered = np.unique(values[values != 0])
    x = ot.asarray(values).astype(dtype)
    upwards = np.searchsorted(ordered, values, side="right")
    wanted = np.append(ordered, np.inf)[upwards]
    around = values == 0
    smallest = ordered[ordered > 0][0]
    wanted[around] = smallest
    wanted[values == -smallest] = 0
    got = np.asarray(ot.nextafter(x, ot.asarray(np.inf, dtype=dtype)).astype("float32"))
    np.testing.assert_array_equal(got, wanted)
    down = np.asarray(ot.nextafter(-x, ot.asarray(-np.inf, dtype=dtype)).astype("float32"))
    np.testing.assert_array_equal(down, -wanted)
    same(ot.nextafter(x, x).astype("float32"), values)
    nan = ot.asarray(np.nan, dtype=dtype)
    assert ot.isnan(ot.nextafter(nan, x[:2])).all() and ot.isnan(ot.nextafter(x[:2], nan)).all()
