# SPDX-License-Identifier: MIT
"""Networks in files: layers and their state, for C++ and Python alike (overtake/nn/model_file.hpp)."""

from __future__ import annotations

import ctypes
import inspect
import json
import os
from collections.abc import Mapping
from typing import Any

from .._calls import to_json
from .._errors import UsageError
from .._handles import Handle, check
from .._library import library
from . import _images, _layers
from ._containers import Sequential
from ._module import Module
from ._state import arrays_of


def save_model(path: str | os.PathLike[str], net: Sequential, metadata: Mapping[str, str] | None = None) -> None:
    """Writes a Sequential of the library's layers (and Sequentials) to a safetensors file, its architecture with it.

    The tensors are those of ``state_dict()``. Raises UsageError for modules of one's own and named parts, which
    :func:`save_state` is for, and DataError where the file cannot be written.
    """
    if not isinstance(net, Sequential):
        raise UsageError(
            f"[save_model] expects a Sequential, got {type(net).__name__}", "save_state() takes any module."
        )
    check(library().raw.overtake_module_save(net._handle.value, os.fsencode(path), to_json(dict(metadata or {}))))


def load_model(path: str | os.PathLike[str]) -> Sequential:
    """The network that save_model() wrote, here or in C++: on the cpu, in evaluation mode.

    Raises DataError, naming the file and what is wrong, for anything else.
    """
    text = ctypes.c_void_p()
    values = Handle("state", "overtake_module_read", os.fsencode(path), ctypes.byref(text))
    net = _sequential(json.loads(library().take_text(text))["layers"])
    held = dict(net.named_parameters()) | dict(net.named_buffers())
    for name, value in arrays_of(values).items():
        held[name].copy_(value)
    return net.eval()


def _sequential(layers: list[dict[str, Any]]) -> Sequential:
    return Sequential(*(_made(**layer) for layer in layers))


def _made(type: str, layers: list[dict[str, Any]] | None = None, **attributes: float) -> Module:
    """The layer of an architecture: attributes are arguments, those that are numbered the members of one."""
    if layers is not None:
        return _sequential(layers)
    layer = getattr(_layers if hasattr(_layers, type) else _images, type)
    known = inspect.signature(layer.__init__).parameters
    arguments: dict[str, Any] = {}
    for name, value in attributes.items():
        number = int(value) if value == int(value) else value
        if name in known and isinstance(known[name].default, bool):
            number = bool(value)
        whole, _, place = name.rpartition("_")
        if place.isdigit():
            arguments[whole] = (*arguments.get(whole, ()), number)
        else:
            arguments[name] = number
    if arguments.pop("cumulative_average", 0):
        arguments["momentum"] = None
    made: Module = layer(**arguments)
    return made
