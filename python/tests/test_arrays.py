# SPDX-License-Identifier: MIT
"""Arrays: against NumPy, and what people reach for first."""

import gc
import math

import numpy as np
import pytest
from networks import DEVICES

import overtake as ot

ONE = [
    "abs",
    "exp",
    "expm1",
    "floor",
    "ceil",
    "trunc",
    "round",
    "sign",
    "sin",
    "cos",
    "tan",
    "tanh",
    "square",
    "atan",
    "sinh",
    "cosh",
    "asinh",
]
TWO = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "less", "equal", "hypot", "copysign", "logaddexp"]


@pytest.fixture
def rng():
    return np.random.default_rng()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ONE)
def test_functions_of_one(name, dtype, rng):
    x = rng.normal(size=(5, 7)).astype(dtype)
    numpy_name = {"asinh": "arcsinh", "atan": "arctan"}.get(name, name)
    got = getattr(ot, name)(ot.asarray(x))
    assert got.dtype == dtype
    np.testing.assert_allclose(np.asarray(got), getattr(np, numpy_name)(x), rtol=2e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_broadcast(name, rng):
    x, y = rng.normal(size=(4, 1, 3)).astype("float32"), rng.normal(size=(5, 1)).astype("float32")
    got = np.asarray(getattr(ot, name)(ot.asarray(x), ot.asarray(y)))
    expected = getattr(np, name)(x, y)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=2e-6)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "std", "var", "any", "all"])
def test_reductions(name, axis, rng):
    x = rng.normal(size=(3, 4, 5))
    got = getattr(ot, name)(ot.asarray(x), axis=axis)
    np.testing.assert_allclose(np.asarray(got), getattr(np, name)(x, axis=axis), rtol=1e-12)


@pytest.mark.parametrize(
    "key",
    [
        0,
        -1,
        slice(1, None),
        slice(None, None, -2),
        slice(10, 20),
        (Ellipsis, 1),
        (slice(None), None, 2),
        (1, slice(None, -1), slice(None, None, 3)),
        ([2, 0, -1],),
        (slice(None), [0, 3]),
        ([0, 1], [2, 3]),
    ],
)
def test_indexing(key, rng):
    x = rng.integers(0, 100, (3, 5, 6))
    np.testing.assert_array_equal(np.asarray(ot.asarray(x)[key]), x[key])
    changed, other = x.copy(), ot.asarray(x)
    changed[key] = 7
    other[key] = 7
    np.testing.assert_array_equal(np.asarray(other), changed)


def test_masks(rng):
    x = rng.normal(size=(6, 4))
    a = ot.asarray(x)
    np.testing.assert_array_equal(np.asarray(a[a > 0]), x[x > 0])
    np.testing.assert_array_equal(np.asarray(a[ot.asarray([True, False] * 3)]), x[[True, False] * 3])
    a[a < 0] = 0
    np.testing.assert_array_equal(np.asarray(a), np.where(x < 0, 0, x))


def test_assignment_leaves_other_handles_alone():
    a = ot.arange(5)
    b = a + 0
    c = a[1:3]
    a[1] = 100
    assert a.tolist() == [0, 100, 2, 3, 4]
    assert b.tolist() == [0, 1, 2, 3, 4]
    assert c.tolist() == [1, 2]


def test_plain_numbers_take_the_type_beside_them():
    assert (ot.ones((2,), dtype=ot.float64) * 0.1).dtype is ot.float64
    assert float((ot.ones((1,), dtype=ot.float64) * 0.1)[0]) == 0.1
    assert (ot.ones((2,), dtype=ot.int8) + 1).dtype is ot.int8
    assert (1 - ot.ones((2,), dtype=ot.float16)).dtype is ot.float16
    assert (ot.ones((2,), dtype=ot.int32) / 2).dtype is ot.float32
    assert ot.asarray([1.0, 2.0]).dtype is ot.float32
    assert ot.asarray([1, 2]).dtype is ot.int64


def test_numbers_live_until_the_call_is_over():
    for _ in range(2000):
        assert math.isclose(float(ot.add(1.5, ot.maximum(2.5, 0.5))), 4.0)
    gc.collect()


def test_gradients():
    x = ot.asarray([1.0, 2.0, 3.0]).requires_grad_()
    ot.sum(x * ot.exp(x)).backward()
    np.testing.assert_allclose(np.asarray(x.grad), np.exp([1, 2, 3]) * [2, 3, 4], rtol=1e-6)
    x.grad = None
    assert x.grad is None
    with ot.no_grad():
        assert not ot.sum(x * 2).requires_grad
    table = ot.asarray(np.eye(4, dtype="float32")).requires_grad_()
    ot.sum(ot.take(table, ot.asarray([1, 1, 3]), axis=0)).backward()
    np.testing.assert_array_equal(np.asarray(table.grad)[:, 0], [0, 2, 0, 1])


