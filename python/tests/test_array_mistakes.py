# SPDX-License-Identifier: MIT
"""Mistakes in arguments, and what is said of them. What was taken in silence once, or told unclearly."""

import numpy as np
import pytest

import overtake as ot


def same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


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
