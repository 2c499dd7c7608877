# SPDX-License-Identifier: MIT
"""What users of NumPy and PyTorch reach for: parts by mixed indices, methods, formats, names of types."""

import numpy as np
import pytest

import overtake as ot


def same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


A = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
MASK = np.array([True, False, True, True])
KEYS = [
    ([],),
    [],
    True,
    False,
    (0, slice(None), [1, 2]),
    (slice(None), slice(None), MASK),
    (slice(None), [0, 2], slice(1, 3), [1, 0]),
    ([0, 1], None, [1, 2]),
    (None, [0, 1], [1, 2]),
    (slice(None), None, [0, 1], [1, 2]),
    (slice(None), [0, 1], None, [1, 2]),
    ([1], slice(None), MASK),
    (Ellipsis, [1, 3]),
    ([[0], [1]], [0, 2]),
    (slice(None, None, -1), [2, 0], 1),
    (0, [1, 2], slice(None), 3),
    (slice(None), 1, slice(None), [0, 4]),
    (A[..., 0, 0] > 30, slice(None), 2),
    (slice(0, 1), [-1, 0]),
    (np.int64(1), np.array(2), [0]),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_mixed_indices(key):
    same(ot.asarray(A)[key], A[key])
    numpy_own, ours = A.copy(), ot.asarray(A)
    numpy_own[key] = -1
    ours[key] = -1
    same(ours, numpy_own)
    values = np.arange(A[key].size).reshape(A[key].shape)
    numpy_own[key], ours[key] = values, values
    same(ours, numpy_own)


def test_mixed_indices_have_gradients():
    x = ot.asarray(A, dtype="float32").requires_grad_()
    x[0, :, [1, 2]].sum().backward()
    wanted = np.zeros(A.shape)
    wanted[0, :, [1, 2]] = 1
    same(x.grad, wanted)


def test_formats_and_rounding():
    loss = ot.asarray(2.34567)
    assert f"{loss:.3f}" == "2.346" and f"{loss}" == str(loss)
    assert round(ot.asarray([1.234, -5.678]), 1).tolist() == pytest.approx([1.2, -5.7])
    assert round(ot.asarray(2.5)).item() == 2
    same(ot.round(ot.asarray([149, 151]), -2), [100, 200])
    quotient, rest = divmod(ot.asarray([7, -7]), 3)
    assert quotient.tolist() == [2, -3] and rest.tolist() == [1, 2]
    assert [each.tolist() for each in divmod(7, ot.asarray([2, 3]))] == [[3, 2], [1, 1]]


def test_methods():
    a = np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]], dtype="float32")
    x = ot.asarray(a)
    for name in ("sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin", "cumsum", "cumprod"):
        for arguments in ((), (0,), (1,)):
            got, wanted = getattr(x, name)(*arguments), getattr(a, name)(*arguments)
            np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-6)
    assert x.any().item() is True and (x > 1).all(1).tolist() == [False, True]
    same(x.flatten(), a.flatten())
    same(x.ravel(), a.ravel())
    same(x.sort(), np.sort(a))
    same(x.argsort(), np.argsort(a))
    same(x.clip(2, 4), a.clip(2, 4))
    same(x.round(), a.round())
    same(x.dot(a.T), a.dot(a.T))
    same(x.transpose(), a.T)
    same(x.transpose(1, 0), a.T)
    same(x.transpose((1, 0)), a.T)
    same(x.reshape(3, 2), a.reshape(3, 2))
    same(x.reshape((1, 3, 2)).squeeze(), a.reshape(3, 2))
    same(x.clone(), a)
    assert ot.zeros((0, 2)).flatten().shape == (0,)


def test_einsum_of_diagonals_and_ellipses():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4, 4)).astype("float32"), rng.normal(size=(3, 4, 5)).astype("float32")
    for subscripts, arrays in (
        ("ii", (a[0, 0],)),
        ("ii->i", (a[0, 0],)),
        ("iij", (a[0, 0][:, :, None] * b[0, 0],)),
        ("...ii->...", (a,)),
        ("...ij->...ji", (a,)),
        ("...ij,...jk->...ik", (a, b)),
        ("...ij,...jk", (a, b)),
        ("...", (a,)),
        ("i...->...", (a,)),
    ):
        got = ot.einsum(subscripts, *(ot.asarray(each) for each in arrays))
        np.testing.assert_allclose(np.asarray(got), np.einsum(subscripts, *arrays), rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="einsum"):
        ot.einsum("ii", ot.ones((2, 3)))


def test_names_of_types():
    for name in ("f4", "<f4", "i1", "u8", "?", "f2", "f8", "d", "e", "b"):
        assert ot.zeros(1, dtype=name).dtype == np.dtype(name).name
    with pytest.raises(TypeError, match="f16"):
        ot.zeros(1, dtype="f16")


def test_gradients_set_to_none():
    layer = ot.nn.Linear(2, 1)
    optimizer = ot.optim.SGD(layer.parameters())
    layer(ot.ones((1, 2))).sum().backward()
    optimizer.zero_grad(set_to_none=True)
    layer.zero_grad(set_to_none=True)
    assert layer.weight.grad is None
