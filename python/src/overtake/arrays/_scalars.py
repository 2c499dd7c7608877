# SPDX-License-Identifier: MIT
"""Python's numbers beside arrays: they take the array's type, or are refused where it cannot hold them."""

from __future__ import annotations

import ctypes
import math
from typing import Any

from .._library import library
from . import _dtypes
from ._array import Array
from ._dtypes import DType

WHOLE = ("signed integer", "unsigned integer")
# Functions that compute in the type of whole numbers: of those a number must be one.
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
_NUMBERS = ("add", "subtract", "multiply", "floor_divide", "remainder", "power", "maximum", "minimum")
KEEPING = frozenset((*_NUMBERS, *_BITS))
# What each comparison of any number of the type with one above all of them gives; below: the opposite, but for (not) equal.
ABOVE = {"less": True, "less_equal": True, "greater": False, "greater_equal": False, "equal": False, "not_equal": True}
MIRRORED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}


def scalar(value: Any) -> Array:
    """A plain number, which takes the type of the arrays beside it."""
    made = ctypes.c_void_p()
    lib = library()
    if isinstance(value, bool):
        status = lib.raw.overtake_array_scalar(0, int(value), 0.0, ctypes.byref(made))
    elif isinstance(value, int):
        kind = type_of_whole(value)
        bits = ctypes.c_int64(value).value  # of a large one those of uint64
        status = lib.raw.overtake_array_scalar(kind.number, bits, 0.0, ctypes.byref(made))
    else:
        status = lib.raw.overtake_array_scalar(11, 0, float(value), ctypes.byref(made))
    lib.check(status)
    return Array(made.value or 0)


def type_of_whole(value: int) -> DType:
    """int64, or uint64 for what is beyond it."""
    if not -(2**63) <= value < 2**64:
        raise OverflowError(f"{value} is too large for int64 and for uint64")
    return _dtypes.int64 if value < 2**63 else _dtypes.uint64


def fits(value: Any, dtype: DType) -> bool:
    """Whether a whole number is one of a type of whole numbers; other numbers and types take each other anyway."""
    if type(value) is bool or not isinstance(value, int) or dtype.kind not in WHOLE:
        return True
    limits = _dtypes.describe_integer(dtype)
    return limits.min <= value <= limits.max


def require_fit(function: str, value: Any, dtype: DType) -> None:
    """OverflowError where a number would wrap round."""
    if not fits(value, dtype):
        limits = _dtypes.describe_integer(dtype)
        raise OverflowError(
            f"[{function}] {value} is out of bounds for {dtype}, which goes from {limits.min} to {limits.max}"
        )


def beside(function: str, value: Any, array: Array) -> Array:
    """A number as the other side of a function that keeps the array's type."""
    if function in KEEPING:
        require_fit(function, value, array.dtype)
    return scalar(value)


def far_comparison(function: str, array: Array, value: Any, swapped: bool) -> Array | None:
    """A comparison with a number that the array's type cannot hold, which is the same for all; None for others."""
    if function not in ABOVE or fits(value, array.dtype):
        return None
    from ._creation import full

    name = MIRRORED.get(function, function) if swapped else function
    same = ABOVE[name] if value > 0 or name not in MIRRORED else not ABOVE[name]
    return full(array.shape, same, dtype=_dtypes.bool_, device=array.device)


def converted(function: str, value: Any, dtype: DType) -> Any:
    """A number that an array of `dtype` is given: fractions are cut off, what it cannot hold is refused."""
    if dtype.kind not in WHOLE or isinstance(value, bool):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"[{function}] {value} is no value of {dtype}")
        value = int(value)
    require_fit(function, value, dtype)
    return value
