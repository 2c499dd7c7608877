# SPDX-License-Identifier: MIT
"""What arrays once did wrong: crashes, silent wrong answers, unclear errors."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import overtake as ot

WHOLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


# -- who frees what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8", "bool"])
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)), lambda x: x.copy()])
def test_copies_of_arrays(how, dtype):
    x = ot.asarray([0, 1, 2], dtype=dtype)
    y = how(x)
    x[0] = 1
    del x
    assert y.dtype == dtype and y.device == "cpu" and y.tolist() == ot.asarray([0, 1, 2], dtype=dtype).tolist()


def test_copies_have_gradients_of_their_own():
    x = ot.asarray([1.0, 2.0]).requires_grad_()
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.requires_grad
        (y * y).sum().backward()
        assert x.grad is None and y.grad.tolist() == [2, 4]
    plain = ot.asarray([1.0])
    plain.copy().requires_grad_()
    assert not plain.requires_grad


def test_copies_of_what_holds_arrays():
    net = ot.nn.Sequential(ot.nn.Linear(2, 3), ot.nn.BatchNorm1d(3))
    net.table = ot.asarray([1, 2])
    state = copy.deepcopy(net.state_dict())
    optimizer = ot.optim.Adam(net.parameters())
    kept = copy.deepcopy(optimizer.state_dict())
    for other in (copy.deepcopy(net), copy.copy(net[0]), pickle.loads(pickle.dumps(net))):
        del other
    assert copy.deepcopy(net).table.tolist() == [1, 2]
    parameter = copy.deepcopy(net[0].weight)
    assert type(parameter) is ot.nn.Parameter and parameter.requires_grad
    buffer = pickle.loads(pickle.dumps(net[1].running_mean))
    assert type(buffer) is ot.nn.Buffer and buffer.tolist() == [0, 0, 0]
    net.load_state_dict(state)
    optimizer.load_state_dict(kept)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_owns_something_is_not_copied(how):
    event = ot.Stream("cpu").record()
    owners = [
        event,
        ot.profile(),
        ot.optim.SGD(ot.nn.Linear(1, 1).parameters())._handle,
        ot.pinned_empty(3, device="cpu").base,
    ]
    for owner in owners:
        with pytest.raises(TypeError, match="copied or pickled"):
            how(owner)


def test_arrays_for_one_call_live_until_it_is_over(tmp_path):
    for i, value in enumerate((np.arange(3.0), [1.0, 2.0], 3.0, True, np.float32(2))):
        ot.save(tmp_path / f"{i}.npy", value)
        same(np.load(tmp_path / f"{i}.npy"), np.asarray(value))
    ot.savez(tmp_path / "all.npz", np.arange(3), b=[1.5])
    assert ot.load(tmp_path / "all.npz")["b"].tolist() == [1.5]
    ot.eval(ot.ones(3) + 1, ot.zeros(2))
    assert ot.nn.Parameter([1.0, 2.0]).sum().item() == 3
    assert ot.nn.Linear(2, 1).weight.shape == (1, 2)


def test_assignment_while_others_read():
    x = ot.zeros(64)
    ended = threading.Event()
    failed = []

    def read():
        try:
            while not ended.is_set():
                assert x.shape == (64,) and float((x + 1).sum()) >= 64
        except BaseException as error:
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for i in range(300):
        x[i % 64] = i
        x += 1
    ended.set()
    for each in readers:
        each.join()
    assert not failed


# -- numbers that an array's type cannot hold ------------------------------------------------------------------------------


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


# -- what was taken in silence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        (lambda: ot.repeat(ot.arange(3), -1), ValueError, "repeats is -1"),
        (lambda: ot.repeat(ot.arange(2), ot.asarray([1, -1])), ValueError, "negative"),
        (lambda: ot.sum(ot.ones(3), axis=0.9), TypeError, "axis is 0.9"),
        (lambda: ot.sum(ot.ones(3), axis="a"), TypeError, "[sum] axis is 'a'"),
        (lambda: ot.max(ot.ones(3), axis="a"), TypeError, "[max] axis is 'a'"),
        (lambda: ot.argmax(ot.ones(3), axis=0.5), TypeError, "[argmax] axis is 0.5"),
        (lambda: ot.diff(ot.ones(3), n=-1), ValueError, "n is -1"),
        (lambda: ot.random.seed(1.5), TypeError, "seed is 1.5"),
        (lambda: ot.random.uniform((2,), seed=1.5), TypeError, "seed is 1.5"),
        (lambda: ot.nn.CrossEntropyLoss(label_smoothing=1.0), ValueError, "label_smoothing"),
        (lambda: ot.nn.CrossEntropyLoss(label_smoothing=-0.1), ValueError, "label_smoothing"),
        (lambda: ot.asarray([True]) - ot.asarray([True]), TypeError, "subtract"),
        (lambda: ot.asarray([True]) - True, TypeError, "subtract"),
        (lambda: ot.subtract(ot.asarray([True]), ot.asarray([True])), TypeError, "subtract"),
        (lambda: -ot.asarray([True]), TypeError, "negative"),
        (lambda: ot.negative(ot.asarray([True])), TypeError, "negative"),
        (lambda: ot.asarray([2]) ** -1, ValueError, "power -1"),
        (lambda: ot.pow(ot.asarray([2]), -1), ValueError, "power -1"),
        (lambda: ot.ones(2.5), TypeError, "[ones] shape is 2.5"),
        (lambda: ot.zeros((2, "a")), TypeError, "[zeros] shape is 'a'"),
        (lambda: ot.zeros(-1), ValueError, "[zeros] shape is -1"),
        (lambda: ot.random.uniform((2, -1)), ValueError, "[random.uniform]"),
        (lambda: ot.reshape(ot.arange(6), (4, -1)), ValueError, "(4, -1) asks for a multiple of 4"),
        (lambda: ot.arange(6).reshape(-2, 3), ValueError, "[reshape] the shape (-2, 3)"),
        (lambda: ot.pad(ot.arange(6), "a"), TypeError, "[pad] widths is 'a'"),
        (lambda: ot.pad(ot.arange(6), (1, 2, 3)), ValueError, "[pad] widths is (1, 2, 3)"),
        (lambda: ot.broadcast_to(ot.ones(3), (2,)), ValueError, "[broadcast_to]"),
        (lambda: ot.tensordot(ot.ones((2, 2)), ot.ones((2, 2)), axes=([0, 0], [0, 1])), ValueError, "[tensordot]"),
        (lambda: ot.tensordot(ot.ones((2, 2)), ot.ones((2, 2)), axes=3), ValueError, "[tensordot]"),
        (lambda: ot.split(ot.arange(5), 2), ValueError, "equal parts"),
        (lambda: ot.arange(3)[[0, 1], [0, 1]], IndexError, "2 indices"),
        (lambda: ot.ones((3, 3))[[0, 1], [0, 1, 2]], IndexError, "(2,), (3,)"),
        (lambda: ot.ones(3)[[5]], IndexError, "5"),
        (lambda: ot.take(ot.ones(3), [3]), IndexError, "index 3"),
        (lambda: ot.take_along_axis(ot.ones(3), ot.asarray([3])), IndexError, "index 3"),
        (lambda: ot.nn.Embedding(3, 2)(ot.asarray([3])), IndexError, "index 3"),
        (lambda: ot.nn.Embedding(3, 2)(ot.asarray([0.5])), ValueError, "Embedding"),
        (lambda: ot.ones(3).__setitem__(slice(None), ot.ones(2)), ValueError, "[assignment]"),
        (lambda: ot.sum("text"), TypeError, "[sum] x is 'text'"),
        (lambda: ot.topk(None, 1), TypeError, "[topk] x is None"),
        (lambda: ot.concat("ab"), TypeError, "[concat] arrays is 'ab'"),
        (lambda: ot.stack([ot.ones(2), "b"]), TypeError, "[stack] arrays[1] is 'b'"),
        (lambda: f"{ot.ones(2):.2f}", TypeError, "format"),
    ],
)
def test_mistakes_are_told(wrong, error, says):
    with pytest.raises(error) as caught:
        wrong()
    assert says in str(caught.value)


def test_lists_and_numbers_are_arrays_everywhere():
    same(ot.nonzero([0, 1])[0], [1])
    same(ot.tril([[1, 2], [3, 4]]), [[1, 0], [3, 4]])
    same(ot.triu(np.ones((2, 2))), np.triu(np.ones((2, 2))))
    assert ot.topk([3.0, 1.0], 1).values.tolist() == [3]
    assert ot.unique_values([1, 1, 2]).tolist() == [1, 2]
    assert ot.unique_all(np.array([1, 1])).counts.tolist() == [2]
    same(ot.meshgrid([1, 2], np.arange(3))[1], np.meshgrid([1, 2], np.arange(3))[1])
    assert ot.broadcast_arrays([1, 2], 3)[1].tolist() == [3, 3]
    assert [each.tolist() for each in ot.split([1, 2, 3], [1])] == [[1], [2, 3]]
    assert [each.item() for each in ot.unstack([1, 2])] == [1, 2]
    assert ot.concat([[1], np.array([2])]).tolist() == [1, 2]
    assert ot.sum([1, 2]).item() == 3 and ot.mean(2.0).item() == 2
    assert ot.take([5, 6], [1, 0]).tolist() == [6, 5]
    assert ot.searchsorted([1, 3], 300).item() == 2
    assert ot.squeeze([[1]]).shape == () and ot.expand_dims([1], (0, 2)).shape == (1, 1, 1)


def test_histogram_with_edges():
    x = np.array([0.0, 0.5, 1, 3.9, 4, 5, np.nan])
    for edges in ([0, 1, 4], [0.5, 1.0], np.linspace(-1, 6, 8)):
        counts, ends = ot.histogram(x, bins=edges)
        same(counts, np.histogram(x, bins=edges)[0])
        np.testing.assert_allclose(np.asarray(ends), edges)
    with pytest.raises(ValueError, match="rise"):
        ot.histogram(x, bins=[1, 0])


def test_padding_as_numpy():
    a = np.arange(6).reshape(2, 3)
    for widths in (1, (1, 2), ((1, 2), (0, 3)), [(1, 0)]):
        same(ot.pad(ot.asarray(a), widths), np.pad(a, widths))
    with pytest.raises(ValueError, match="widths"):
        ot.pad(ot.asarray(a), -1)


def test_names_in_archives_that_mislead(tmp_path):
    np.savez(tmp_path / "good.npz", abc=np.arange(3))
    good = (tmp_path / "good.npz").read_bytes()
    for name in (b"a\xffc.npy", b"a\0c.npy"):
        (tmp_path / "bad.npz").write_bytes(good.replace(b"abc.npy", name))
        with pytest.raises(ot.DataError, match="name of an array"):
            ot.load(tmp_path / "bad.npz")


def test_values_of_another_device_are_refused():
    other = next((each for each in ot.__array_namespace_info__().devices() if each != "cpu"), None)
    if other is None:
        pytest.skip("there is one device")
    x = ot.arange(6)
    with pytest.raises(ValueError, match=r"\[assignment\] the values are on"):
        x[:2] = ot.ones(2, device=other)


def test_a_model_without_outputs():
    class Empty(ot.nn.Module):
        def __init__(self):
            self.layer = ot.nn.Linear(2, 1)

        def forward(self, x):
            return self.layer(x)[:, :0]

    model = Empty()
    trainer = ot.Trainer(model, ot.nn.CrossEntropyLoss(), ot.optim.SGD(model.parameters()), epochs=1, progress=False)
    with pytest.raises(ot.DataError, match="no outputs"):
        trainer.fit(np.ones((4, 2), "float32"), [0, 0, 0, 0])


# -- parts -------------------------------------------------------------------------------------------------------------


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


# -- what users of NumPy and PyTorch reach for -----------------------------------------------------------------------------


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


# -- numbers of the library --------------------------------------------------------------------------------------------------


def test_a_refused_capsule_leaves_the_error_alone():
    array = ot.asarray([1.0, 2.0], dtype="bfloat16")
    for _ in range(3):
        with pytest.raises((RuntimeError, BufferError, TypeError)) as caught:
            np.from_dlpack(array)
        assert not isinstance(caught.value, SystemError)
    same(np.from_dlpack(ot.asarray([1.0, 2.0])), [1, 2])


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


def test_labels_that_are_no_class():
    logits = ot.asarray([[1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]).requires_grad_()
    for wrong in (2, -1, 7):
        with pytest.raises(IndexError, match=f"label {wrong}"):
            ot.nn.cross_entropy(logits, ot.asarray([0, wrong, 1]))
    part = ot.nn.cross_entropy(logits, ot.asarray([0, -100, 1]))
    whole = ot.nn.cross_entropy(logits[[0, 2]], ot.asarray([0, 1]))
    assert part.item() == pytest.approx(whole.item())
    part.backward()
    assert logits.grad[1].tolist() == [0, 0]
    with pytest.raises(IndexError, match="-100"):
        ot.nn.cross_entropy(logits, ot.asarray([0, -100, 1]), ignore_index=None)
    assert ot.nn.cross_entropy(logits, ot.asarray([0, 5, 1]), ignore_index=5).item() == pytest.approx(whole.item())
    shares = ot.asarray([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
    assert ot.isfinite(ot.nn.cross_entropy(logits, shares)).item()
    with pytest.raises(ValueError, match="ignore_index"):
        ot.nn.cross_entropy(logits, shares, ignore_index=1)
    table = ot.nn.Embedding(3, 2)
    assert table(ot.asarray([0.0, 2.0])).shape == (2, 2)


def test_a_trainer_takes_the_default_loss():
    model = ot.nn.Linear(2, 2)
    trainer = ot.Trainer(model, ot.nn.CrossEntropyLoss(), ot.optim.SGD(model.parameters()), epochs=1, progress=False)
    trainer.fit(np.zeros((4, 2), "float32"), [0, 1, 0, 1])
    trainer = ot.Trainer(
        model,
        lambda output, target: ot.nn.cross_entropy(output, target.reshape((-1,)).astype("int32")),
        ot.optim.SGD(model.parameters()),
        epochs=1,
        progress=False,
    )
    trainer.fit(np.zeros((4, 2), "float32"), np.zeros((4, 1), "float32"))


INTERRUPTED = """
import os, signal, sys, threading, time
import overtake as ot
x = ot.random.uniform((1 << 22,)).eval()
y = x
for _ in range(400):
    y = ot.sin(y) * 1.01
at = [0.0]
def kill():
    time.sleep(0.3)
    at[0] = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
thread = threading.Thread(target=kill)
thread.start()
try:
    y.eval()
except KeyboardInterrupt:
    seconds = time.monotonic() - at[0]
else:
    sys.exit("not interrupted")
thread.join()
assert seconds < 2, seconds
assert (x + 1)[:2].shape == (2,) and float((x[:2] * 0 + 1).sum()) == 2
seen = []
def handler(*_):
    try:
        seen.append(float(ot.ones(3).sum()))
    except ot.UsageError as error:
        seen.append(error)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
(y[: 1 << 20] + 1).eval()
assert len(seen) == 1, seen
"""


def test_ctrl_c_ends_a_computation():
    subprocess.run([sys.executable, "-c", INTERRUPTED], check=True, timeout=200)
