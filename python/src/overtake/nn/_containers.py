# SPDX-License-Identifier: MIT
"""Modules of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._errors import UsageError
from ..arrays._array import Array
from ._module import Module, layer_value, native


class _Numbered(Module):
    """Parts called "0", "1", ..."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._modules.values()))

    def _at(self, index: int) -> Module:
        parts = list(self._modules.values())
        if not -len(parts) <= index < len(parts):
            raise IndexError(f"part {index} of {len(parts)}")
        return parts[index]

    def append(self, module: Any) -> Any:
        """Adds a module at the end; returns itself."""
        if not isinstance(module, Module):
            raise UsageError(f"[{type(self).__name__}] expects modules, got {type(module).__name__}")
        self.add_module(str(len(self)), module)
        return self


class Sequential(_Numbered):
    """Modules one after the other: ``Sequential(Linear(2, 4), ReLU(), Linear(4, 2))``, or one dict of names and modules.

    Values are called "0.weight", "0.bias", ...
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, module)
            return
        for part in modules:
            self.append(part)

    @native
    def forward(self, x: Array) -> Array:
        """The value of the last module for that of the one before it, and so on."""
        return layer_value(self, x)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return Sequential(*list(self._modules.values())[index])
        return self._at(index)


class ModuleList(_Numbered):
    """A list of modules that are parts of whoever has it as an attribute; it computes nothing by itself."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for module in modules:
            self.append(module)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return ModuleList(list(self._modules.values())[index])
        return self._at(index)