def test_random_numbers_are_those_of_the_seed():
    ot.random.seed(7)
    first = ot.random.uniform((1000,)).tolist()
    ot.random.seed(7)
    assert ot.random.uniform((1000,)).tolist() == first
    normal = np.asarray(ot.random.normal((100_000,), loc=2.0, scale=3.0))
    assert abs(normal.mean() - 2) < 0.1
    assert abs(normal.std() - 3) < 0.1
    whole = np.asarray(ot.random.integers(-3, 4, (10_000,)))
    assert set(whole.tolist()) == set(range(-3, 4))
    assert sorted(ot.random.permutation(50).tolist()) == list(range(50))
    assert len(set(ot.random.choice(20, (20,), replace=False).tolist())) == 20
    assert 0.2 < float(ot.mean(ot.random.bernoulli(0.3, (10_000,)))) < 0.4


def test_products(rng):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 5))
    np.testing.assert_allclose(np.asarray(ot.asarray(a) @ ot.asarray(b)), a @ b, rtol=1e-12)
    c = rng.normal(size=(2, 4, 3))
    np.testing.assert_allclose(np.asarray(ot.matmul(ot.asarray(a), ot.asarray(c))), a @ c, rtol=1e-12)
    np.testing.assert_allclose(
        np.asarray(ot.tensordot(ot.asarray(a), ot.asarray(c), axes=((0, 1), (0, 2)))),
        np.tensordot(a, c, ((0, 1), (0, 2))),
        rtol=1e-12,
    )
    whole = rng.integers(-5, 5, (3, 3))
    np.testing.assert_array_equal(np.asarray(ot.asarray(whole) @ ot.asarray(whole)), whole @ whole)


def test_joining(rng):
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(2, 2))
    x, y = ot.asarray(a), ot.asarray(b)
    np.testing.assert_array_equal(np.asarray(ot.concat([x, y], axis=1)), np.concatenate([a, b], axis=1))
    np.testing.assert_array_equal(np.asarray(ot.stack([x, x], axis=-1)), np.stack([a, a], axis=-1))
    np.testing.assert_array_equal(np.asarray(ot.tile(x, (2, 2))), np.tile(a, (2, 2)))
    np.testing.assert_array_equal(
        np.asarray(ot.repeat(x, ot.asarray([2, 0, 1]), axis=1)), np.repeat(a, [2, 0, 1], axis=1)
    )
    np.testing.assert_array_equal(np.asarray(ot.roll(x, 2, axis=1)), np.roll(a, 2, axis=1))
    np.testing.assert_array_equal(
        np.asarray(ot.pad(x, (1, 2), constant_values=9)), np.pad(a, ((1, 2), (1, 2)), constant_values=9)
    )
    np.testing.assert_array_equal(np.asarray(ot.tril(x)), np.tril(a))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: ot.ones((2, 3)) + ot.ones((4,)), "shapes"),
        (lambda: ot.sum(ot.ones((2,)), axis=1), "axis 1"),
        (lambda: ot.ones((2,)) & 1, "whole numbers or bool"),
        (lambda: ot.ones((3,))[5], "index 5"),
        (lambda: ot.take(ot.arange(3), ot.asarray([3]), axis=0), "index 3"),
        (lambda: ot.asarray("text"), "not supported"),
        (lambda: ot.ones((2,)) @ ot.ones((3,)), "expected (m, k) x (k, n)"),
        (lambda: bool(ot.ones((2,))), "ambiguous"),
        (lambda: ot.ones((2,), device="tpu"), "unknown device"),
    ],
)
def test_mistakes_are_told(wrong, says):
    with pytest.raises((ValueError, TypeError, IndexError), match=r".*") as caught:
        wrong()
    assert says in str(caught.value)


def test_einsum(rng):
    a, b = rng.normal(size=(2, 3, 4)).astype("float32"), rng.normal(size=(2, 4, 5)).astype("float32")
    for subscripts, arrays in (("bij,bjk->bik", (a, b)), ("bij,bjk -> ki", (a, b)), ("bij->jb", (a,)), ("bij", (a,))):
        got = ot.einsum(subscripts, *(ot.asarray(each) for each in arrays))
        np.testing.assert_allclose(np.asarray(got), np.einsum(subscripts, *arrays), rtol=1e-4, atol=1e-5)
    with pytest.raises(ot.UsageError, match="einsum"):
        ot.einsum("ij,jk", ot.asarray(a))


def test_whole_numbers_beyond_int64():
    large = 2**64 - 3
    x = ot.asarray(np.array([1, 2**63 + 5], dtype="uint64"))
    assert (x + (2**63 + 1)).tolist() == [2**63 + 2, 6]
    assert (large - x).tolist() == [large - 1, large - 2**63 - 5]
    assert (x == 2**63 + 5).tolist() == [False, True]
    assert ot.full((2,), large).tolist() == [large, large]
    assert ot.full((), large, dtype="uint64").dtype == "uint64"
    with pytest.raises(OverflowError):
        _ = x + 2**64


def test_default_device():
    assert ot.get_default_device() == "cpu"
    with pytest.raises(ot.DeviceError):
        ot.set_default_device("cuda:99")
    assert ot.get_default_device() == "cpu"
    other = next((device for device in DEVICES if device != "cpu"), None)
    if other is None:
        pytest.skip("there is one device")
    try:
        ot.set_default_device(other)
        for made in (ot.zeros(3), ot.asarray([1.0, 2.0]), ot.arange(4), ot.random.uniform((2,))):
            assert made.device == other
        assert ot.zeros(3, device="cpu").device == "cpu"
        assert ot.__array_namespace_info__().default_device() == other
    finally:
        ot.set_default_device("cpu")
