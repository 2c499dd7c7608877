# SPDX-License-Identifier: MIT
"""Functions of shapes, with the names and arguments of the Python array API standard (2024.12) and NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._arguments import array_of, arrays_of, one, several
from ._array import Array
from ._call import axes, listed, members_of, optional, whole
from ._scalars import converted, scalar

Axis = int | Sequence[int] | None


def reshape(x: Any, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Array:
    return array_of(x, "reshape").reshape(members_of(shape, "reshape", "shape"))


def permute_dims(x: Any, /, axes: Sequence[int]) -> Array:
    return one("permute_dims", [array_of(x, "permute_dims")], listed(axes, "permute_dims", "axes"))


def matrix_transpose(x: Any, /) -> Array:
    return array_of(x, "matrix_transpose").mT


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int], /) -> Array:
    places = [*listed(source, "moveaxis", "source"), *listed(destination, "moveaxis", "destination")]
    return one("moveaxis", [array_of(x, "moveaxis")], places)


def broadcast_to(x: Any, /, shape: int | Sequence[int]) -> Array:
    given = array_of(x, "broadcast_to")
    wanted = members_of(shape, "broadcast_to", "shape")
    own = (1,) * (len(wanted) - given.ndim) + given.shape
    if len(own) != len(wanted) or any(a not in (1, b) or b < 0 for a, b in zip(own, wanted, strict=True)):
        raise ValueError(f"[broadcast_to] an array of shape {given.shape} does not broadcast to {wanted}")
    return one("broadcast_to", [given], listed(wanted, "broadcast_to"))


def broadcast_arrays(*arrays: Any) -> list[Array]:
    given = arrays_of(arrays, "broadcast_arrays")
    return several("broadcast_arrays", given, most=max(len(given), 1))


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Array]:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"[meshgrid] indexing is {indexing!r}, expected 'xy' or 'ij'")
    given = [each.reshape((1,)) if each.ndim == 0 else each for each in arrays_of(arrays, "meshgrid")]
    return several("meshgrid", given, [int(indexing == "xy")], most=max(len(given), 1))


def expand_dims(x: Any, /, axis: int | Sequence[int] = 0) -> Array:
    given = array_of(x, "expand_dims")
    places = members_of(axis, "expand_dims", "axis")
    rank = given.ndim + len(places)
    if any(not -rank <= each < rank for each in places):
        raise IndexError(f"[expand_dims] axis {axis} is none of the places {-rank} to {rank - 1}")
    if len({each % rank for each in places}) < len(places):
        raise ValueError(f"[expand_dims] axis {axis} names a place twice")
    for each in sorted(place % rank for place in places):
        given = one("expand_dims", [given], [each])
    return given


def squeeze(x: Any, /, axis: Axis = None) -> Array:
    """Without axes of one element: those named, or all."""
    given = array_of(x, "squeeze")
    chosen = tuple(i for i, extent in enumerate(given.shape) if extent == 1) if axis is None else axis
    return one("squeeze", [given], listed(chosen, "squeeze", "axis"))


def flip(x: Any, /, *, axis: Axis = None) -> Array:
    return one("flip", [array_of(x, "flip")], axes(axis, "flip"))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Array:
    given = arrays_of(arrays, "concat")
    if axis is None:
        given, axis = [x.reshape((x.size,)) for x in given], 0
    return one("concat", given, [whole(axis, "concat", "axis")])


def stack(arrays: Sequence[Any], /, *, axis: int = 0) -> Array:
    return one("stack", arrays_of(arrays, "stack"), [whole(axis, "stack", "axis")])


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Array, ...]:
    given = array_of(x, "unstack")
    place = whole(axis, "unstack", "axis")
    count = given.shape[place] if -given.ndim <= place < given.ndim else 1
    return tuple(several("unstack", [given], [place], most=count or 1))


def split(x: Any, parts: int | Sequence[int], /, *, axis: int = 0) -> list[Array]:
    """`parts` equal parts, or parts that begin at 0 and at each place of a list."""
    given = array_of(x, "split")
    place = whole(axis, "split", "axis")
    if hasattr(parts, "__index__"):
        count = whole(parts, "split", "parts")
        if -given.ndim <= place < given.ndim and (count < 1 or given.shape[place] % count):
            raise ValueError(
                f"[split] axis {place} of shape {given.shape} does not divide into {count} equal parts: "
                "a list says where parts begin"
            )
        return several("split", [given], [count, place], most=max(count, 1))
    cuts = listed(parts, "split", "parts")
    return several("split_at", [given], [*cuts, place], most=len(cuts))


def tile(x: Any, repetitions: int | Sequence[int], /) -> Array:
    return one("tile", [array_of(x, "tile")], listed(repetitions, "tile", "repetitions"))


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Array:
    """Each element `repeats` times, or each as often as an array says."""
    given = array_of(x, "repeat")
    place = optional(axis, "repeat")
    if isinstance(repeats, int):
        if repeats < 0:
            raise ValueError(f"[repeat] repeats is {repeats}, expected 0 or more")
        return one("repeat", [given], [repeats, *place])
    counts = array_of(repeats, "repeat", "repeats", given)
    if counts.dtype.kind == "signed integer" and counts.size and int(one("min", [counts], [0, 0])) < 0:
        raise ValueError("[repeat] repeats has negative numbers, expected 0 or more")
    return one("repeat_each", [given, counts], place)


def roll(x: Any, /, shift: int | Sequence[int], *, axis: Axis = None) -> Array:
    return one("roll", [array_of(x, "roll")], [*listed(shift, "roll", "shift"), *axes(axis, "roll")])


def pad(x: Any, widths: Any, /, *, constant_values: Any = 0) -> Array:
    """`widths`: one number for all ends, (before, after) for every axis, or one pair for each axis."""
    given = array_of(x, "pad")
    if hasattr(widths, "__index__") and not getattr(widths, "ndim", 0):
        pairs = [(widths, widths)] * given.ndim
    else:
        pairs = list(widths) if hasattr(widths, "__iter__") and not isinstance(widths, str) else [widths]
        if len(pairs) == 2 and all(hasattr(each, "__index__") for each in pairs):
            pairs = [(pairs[0], pairs[1])] * given.ndim
        elif len(pairs) == 1 and given.ndim != 1:
            pairs = pairs * given.ndim
    numbers = [each for pair in pairs for each in members_of(pair, "pad", "widths")]
    if len(numbers) != 2 * given.ndim or any(each < 0 for each in numbers):
        raise ValueError(f"[pad] widths is {widths!r}, expected a pair of whole numbers for each of {given.ndim} axes")
    value = constant_values
    if isinstance(value, (bool, int, float)):
        value = scalar(converted("pad", value, given.dtype))
    return one("pad", [given, array_of(value, "pad", "constant_values", given)], [len(numbers), *numbers])


def tril(x: Any, /, *, k: int = 0) -> Array:
    return one("tril", [array_of(x, "tril")], [whole(k, "tril", "k")])


def triu(x: Any, /, *, k: int = 0) -> Array:
    return one("triu", [array_of(x, "triu")], [whole(k, "triu", "k")])
