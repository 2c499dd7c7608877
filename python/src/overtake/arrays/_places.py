# SPDX-License-Identifier: MIT
"""Functions that search, sort, count and choose, with the names and arguments of the array API standard and NumPy."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _dtypes
from ._arguments import array_of, one, several
from ._array import Array
from ._call import whole
from ._elements import astype, not_equal, result_type, subtract
from ._shapes import concat


def _places(value: Any, function: str, beside: Array) -> Array:
    places = array_of(value, function, "indices", beside)
    if not isinstance(value, Array) and places.size == 0:
        places = places.astype(_dtypes.int64)  # of no numbers nothing says that they are whole
    if places.dtype.kind not in ("signed integer", "unsigned integer"):
        raise IndexError(f"[{function}] indices are {places.dtype}, expected whole numbers")
    return places


def take(x: Any, indices: Any, /, *, axis: int | None = None) -> Array:
    given = array_of(x, "take")
    if axis is None:
        if given.ndim != 1:
            raise ValueError(f"[take] an array of shape {given.shape} needs an axis")
        axis = 0
    return one("take", [given, _places(indices, "take", given)], [whole(axis, "take", "axis")])


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Array:
    given = array_of(x, "take_along_axis")
    places = _places(indices, "take_along_axis", given)
    return one("take_along_axis", [given, places], [whole(axis, "take_along_axis", "axis")])


def nonzero(x: Any, /) -> tuple[Array, ...]:
    given = array_of(x, "nonzero")
    if given.ndim == 0:
        raise ValueError("[nonzero] the array has no axes")
    return tuple(several("nonzero", [given]))


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Array:
    if side not in ("left", "right"):
        raise ValueError(f"[searchsorted] side is {side!r}, expected 'left' or 'right'")
    ordered, values = array_of(x1, "searchsorted", "x1"), x2
    if isinstance(x2, (bool, int, float)):
        values = astype(array_of(x2, "searchsorted", "x2", ordered), result_type(ordered, array_of(x2, "searchsorted")))
    order = None if sorter is None else array_of(sorter, "searchsorted", "sorter", ordered)
    inputs = [ordered, array_of(values, "searchsorted", "x2", ordered), order]
    return one("searchsorted", inputs, [int(side == "right")])


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    return one("sort", [array_of(x, "sort")], [whole(axis, "sort", "axis"), int(descending)])


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    return one("argsort", [array_of(x, "argsort")], [whole(axis, "argsort", "axis"), int(descending)])


class TopK(NamedTuple):
    values: Array
    indices: Array


def topk(x: Any, k: int, /, *, axis: int = -1, largest: bool = True) -> TopK:
    numbers = [whole(k, "topk", "k"), whole(axis, "topk", "axis"), int(largest)]
    return TopK(*several("topk", [array_of(x, "topk")], numbers))


class UniqueAllResult(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCountsResult(NamedTuple):
    values: Array
    counts: Array


class UniqueInverseResult(NamedTuple):
    values: Array
    inverse_indices: Array


def unique_all(x: Any, /) -> UniqueAllResult:
    return UniqueAllResult(*several("unique_all", [array_of(x, "unique_all")]))


def unique_counts(x: Any, /) -> UniqueCountsResult:
    return UniqueCountsResult(*several("unique_counts", [array_of(x, "unique_counts")]))


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    return UniqueInverseResult(*several("unique_inverse", [array_of(x, "unique_inverse")]))


def unique_values(x: Any, /) -> Array:
    return one("unique_values", [array_of(x, "unique_values")])


def bincount(x: Any, /, *, weights: Any = None, minlength: int = 0) -> Array:
    given = array_of(x, "bincount")
    counted = None if weights is None else array_of(weights, "bincount", "weights", given)
    return one("bincount", [given, counted], [whole(minlength, "bincount", "minlength")])


def histogram(
    x: Any, /, bins: int | Sequence[float] | Array = 10, *, range: tuple[float, float] | None = None
) -> tuple[Array, Array]:
    """How many elements lie between the edges: `bins` equal widths, or the edges themselves, the last one included."""
    given = array_of(x, "histogram")
    if not hasattr(bins, "__index__") or getattr(bins, "ndim", False):
        return _histogram_of_edges(given, bins)
    count = whole(bins, "histogram", "bins")
    flags, ends = ([0], []) if range is None else ([1], [float(range[0]), float(range[1])])
    counts, edges = several("histogram", [given], [count, *flags], numbers=ends)
    return counts, edges


def _histogram_of_edges(given: Array, bins: Any) -> tuple[Array, Array]:
    edges = array_of(bins, "histogram", "bins", given)
    if edges.ndim != 1 or edges.size < 2:
        raise ValueError(f"[histogram] bins has shape {edges.shape}, expected a number or two edges and more")
    if builtins.bool(one("any", [edges[1:] < edges[:-1]], [0, 0])):
        raise ValueError("[histogram] bins: the edges must rise")
    kind = result_type(given, edges)
    ordered = one("sort", [given.reshape((given.size,)).astype(kind)], [-1, 0])
    places = edges.astype(kind)
    before = one("searchsorted", [ordered, places[:-1], None], [0])
    last = one("searchsorted", [ordered, places[-1:], None], [1])
    return concat([before[1:], last]) - before, edges


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Array:
    result, times = array_of(x, "diff"), whole(n, "diff", "n")
    if times < 0:
        raise ValueError(f"[diff] n is {n}, expected 0 or more")
    place = whole(axis, "diff", "axis")
    parts = [
        None if each is None else array_of(each, "diff", "prepend or append", result) for each in (prepend, append)
    ]
    if any(each is not None for each in parts):
        one_wide = [1 if i == place % max(result.ndim, 1) else extent for i, extent in enumerate(result.shape)]
        wide = [
            each if each is None or each.ndim else one("broadcast_to", [each], [len(one_wide), *one_wide])
            for each in parts
        ]
        result = concat([each for each in (wide[0], result, wide[1]) if each is not None], axis=place)
    for _ in builtins.range(times):
        key: list[slice] = [slice(None)] * result.ndim
        later, earlier = list(key), list(key)
        later[place], earlier[place] = slice(1, None), slice(None, -1)
        change = not_equal if result.dtype is _dtypes.bool_ else subtract
        result = change(result[tuple(later)], result[tuple(earlier)])
    return result
