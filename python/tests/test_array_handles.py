# SPDX-License-Identifier: MIT
"""Who frees what: copies, pickles, arrays of one call, threads, capsules. What crashed once."""

import copy
import pickle
import threading

import numpy as np
import pytest

import overtake as ot


def same(got, wanted):
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


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


def test_a_refused_capsule_leaves_the_error_alone():
    array = ot.asarray([1.0, 2.0], dtype="bfloat16")
    for _ in range(3):
        with pytest.raises((RuntimeError, BufferError, TypeError)) as caught:
            np.from_dlpack(array)
        assert not isinstance(caught.value, SystemError)
    same(np.from_dlpack(ot.asarray([1.0, 2.0])), [1, 2])
