# SPDX-License-Identifier: MIT
"""Arrays that live in modules: parameters and buffers."""

from __future__ import annotations

import ctypes
from typing import Any

from .._handles import Handle, check
from .._library import library
from ..arrays._array import Array
from ..arrays._creation import asarray
from ..arrays._handle import ArrayHandle


class Held(Array):
    """An array that a module holds: always the value it has now, whoever changed it."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Handle) -> None:
        address = ctypes.c_void_p()
        check(library().raw.overtake_parameter_array(owner.value, ctypes.byref(address)))
        handle = ArrayHandle(address.value)
        handle.owner = owner
        super().__init__(handle)
        self._owner = owner

    def _replace(self, value: Array) -> Array:
        check(library().raw.overtake_parameter_assign(self._owner.value, value._handle))
        self._handle.described = self._handle.kernel_key = self._handle.kernel_extents = None
        return self

    def __copy__(self) -> Any:
        return self.__deepcopy__({})

    def copy_(self, value: Any) -> Held:
        """Takes the values of an array (or list) of the same shape, on its own device and as its own type; returns itself.

        Requiring a gradient, and the gradient, stay as they are.
        """
        self._replace(value if isinstance(value, Array) else asarray(value))
        return self


class Parameter(Held):
    """A value that optimisers change: a copy of `data`, which requires a gradient.

    An attribute of a :class:`Module` that is one belongs to the module. In place, under :func:`overtake.no_grad`:
    ``p -= lr * p.grad``.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        if isinstance(data, Handle):
            super().__init__(data)
            return
        value = data if isinstance(data, Array) else asarray(data)
        super().__init__(Handle("parameter", "overtake_parameter_new", value._handle, int(requires_grad)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        return Parameter(self.detach(), self.requires_grad)

    def __reduce__(self) -> Any:
        """An array that is unpickled is on the cpu."""
        return _parameter, (self.numpy(), self.dtype.name, self.requires_grad)


class Buffer(Held):
    """State of a module that is not learnt; see :meth:`Module.register_buffer`."""

    __slots__ = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer:
        return new_buffer(self.detach())

    def __reduce__(self) -> Any:
        """An array that is unpickled is on the cpu."""
        return _buffer, (self.numpy(), self.dtype.name)


def _buffer(values: Any, dtype: str) -> Buffer:
    return new_buffer(asarray(values, dtype=dtype, device="cpu"))


def _parameter(values: Any, dtype: str, requires_grad: bool) -> Parameter:
    return Parameter(asarray(values, dtype=dtype, device="cpu"), requires_grad)


def new_buffer(value: Array) -> Buffer:
    return Buffer(Handle("parameter", "overtake_parameter_new", value._handle, 0))
