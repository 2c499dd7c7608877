# SPDX-License-Identifier: MIT
"""Copies that nobody waits for, and what orders them (docs/transfers.md)."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ._library import library
from ._owned import Uncopied
from .arrays._array import Array
from .arrays._dtypes import as_dtype

if TYPE_CHECKING:
    import numpy

_KINDS = {"work": 0, "upload": 1, "download": 2}


class Event(Uncopied):
    """A moment in a stream: when all that it was asked for before is done. Made by :meth:`Stream.record`."""

    __slots__ = ("_handle", "_memory")

    def __init__(self, handle: int, memory: object = None) -> None:
        self._handle = handle
        self._memory = memory  # what is being copied to lives until then

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle:
            library().raw.overtake_event_free(handle)

    def is_done(self) -> bool:
        """Whether it is over; does not wait."""
        done = ctypes.c_int32()
        library().check(library().raw.overtake_event_is_done(self._handle, ctypes.byref(done)))
        return done.value != 0

    def synchronize(self) -> None:
        """Wait until it is over."""
        library().check(library().raw.overtake_event_synchronize(self._handle))

    def seconds_since(self, earlier: Event) -> float:
        """Seconds from `earlier`, an event of the same device, to this one. Waits for both."""
        seconds = ctypes.c_double()
        library().check(library().raw.overtake_event_seconds(self._handle, earlier._handle, ctypes.byref(seconds)))
        return seconds.value


class Stream:
    """A queue of a device: "work" (what is computed), "upload" (:func:`upload_async`) or "download" (:func:`download_async`).

    What is in one is done in order, the three go on side by side: the cpu does everything at once, OpenCL has one queue.
    Arrays are safe in all of them and need no waiting by hand.
    """

    __slots__ = ("_kind", "device", "kind")

    def __init__(self, device: Any = "cpu", kind: str = "work") -> None:
        if kind not in _KINDS:
            raise ValueError(f"kind is {kind!r}, expected one of {', '.join(_KINDS)}")
        self.device, self.kind, self._kind = str(device), kind, _KINDS[kind]

    def record(self) -> Event:
        """The end of what it was asked for so far."""
        event = ctypes.c_void_p()
        lib = library()
        lib.check(lib.raw.overtake_stream_record(self.device.encode(), self._kind, ctypes.byref(event)))
        return Event(event.value or 0)

    def wait(self, event: Event) -> None:
        """Let what it is asked for from now on wait for `event`."""
        library().check(library().raw.overtake_stream_wait(self.device.encode(), self._kind, event._handle))

    def synchronize(self) -> None:
        """Wait until it is done."""
        library().check(library().raw.overtake_stream_synchronize(self.device.encode(), self._kind))


class _Pinned(Uncopied):
    """Page-locked memory as NumPy takes it; freed with the last array that looks at it."""

    def __init__(self, shape: tuple[int, ...], dtype: numpy.dtype[Any], device: str) -> None:
        handle, data = ctypes.c_void_p(), ctypes.c_void_p()
        lib = library()
        count = 1
        for extent in shape:
            count *= extent
        lib.check(lib.raw.overtake_pinned_new(count * dtype.itemsize, device.encode(), ctypes.byref(handle)))
        self._handle = handle.value or 0
        lib.check(lib.raw.overtake_pinned_data(self._handle, ctypes.byref(data)))
        self.device, self.address = device, data.value or 0
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": dtype.str,
            "data": (self.address, False),
        }

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle:
            library().raw.overtake_pinned_free(handle)


def pinned_empty(shape: int | tuple[int, ...], dtype: Any = "float32", device: Any = "cuda") -> numpy.ndarray[Any, Any]:
    """An uninitialised NumPy array in memory that `device` copies from and to fastest: page-locked for CUDA."""
    import numpy

    extents = (int(shape),) if isinstance(shape, int) else tuple(int(each) for each in shape)
    return numpy.asarray(_Pinned(extents, numpy.dtype(str(as_dtype(dtype))), str(device)))


def _pinned_of(values: Any) -> _Pinned:
    """The memory that an array of :func:`pinned_empty`, or a view of one, looks at."""
    base = values
    while base is not None and not isinstance(base, _Pinned):
        base = getattr(base, "base", None)
    if base is None:
        raise ValueError("only arrays of overtake.pinned_empty(), and views of them, are copied without waiting")
    if not values.flags.c_contiguous:
        raise ValueError("only arrays whose elements are row-major, without gaps, are copied without waiting")
    return base


def upload_async(values: numpy.ndarray[Any, Any]) -> Array:
    """An array on the device of `values`, which is of :func:`pinned_empty`. Returns at once; whatever uses the array waits.

    Do not write to `values` before ``Stream(device, "upload").record()`` is done.
    """
    memory = _pinned_of(values)
    array = ctypes.c_void_p()
    lib = library()
    lib.check(
        lib.raw.overtake_upload_async(
            memory._handle,
            values.ctypes.data - memory.address,
            as_dtype(values.dtype).number,
            (ctypes.c_int64 * values.ndim)(*values.shape),
            values.ndim,
            ctypes.byref(array),
        )
    )
    return Array(array.value or 0)


def download_async(array: Array, to: numpy.ndarray[Any, Any]) -> Event:
    """Compute `array` and copy it to `to`, which is of :func:`pinned_empty`, of its shape and type. Returns at once.

    The values are there when the event is done.
    """
    memory = _pinned_of(to)
    if tuple(to.shape) != array.shape or as_dtype(to.dtype) is not array.dtype:
        raise ValueError(f"`to` is {to.dtype}{to.shape}, the array {array.dtype}{array.shape}")
    event = ctypes.c_void_p()
    lib = library()
    lib.check(
        lib.raw.overtake_download_async(
            array._handle, memory._handle, to.ctypes.data - memory.address, ctypes.byref(event)
        )
    )
    return Event(event.value or 0, memory)
