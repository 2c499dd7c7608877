# SPDX-License-Identifier: MIT
"""Memory shared with other libraries without a copy: DLPack 1.0 and ``__cuda_array_interface__`` 3."""

from __future__ import annotations

import ctypes
import functools
import itertools
from typing import Any

from .._library import library
from . import _dtypes
from ._array import Array

_VERSIONED, _USED_VERSIONED = b"dltensor_versioned", b"used_dltensor_versioned"
_LEGACY, _USED_LEGACY = b"dltensor", b"used_dltensor"
_CPU, _CUDA, _CUDA_HOST, _CUDA_MANAGED = 1, 2, 3, 13
_KINDS = {"b": "bool", "i": "int", "u": "uint", "f": "float"}

_python = ctypes.pythonapi
_new_capsule = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _python)
)
# The capsule by its address: a destructor must not hold what is being destroyed.
_is_named = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _python))
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _python))
_rename = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_SetName", _python))


@functools.cache
def _destructor() -> ctypes.c_void_p:
    """The library's: one of Python's could not leave an error alone that is on its way."""
    return ctypes.cast(library().raw.overtake_python_capsule_end, ctypes.c_void_p)


def lend(array: Array, versioned: bool, wait: bool) -> Any:
    """A capsule over the array's memory."""
    tensor = ctypes.c_void_p()
    lib = library()
    lib.check(lib.raw.overtake_array_to_dlpack(array._handle, int(versioned), int(wait), ctypes.byref(tensor)))
    return _new_capsule(tensor, _VERSIONED if versioned else _LEGACY, _destructor())


def _device_of(x: Any) -> str:
    kind, index = x.__dlpack_device__()
    if kind in (_CPU, _CUDA_HOST):
        return "cpu"
    if kind in (_CUDA, _CUDA_MANAGED):
        return f"cuda:{index}"
    raise BufferError(f"memory on a device of DLPack's type {int(kind)} cannot be shared: move it to the CPU first")


def stream_of(device: str) -> int:
    """The stream that a device's work goes into; 0 for all but cuda devices."""
    stream = ctypes.c_uint64()
    lib = library()
    lib.check(lib.raw.overtake_stream_of(device.encode(), ctypes.byref(stream)))
    return stream.value


def _capsule_of(x: Any, device: str, copy: bool | None) -> Any:
    """The producer's capsule; its work comes before ours in our stream then."""
    stream = stream_of(device) if device.startswith("cuda") else None
    try:
        if copy is None:
            return x.__dlpack__(stream=stream, max_version=(1, 0))
        return x.__dlpack__(stream=stream, max_version=(1, 0), copy=copy)
    except TypeError:  # before DLPack 1.0
        if copy:
            raise
        return x.__dlpack__(stream=stream) if stream is not None else x.__dlpack__()


def borrow(x: Any, copy: bool | None = None) -> Array:
    """An array over the memory of `x`, which has ``__dlpack__``."""
    device = _device_of(x)
    capsule = _capsule_of(x, device, copy)
    address = id(capsule)
    versioned = bool(_is_named(address, _VERSIONED))
    name, used = (_VERSIONED, _USED_VERSIONED) if versioned else (_LEGACY, _USED_LEGACY)
    if not _is_named(address, name):
        raise TypeError(f"__dlpack__() of {type(x).__name__} gave no capsule of a tensor")
    made = ctypes.c_void_p()
    lib = library()
    lib.check(lib.raw.overtake_array_from_dlpack(_pointer(address, name), int(versioned), ctypes.byref(made)))
    _rename(address, used)
    return Array(made.value or 0)


# -- __cuda_array_interface__ ------------------------------------------------------------------------------------------

_held: dict[int, Any] = {}  # by number: what arrays over foreign memory keep alive
_numbers = itertools.count(1)


def _let_go(number: int) -> None:
    _held.pop(number, None)


_release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_let_go)


def describe_for_cuda(array: Array) -> dict[str, Any]:
    """What ``__cuda_array_interface__`` says of an array of a cuda device."""
    if array.dtype is _dtypes.bfloat16:
        raise AttributeError("bfloat16 has no __cuda_array_interface__: use DLPack, or astype()")
    address = ctypes.c_uint64()
    lib = library()
    lib.check(lib.raw.overtake_array_address(array._handle, ctypes.byref(address)))
    kind = {"bool": "|b", "signed integer": "<i", "unsigned integer": "<u", "real floating": "<f"}[array.dtype.kind]
    return {
        "shape": array.shape,
        "typestr": f"{kind}{array.dtype.itemsize}".replace("<i1", "|i1").replace("<u1", "|u1"),
        "data": (address.value if array.size else 0, True),  # read-only: arrays never change
        "strides": None,
        "version": 3,
        "stream": stream_of(array.device) or None,
    }


def adopt_cuda(x: Any) -> Array:
    """An array over the memory of `x`, which has ``__cuda_array_interface__``."""
    told = x.__cuda_array_interface__
    if told.get("mask") is not None:
        raise TypeError("masked arrays are not supported")
    typestr = told["typestr"]
    name = _KINDS.get(typestr[1], typestr) + ("" if typestr[1] == "b" else str(8 * int(typestr[2:])))
    if typestr[0] == ">" and typestr[2:] != "1":
        raise TypeError(f"elements of type {typestr} are in the other byte order")
    dtype = _dtypes.as_dtype(name)
    shape = tuple(int(each) for each in told["shape"])
    strides = told.get("strides")
    if strides is not None and any(each % dtype.itemsize for each in strides):
        raise BufferError(f"strides of {strides} bytes are no multiples of {dtype.itemsize}")
    device = _cuda_device_of(x)
    if told.get("stream") is not None:
        library().check(library().raw.overtake_synchronize_everyone(device.encode()))
    number = next(_numbers)
    _held[number] = x
    made = ctypes.c_void_p()
    lib = library()
    status = lib.raw.overtake_array_from_foreign(
        told["data"][0] or 0,
        dtype.number,
        (ctypes.c_int64 * len(shape))(*shape),
        None if strides is None else (ctypes.c_int64 * len(shape))(*(each // dtype.itemsize for each in strides)),
        len(shape),
        device.encode(),
        ctypes.cast(_release, ctypes.c_void_p),
        number,
        ctypes.byref(made),
    )
    if status:
        del _held[number]
    lib.check(status)
    return Array(made.value or 0)


def _cuda_device_of(x: Any) -> str:
    """The interface does not say which GPU; the libraries that have it do."""
    device = getattr(x, "device", None)
    index = getattr(device, "index", None)  # PyTorch
    index = getattr(device, "id", None) if index is None else index  # CuPy
    return f"cuda:{index if isinstance(index, int) else 0}"
