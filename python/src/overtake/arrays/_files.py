# SPDX-License-Identifier: MIT
"""Arrays in NumPy's files, with NumPy's names."""

from __future__ import annotations

import ctypes
import os
from typing import Any

from .._errors import DataError
from .._library import library
from .._model import Model, load_model
from .._model import _bytes_of as _path
from ._array import Array
from ._creation import asarray
from ._handle import handles_of

Place = str | os.PathLike[str]


def _named(file: Place, suffix: bytes) -> bytes:
    place = _path(file)
    return place if place.endswith(suffix) else place + suffix


def save(file: Place, arr: Any) -> None:
    """Write an array to a .npy file, whole or not at all; the suffix is added where it is missing.

    Raises
    ------
    DataError
        Where the file cannot be written.
    """
    library().check(library().raw.overtake_array_save_npy(asarray(arr)._handle, _named(file, b".npy")))


def _save_all(file: Place, args: tuple[Any, ...], kwds: dict[str, Any], deflate: int) -> None:
    arrays = {name: asarray(each) for name, each in kwds.items()}
    for i, each in enumerate(args):
        if f"arr_{i}" in arrays:
            raise ValueError(f"two arrays have the name arr_{i}")
        arrays[f"arr_{i}"] = asarray(each)
    names = (ctypes.c_char_p * len(arrays))(*(name.encode() for name in arrays))
    held = [each._handle for each in arrays.values()]  # until the call is over
    raw = library().raw
    library().check(raw.overtake_arrays_save_npz(_named(file, b".npz"), names, handles_of(held), len(held), deflate))


def savez(file: Place, *args: Any, **kwds: Any) -> None:
    """Write arrays to a .npz file, whole or not at all: those without a name are arr_0, arr_1, ..."""
    _save_all(file, args, kwds, 0)


def savez_compressed(file: Place, *args: Any, **kwds: Any) -> None:
    """As :func:`savez`, deflated."""
    _save_all(file, args, kwds, 1)


def _text(name: bytes, place: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise DataError(f"{os.fsdecode(place)}: the name of an array, {name!r}, is no UTF-8") from None


def _load_npz(place: bytes, device: bytes | None) -> dict[str, Array]:
    lib = library()
    text = ctypes.c_void_p()
    lib.check(lib.raw.overtake_npz_names(place, ctypes.byref(text)))
    arrays = {}
    for name in lib.take_bytes(text).split(b"\0")[:-1]:
        made = ctypes.c_void_p()
        lib.check(lib.raw.overtake_array_load_npz(place, name, device, ctypes.byref(made)))
        arrays[_text(name, place)] = Array(made.value or 0)
    return arrays


def load(path: Place, device: str | None = None) -> Any:
    """Read a .npy file (an :class:`Array`), a .npz file (a dict of them), or a model file (a :class:`Model`).

    The first bytes of the file say which it is. Arrays go to `device`; networks compute there. Pickled objects are
    never read.

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    place = _path(path)
    where = device.encode() if device else None
    try:
        with open(place, "rb") as file:
            begin = file.read(6)
    except OSError:  # the library says what is wrong
        begin = b""
    if begin == b"\x93NUMPY":
        made = ctypes.c_void_p()
        library().check(library().raw.overtake_array_load_npy(place, where, ctypes.byref(made)))
        return Array(made.value or 0)
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _load_npz(place, where)
    model: Model = load_model(path, device)
    return model
