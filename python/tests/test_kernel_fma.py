# SPDX-License-Identifier: MIT
"""Products and sums that are rounded once (`fma=True`), beside whole numbers of Python, which are exact."""

from fractions import Fraction

import numpy as np
import pytest

import overtake as ot

RNG = np.random.default_rng()
DEVICES = {each["id"]: each for each in ot.devices() if each["usable"]}


def sums(x, y, z):
    """Each of them with one sum."""
    return x * y + z, z - x * y, x * y - z, x * x + z, x**2 - z


def twice(x, y, z):
    return scaled(x, y) + x * y + z


def scaled(x, y):
    return 2.0 * x - y * x


def rounded(value, dtype):
    """A fraction as the nearest float: by double where that is exact enough for it, else by Python's division."""
    return dtype(value.numerator / value.denominator)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_and_a_sum_are_rounded_once(device, dtype):
    if dtype is np.float64 and not DEVICES[device]["double_precision"]:
        pytest.skip("the device has no double precision")
    bits = 12 if dtype is np.float32 else 26  # the products have twice as many, and the sums two more
    x, y = ((RNG.integers(2 ** (bits - 1), 2**bits, 1000) * 2 + 1).astype(dtype) for _ in range(2))
    z = -(x * y) * dtype(1 + 2.0**-10)
    exact = [[Fraction(float(each)) for each in given] for given in (x, y, z)]
    wanted = [
        [rounded(value, dtype) for value in row]
        for row in zip(
            *((a * b + c, c - a * b, a * b - c, a * a + c, a * a - c) for a, b, c in zip(*exact, strict=True)),
            strict=True,
        )
    ]
    given = [ot.asarray(each, device=device) for each in (x, y, z)]
    fused = [np.asarray(each) for each in ot.vectorize(fma=True)(sums)(*given)]
    apart = [np.asarray(each) for each in ot.vectorize(sums)(*given)]
    for got, other, right in zip(fused, apart, wanted, strict=True):
        assert got.tolist() == [float(each) for each in right]
        assert got.tolist() != other.tolist()


def test_called_functions_and_groups_fuse_too():
    @ot.jit(fma=True)
    def total(x, y, out):
        part = ot.float32(0)
        for i in range(x.size):
            part += x[i] * y[i]
        out[0] = part

    text = total.source(ot.float32, ot.float32, ot.float32)
    assert "part = ot_fma_float32(x[i_], y[i_], part);" in text
    assert "ot_fma" not in ot.jit(total._kernel_function).source(ot.float32, ot.float32, ot.float32)
    text = ot.vectorize(fma=True)(twice).source(ot.float32, ot.float32, ot.float32)
    assert "return ot_fma_float32((-y), x, 2.0f * x);" in text or "return ot_fma_float32(2.0f, x, -(y * x));" in text
    assert text.count("ot_fma_float32(") == 3  # the function, scaled(), twice()


def test_a_product_that_got_another_type_is_rounded_first():
    text = ot.vectorize(fma=True)(lambda_of).source(ot.float32, ot.float64)
    assert "ot_fma" not in text


def lambda_of(x, y):
    return ot.float64(x * x) + y
