# SPDX-License-Identifier: MIT
"""Calls of the library's functions on arrays, by number."""

from __future__ import annotations

import ctypes
import functools
import operator
from collections.abc import Sequence
from typing import Any, Protocol

from .._library import library

_MOST_OUTPUTS = 64
Handle = int


class HasHandle(Protocol):
    """An array."""

    _handle: Any


@functools.cache
def number_of(name: str) -> int:
    """The number of a function (include/overtake/c_array.h)."""
    number = ctypes.c_int32()
    library().check(library().raw.overtake_array_function(name.encode(), ctypes.byref(number)))
    return number.value


# ctypes makes a new type for each length, and an array from numbers one by one: both are kept, since calls in a loop have
# the same settings. What is kept is only read.
@functools.lru_cache(maxsize=1024)
def _integers(values: tuple[int, ...]) -> Any:
    return (ctypes.c_int64 * len(values))(*values)


@functools.cache
def _handles(count: int) -> type[ctypes.Array[ctypes.c_void_p]]:
    return ctypes.c_void_p * count


def unary(name: str, a: HasHandle) -> Handle:
    result = ctypes.c_void_p()
    lib = library()
    status = lib.raw.overtake_array_unary(number_of(name), a._handle, ctypes.byref(result))
    if status:
        lib.check(status)
    return result.value or 0


def binary(name: str, a: HasHandle, b: HasHandle) -> Handle:
    result = ctypes.c_void_p()
    lib = library()
    status = lib.raw.overtake_array_binary(number_of(name), a._handle, b._handle, ctypes.byref(result))
    if status:
        lib.check(status)
    return result.value or 0


def call(
    name: str,
    inputs: Sequence[HasHandle | None],
    integers: Sequence[int] = (),
    numbers: Sequence[float] = (),
    most: int = _MOST_OUTPUTS,
) -> list[Handle]:
    """Calls a function; the settings are in the order of its C++ declaration."""
    lib = library()
    outputs = _handles(most)()
    count = ctypes.c_int64()
    held = [None if each is None else each._handle for each in inputs]  # until the call is over
    status = lib.raw.overtake_array_call(
        number_of(name),
        _handles(len(inputs))(*held),
        len(inputs),
        _integers(tuple(integers)),
        len(integers),
        (ctypes.c_double * len(numbers))(*numbers) if numbers else None,
        len(numbers),
        outputs,
        most,
        ctypes.byref(count),
    )
    if status:
        lib.check(status)
    return [outputs[i] or 0 for i in range(count.value)]


def call_one(
    name: str, inputs: Sequence[HasHandle | None], integers: Sequence[int] = (), numbers: Sequence[float] = ()
) -> Handle:
    """The same for functions of one result."""
    return call(name, inputs, integers, numbers, 1)[0]


# -- settings ----------------------------------------------------------------------------------------------------------


def whole(value: Any, function: str, what: str) -> int:
    """`value` as a whole number; TypeError in words for everything else."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"[{function}] {what} is {value!r}, expected a whole number") from None


def listed(values: Any, function: str, what: str = "shape") -> list[int]:
    """Whole numbers, or one, as settings: how many, then they themselves."""
    members = members_of(values, function, what)
    return [len(members), *members]


def members_of(values: Any, function: str, what: str) -> tuple[int, ...]:
    """Whole numbers, or one."""
    if hasattr(values, "__index__") and not getattr(values, "ndim", 0):
        return (whole(values, function, what),)
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"[{function}] {what} is {values!r}, expected whole numbers")
    return tuple(whole(each, function, what) for each in values)


def optional(value: Any, function: str, what: str = "axis") -> list[int]:
    """A whole number that may be missing."""
    return [0] if value is None else [1, whole(value, function, what)]


def axes(axis: int | Sequence[int] | None, function: str) -> list[int]:
    """Axes of a reduction: None for all of them."""
    return [0] if axis is None else [1, *listed(axis, function, "axis")]
