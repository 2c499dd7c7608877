# SPDX-License-Identifier: MIT
"""What functions are given: arrays, or what becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._array import Array
from ._call import call, call_one
from ._creation import asarray
from ._scalars import scalar


def array_of(value: Any, function: str, what: str = "x", beside: Array | None = None) -> Array:
    """An array, or an array of numbers, lists and other libraries' arrays; TypeError naming function and argument."""
    if isinstance(value, Array):
        return value
    if value is None or isinstance(value, (str, bytes)):
        raise TypeError(f"[{function}] {what} is {value!r}, expected an array")
    try:
        made: Array = asarray(value, device=None if beside is None else beside.device)
    except TypeError as error:
        kind = type(value).__name__
        raise TypeError(f"[{function}] {what} is a {kind}, expected an array or numbers: {error}") from None
    return made


def arrays_of(values: Any, function: str, what: str = "arrays") -> list[Array]:
    """Several of them, on the device of the first that is an array."""
    if isinstance(values, Array):
        return list(values)
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"[{function}] {what} is {values!r}, expected a list of arrays")
    given = list(values)
    first = next((each for each in given if isinstance(each, Array)), None)
    return [array_of(each, function, f"{what}[{i}]", first) for i, each in enumerate(given)]


def operand_of(value: Any, function: str, what: str = "x") -> Array:
    """The same, but that a plain number takes the type of the arrays beside it."""
    if isinstance(value, (bool, int, float)):
        return scalar(value)
    return array_of(value, function, what)


def one(
    name: str, inputs: Sequence[Array | None], integers: Sequence[int] = (), numbers: Sequence[float] = ()
) -> Array:
    """The result of a function that has one."""
    return Array(call_one(name, inputs, integers, numbers))


def several(name: str, inputs: Sequence[Array | None], integers: Sequence[int] = (), **more: Any) -> list[Array]:
    """The results of a function that has several."""
    return [Array(each) for each in call(name, inputs, integers, **more)]
