# SPDX-License-Identifier: MIT
"""Memory shared with other libraries: on the CPU with NumPy and a fake, on a GPU with PyTorch and CuPy where they are."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

import overtake as ot

HAS_CUDA = any(each["id"].startswith("cuda") and each["usable"] for each in ot.devices())
NAMES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
]
needs_cuda = pytest.mark.skipif(not HAS_CUDA, reason="no CUDA device")


@pytest.mark.parametrize("name", NAMES)
def test_both_ways_without_a_copy(name: str) -> None:
    a = np.arange(12).reshape(3, 4).astype(name)
    x = ot.from_dlpack(a)
    assert (x.dtype.name, x.shape, x.device) == (name, (3, 4), "cpu")
    back = np.from_dlpack(x)
    assert back.ctypes.data == a.ctypes.data
    assert not back.flags.writeable
    np.testing.assert_array_equal(back, a)


def test_strides_are_honoured() -> None:
    a = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    for part in (a.T, a[:, ::-1], a[::-1, 1:, ::2], a[:, None, 0], np.broadcast_to(a[0, 0], (5, 4))):
        x = ot.from_dlpack(part) if part.flags.writeable else ot.asarray(part)
        np.testing.assert_array_equal(x.numpy(), part)
        np.testing.assert_array_equal((x + 1).numpy(), part + 1)


class Owner:
    """A producer of DLPack that says when it is gone."""

    def __init__(self) -> None:
        self.values = np.arange(6.0)
        self.asked: dict[str, Any] = {}

    def __dlpack__(self, **asked: Any) -> Any:
        self.asked = asked
        return self.values.__dlpack__(**{name: each for name, each in asked.items() if name != "stream"})

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def test_memory_lives_as_long_as_any_side_holds_it() -> None:
    owner = Owner()
    gone = weakref.ref(owner.values)
    x = ot.from_dlpack(owner)
    assert owner.asked == {"stream": None, "max_version": (1, 0)}
    later = x + 1
    del owner, x
    gc.collect()
    assert gone() is not None  # `later` is not computed yet
    assert later.tolist() == [1, 2, 3, 4, 5, 6]
    gc.collect()
    assert gone() is None
    y = ot.arange(5)
    view = np.from_dlpack(y)
    del y
    gc.collect()
    for _ in range(5):
        ot.full((5,), 9).eval()
    assert view.tolist() == [0, 1, 2, 3, 4]


def test_capsules_that_no_one_takes_are_given_back() -> None:
    a = np.arange(1000.0)
    gone = weakref.ref(a)
    x = ot.from_dlpack(a)
    del a
    for version in (None, (1, 0)):
        capsule = x.__dlpack__(max_version=version)
        del capsule
    gc.collect()
    assert gone() is not None
    del x
    gc.collect()
    assert gone() is None


def test_arguments_of_the_standard() -> None:
    x = ot.arange(4)
    assert x.__dlpack_device__() == (1, 0)
    assert np.from_dlpack(x, copy=True).ctypes.data != np.from_dlpack(x).ctypes.data
    assert ot.from_dlpack(x) is x
    with pytest.raises(BufferError):
        x.__dlpack__(dl_device=(2, 0))

    class Elsewhere(Owner):
        def __dlpack_device__(self) -> tuple[int, int]:
            return 7, 0

    with pytest.raises(BufferError, match="type 7"):
        ot.from_dlpack(Elsewhere())
    with pytest.raises(AttributeError):
        _ = x.__cuda_array_interface__


def test_before_version_1() -> None:
    class Old(Owner):
        def __dlpack__(self) -> Any:  # type: ignore[override]
            return self.values.__dlpack__()

    assert ot.from_dlpack(Old()).tolist() == [0, 1, 2, 3, 4, 5]


def test_cuda_array_interface_of_a_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    from overtake.arrays import _share

    monkeypatch.setattr(_share, "_cuda_device_of", lambda x: "cpu")

    class Fake:
        values = np.arange(12, dtype=np.float32).reshape(3, 4).T

        @property
        def __cuda_array_interface__(self) -> dict[str, Any]:
            address, strides = self.values.ctypes.data, self.values.strides
            return {
                "shape": (4, 3),
                "typestr": "<f4",
                "data": (address, False),
                "strides": strides,
                "version": 3,
                "stream": 1,
            }

    held = len(_share._held)
    x = ot.asarray(Fake())
    y = x + 1
    assert len(_share._held) == held + 1
    assert x.tolist() == Fake.values.tolist()  # computing it puts the strided values in order, in memory of its own
    assert y.tolist() == (Fake.values + 1).tolist()
    del x, y
    gc.collect()
    assert len(_share._held) == held


@pytest.mark.parametrize("module", ["torch", "jax.numpy"])
def test_other_libraries_on_the_cpu(module: str) -> None:
    other = pytest.importorskip(module)
    x = ot.arange(6).astype("float32").reshape((2, 3)).eval()
    np.testing.assert_array_equal(np.asarray(other.from_dlpack(x)), x.numpy())
    np.testing.assert_array_equal(ot.from_dlpack(other.ones((2, 3))).numpy(), np.ones((2, 3)))


@needs_cuda
@pytest.mark.parametrize("name", NAMES)
def test_torch_on_the_gpu(name: str) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available() or not hasattr(torch, name):
        pytest.skip("PyTorch has no such tensors here")
    t = torch.arange(12, device="cuda").reshape(3, 4).to(getattr(torch, name))
    for given in (t, t.T, t[1:, ::2]):
        x = ot.from_dlpack(given)
        assert x.device == "cuda:0"
        np.testing.assert_array_equal(ot.flip(x).numpy(), np.flip(given.cpu().numpy()))
    x = ot.from_dlpack(t)
    back = torch.from_dlpack(x)
    assert back.data_ptr() == t.data_ptr()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):  # work under way on another stream comes first
        big = torch.ones(1 << 26, device="cuda")
        for _ in range(20):
            big = big * 1.0 + 1.0
        assert float(ot.max(ot.from_dlpack(big))) == 21.0
        made = ot.ones((1 << 26,), device="cuda") * 2.0
        assert float(torch.from_dlpack(made).sum()) == float(1 << 27)


@needs_cuda
def test_cuda_array_interface() -> None:
    cupy = pytest.importorskip("cupy")
    c = cupy.arange(12, dtype="float32").reshape(3, 4)
    for given in (c, c.T, c[::-1, 1:]):

        class Only:
            __cuda_array_interface__ = given.__cuda_array_interface__
            device = given.device

        x = ot.asarray(Only())
        np.testing.assert_array_equal((x * 2).numpy(), (given * 2).get())
    y = ot.arange(5, device="cuda").astype("float32").eval()
    z = cupy.asarray(y)
    assert z.data.ptr == y.__cuda_array_interface__["data"][0]
    y[0] = 9  # a new value: what was lent stays
    np.testing.assert_array_equal(z.get(), np.arange(5.0))
    np.testing.assert_array_equal(ot.from_dlpack(c).numpy(), c.get())
    np.testing.assert_array_equal(cupy.from_dlpack(y).get(), y.numpy())


@needs_cuda
def test_nothing_crosses_the_bus() -> None:
    torch = pytest.importorskip("torch")
    t = torch.ones(1 << 20, device="cuda")
    x = ot.asarray(t)
    assert x.device == "cuda:0"
    assert torch.from_dlpack(x).data_ptr() == t.data_ptr()
