# SPDX-License-Identifier: MIT
"""Functions on arrays beside array-api-strict, which takes the standard at its word: results and types of random inputs."""

import zlib

import array_api_strict as strict
import numpy as np
import pytest

import overtake as ot

FLOATS = ["float32", "float64"]
WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NUMBERS = WHOLE + FLOATS

OF_ONE = {
    "floats": (
        "acos acosh asin asinh atan atanh cos cosh exp expm1 log log1p log2 log10 reciprocal sin sinh sqrt tan tanh "
        "isfinite isinf isnan signbit"
    ),
    "numbers": "abs ceil floor trunc round negative positive sign square",
    "whole": "bitwise_invert",
    "bool": "logical_not",
}
OF_TWO = {
    "floats": "atan2 copysign divide hypot logaddexp nextafter",
    "numbers": (
        "add subtract multiply maximum minimum equal not_equal less less_equal greater greater_equal floor_divide remainder"
    ),
    "whole": "bitwise_and bitwise_or bitwise_xor",
    "bool": "logical_and logical_or logical_xor",
}
TYPES = {"floats": FLOATS, "numbers": NUMBERS, "whole": WHOLE, "bool": ["bool"]}


def cases(table):
    return [(name, dtype) for kind, names in table.items() for name in names.split() for dtype in TYPES[kind]]


@pytest.fixture
def rng(request):
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


def values(rng, dtype, shape, least=0):
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in FLOATS:
        return rng.uniform(0.05, 0.95, shape).astype(dtype) + (1 if least else 0)
    return rng.integers(least if dtype.startswith("u") else least or -9, 9, shape).astype(dtype)


def same(ours, theirs):
    """One type, one shape, the same values but for the last places of floating types."""
    expected = np.asarray(theirs)
    assert str(ours.dtype) == expected.dtype.name
    assert ours.shape == theirs.shape
    tolerance = {"float32": 1e-5, "float64": 1e-12}.get(str(ours.dtype), 0)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=tolerance, atol=tolerance)


def both(function, *arrays, more=(), **options):
    ours = getattr(ot, function)(*(ot.asarray(each) for each in arrays), *more, **options)
    theirs = getattr(strict, function)(*(strict.asarray(each) for each in arrays), *more, **options)
    if isinstance(ours, tuple):
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        same(ours, theirs)


@pytest.mark.parametrize(("name", "dtype"), cases(OF_ONE))
def test_functions_of_one(name, dtype, rng):
    both(name, values(rng, dtype, (3, 1, 4), least=int(name == "acosh")))


@pytest.mark.parametrize(("name", "dtype"), cases(OF_TWO))
def test_functions_of_two_broadcast(name, dtype, rng):
    both(name, values(rng, dtype, (3, 1, 4)), values(rng, dtype, (2, 4), least=1))


PAIRS = [("int8", "int64"), ("uint8", "int16"), ("uint16", "int16"), ("uint32", "int8"), ("float32", "float64")]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "less"])
def test_types_promote(name, pair, rng):
    both(name, values(rng, pair[0], (5,)), values(rng, pair[1], (5,), least=1))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all", "count_nonzero"])
def test_reductions(name, axis, dtype, rng):
    both(name, values(rng, dtype, (2, 3, 4)), axis=axis)
    both(name, values(rng, dtype, (2, 3, 4)), axis=axis, keepdims=True)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["mean", "std", "var"])
def test_statistics(name, dtype, rng):
    for axis in (None, 1, (0, 1)):
        both(name, values(rng, dtype, (2, 3, 4)), axis=axis)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_orders_and_sets(dtype, rng):
    x = values(rng, dtype, (3, 7))
    both("sort", x, axis=0)
    both("sort", x, descending=True)
    both("argsort", x)
    both("argmax", x, axis=1)
    both("argmin", x)
    both("cumulative_sum", x, axis=1)
    both("unique_counts", np.sort(x.reshape(-1)))
    both("unique_inverse", x)
    both("nonzero", x)
    both("searchsorted", np.sort(x[0]), x[1])


@pytest.mark.parametrize("dtype", [*NUMBERS, "bool"])
def test_shapes(dtype, rng):
    x = values(rng, dtype, (2, 3, 4))
    both("permute_dims", x, axes=(2, 0, 1))
    both("reshape", x, shape=(4, -1))
    both("flip", x, axis=1)
    both("roll", x, shift=2, axis=-1)
    both("expand_dims", x, axis=1)
    both("squeeze", x[:, :1], axis=1)
    both("broadcast_to", x[:1], shape=(5, 3, 4))
    both("moveaxis", x, more=(0, 2))
    both("tile", x, more=((2, 1, 1),))
    both("matrix_transpose", x)
    for k in (-1, 0, 2):
        both("tril", x, k=k)
        both("triu", x, k=k)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_products(dtype, rng):
    both("matmul", values(rng, dtype, (2, 3, 4)), values(rng, dtype, (4, 2)))
    both("tensordot", values(rng, dtype, (3, 4)), values(rng, dtype, (4, 2)), axes=1)
    both("vecdot", values(rng, dtype, (3, 4)), values(rng, dtype, (4,)))


def test_sources():
    for name, arguments in (("arange", (2, 11, 3)), ("linspace", (0.0, 1.0, 5)), ("eye", (3, 4)), ("zeros", ((2, 0),))):
        for dtype in ("float32", "float64"):
            same(
                getattr(ot, name)(*arguments, dtype=dtype),
                getattr(strict, name)(*arguments, dtype=getattr(strict, dtype)),
            )
