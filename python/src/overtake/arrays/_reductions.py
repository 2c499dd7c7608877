# SPDX-License-Identifier: MIT
"""Functions that make one value of many, with the standard's and NumPy's names and arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arguments import array_of, one
from ._array import Array
from ._call import axes, optional
from ._dtypes import as_dtype

Axis = int | Sequence[int] | None


def _dtype(dtype: Any) -> list[int]:
    return [0] if dtype is None else [1, as_dtype(dtype).number]


def sum(x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return one("sum", [array_of(x, "sum")], [*axes(axis, "sum"), int(keepdims), *_dtype(dtype)])


def prod(x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return one("prod", [array_of(x, "prod")], [*axes(axis, "prod"), int(keepdims), *_dtype(dtype)])


def mean(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("mean", [array_of(x, "mean")], [*axes(axis, "mean"), int(keepdims)])


def var(x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    return one("var", [array_of(x, "var")], [*axes(axis, "var"), int(keepdims)], [float(correction)])


def std(x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    return one("std", [array_of(x, "std")], [*axes(axis, "std"), int(keepdims)], [float(correction)])


def max(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("max", [array_of(x, "max")], [*axes(axis, "max"), int(keepdims)])


def min(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("min", [array_of(x, "min")], [*axes(axis, "min"), int(keepdims)])


def any(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("any", [array_of(x, "any")], [*axes(axis, "any"), int(keepdims)])


def all(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("all", [array_of(x, "all")], [*axes(axis, "all"), int(keepdims)])


def count_nonzero(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("count_nonzero", [array_of(x, "count_nonzero")], [*axes(axis, "count_nonzero"), int(keepdims)])


def norm(x: Any, /, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    return one("norm", [array_of(x, "norm")], [*axes(axis, "norm"), int(keepdims)], [float(ord)])


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return one("argmax", [array_of(x, "argmax")], [*optional(axis, "argmax"), int(keepdims)])


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return one("argmin", [array_of(x, "argmin")], [*optional(axis, "argmin"), int(keepdims)])


def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    return one(
        "cumulative_sum",
        [array_of(x, "cumulative_sum")],
        [*optional(axis, "cumulative_sum"), *_dtype(dtype), int(include_initial)],
    )


def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    return one(
        "cumulative_prod",
        [array_of(x, "cumulative_prod")],
        [*optional(axis, "cumulative_prod"), *_dtype(dtype), int(include_initial)],
    )
