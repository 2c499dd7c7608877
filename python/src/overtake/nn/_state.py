# SPDX-License-Identifier: MIT
"""States: named arrays, in memory and in safetensors files."""

from __future__ import annotations

import ctypes
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._calls import to_json
from .._errors import UsageError
from .._handles import Handle, array_from, check
from .._library import library
from ..arrays._array import Array
from ..arrays._creation import asarray

if TYPE_CHECKING:
    from ._module import Module


class IncompatibleKeys(NamedTuple):
    """What load_state_dict(strict=False) left alone."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def arrays_of(state: Handle) -> dict[str, Array]:
    """The arrays of an overtake_state by name."""
    names = json.loads(library().text_of("overtake_state_names", state.value))
    return {name: array_from("overtake_state_array", state.value, i) for i, name in enumerate(names)}


def state_of(arrays: Mapping[str, Any]) -> Handle:
    """An overtake_state of arrays by name."""
    if not isinstance(arrays, Mapping):
        raise UsageError(f"a state is a dict of names and arrays, got {type(arrays).__name__}")
    state = Handle("state", "overtake_state_new")
    for name, value in arrays.items():
        array = value if isinstance(value, Array) else asarray(value)
        check(library().raw.overtake_state_add(state.value, str(name).encode(), array._handle))
    return state


def keys_of(function: str, *arguments: object) -> IncompatibleKeys:
    text = ctypes.c_void_p()
    check(getattr(library().raw, function)(*arguments, ctypes.byref(text)))
    return IncompatibleKeys(**json.loads(library().take_text(text)))


def _path(path: str | os.PathLike[str]) -> bytes:
    return os.fsencode(path)


def save_state(path: str | os.PathLike[str], module: Module, metadata: Mapping[str, str] | None = None) -> None:
    """Writes ``module.state_dict()`` to a safetensors file, which PyTorch reads with ``safetensors.torch.load_file()``.

    The file appears complete or not at all. Raises UsageError for metadata that begins with "overtake.", DataError where
    the file cannot be written.
    """
    write_state_dict(path, module.state_dict(), metadata)


def load_state(path: str | os.PathLike[str], module: Module, strict: bool = True) -> IncompatibleKeys:
    """``module.load_state_dict()`` of a safetensors file of ours or PyTorch's; nothing is changed where it does not fit."""
    return keys_of("overtake_module_load_file", module._handle.value, _path(path), int(strict))


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, Array]:
    """The arrays of a safetensors file, on the cpu: floating ones as float32, whole numbers as int32."""
    return arrays_of(Handle("state", "overtake_state_read", _path(path)))


def write_state_dict(
    path: str | os.PathLike[str], state: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes arrays by name to a safetensors file."""
    held = state_of(state)
    check(library().raw.overtake_state_write(held.value, _path(path), to_json(dict(metadata or {}))))
