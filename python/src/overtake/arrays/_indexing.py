# SPDX-License-Identifier: MIT
"""x[key] and x[key] = value, with NumPy's rules: whole numbers, slices, None, Ellipsis, masks and arrays of places."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, cast

from . import _dtypes
from ._array import Array
from ._call import call
from ._creation import asarray, zeros
from ._operators import operand
from ._scalars import WHOLE, converted, scalar


class _Basic(NamedTuple):
    regions: list[tuple[int, int, int]]  # begin, count, step of each axis
    shape: list[int]  # of the result
    region_shape: list[int]


class _Chosen(NamedTuple):
    """An index by arrays of places: of which axes, brought to the front, and where the axes of the places belong."""

    places: Array  # among the elements of the axes joined
    joined: int  # how many axes these are
    order: tuple[int, ...]  # of the array's axes
    at: int  # the first axis of the places in the result
    new_axes: tuple[int, ...]  # of None in the result


def _one(name: str, inputs: list[Array], integers: list[int]) -> Array:
    return Array(call(name, inputs, integers)[0])


def _is_array(key: Any) -> bool:
    return isinstance(key, (Array, list, bool)) or hasattr(key, "__array__")


def _is_mask(key: Any) -> bool:
    return isinstance(key, Array) and key.dtype is _dtypes.bool_


def _key_array(key: Any) -> Any:
    """An array of places or a mask; what is none stays as it is."""
    if isinstance(key, Array) or not _is_array(key):
        return key
    made = asarray(key)
    if made.size == 0 and isinstance(key, list):
        return made.astype(_dtypes.int64)  # of no numbers nothing says that they are whole
    return made


def _keys_of(x: Array, key: Any) -> list[Any]:
    given = [_key_array(each) for each in (key if isinstance(key, tuple) else (key,))]
    keys = [each.to_device(x.device) if _is_mask(each) else each for each in given]  # places are checked before
    ellipses = [i for i, each in enumerate(keys) if each is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can have one ellipsis only")
    used = sum(0 if each is None or each is Ellipsis else each.ndim if _is_mask(each) else 1 for each in keys)
    if used > x.ndim:
        raise IndexError(f"{used} indices for an array of {x.ndim} axes, shape {x.shape}")
    at = ellipses[0] if ellipses else len(keys)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    return keys


def _place_of(key: Any, extent: int, axis: int) -> int:
    try:
        place: int = key.__index__()
    except (AttributeError, TypeError):
        raise IndexError(
            f"{key!r} is no index: expected whole numbers, slices, None, ..., masks or arrays of places"
        ) from None
    if not -extent <= place < extent:
        raise IndexError(f"index {place} is outside of axis {axis}, whose extent is {extent}")
    return place % extent


def _basic(x: Array, keys: list[Any]) -> _Basic:
    regions: list[tuple[int, int, int]] = []
    shape: list[int] = []
    for key in keys:
        if key is None:
            shape.append(1)
            continue
        extent = x.shape[len(regions)]
        if isinstance(key, slice):
            begin, end, step = key.indices(extent)
            count = len(range(begin, end, step))
            regions.append((begin if count else 0, count, step))
            shape.append(count)
        else:
            regions.append((_place_of(key, extent, len(regions)), 1, 1))
    return _Basic(regions, shape, [count for _, count, _ in regions])


def _sliced(x: Array, regions: list[tuple[int, int, int]]) -> Array:
    for axis, region in enumerate(regions):
        begin, count, step = region if region[1] else (0, 0, 1)
        if (begin, count, step) == (0, x.shape[axis], 1):
            continue
        end: int | None = begin + count * step
        if end is not None and end < 0:
            end = None
        ends = [0] if end is None else [1, end]
        x = _one("slice", [x], [1, begin, *ends, axis, step])
    return x


# -- arrays of places --------------------------------------------------------------------------------------------------


def _is_checked(places: Array) -> bool:
    """Checking makes the program wait for a GPU: there it is done where the environment asks for it."""
    return places.device == "cpu" or os.environ.get("OVERTAKE_CHECK_INDICES") == "yes"


def _checked_places(places: Array, extent: int, axis: int) -> Array:
    if places.dtype.kind not in WHOLE:
        raise IndexError(f"places are {places.dtype}, expected whole numbers or bool")
    if places.size and _is_checked(places):
        low, high = (int(_one(name, [places], [0, 0])) for name in ("min", "max"))
        if low < -extent or high >= extent:
            wrong = low if low < -extent else high
            raise IndexError(f"index {wrong} is outside of axis {axis}, whose extent is {extent}")
    return places


def _is_advanced(keys: list[Any]) -> bool:
    return any(isinstance(key, Array) and (key.ndim > 0 or _is_mask(key)) for key in keys)


def _without_masks(x: Array, keys: list[Any]) -> tuple[Array, list[Any]]:
    """Masks as the places where they are true; one without axes is a mask over a new axis."""
    result: list[Any] = []
    axis = 0
    for key in keys:
        if not _is_mask(key):
            result.append(key)
            axis += key is not None
            continue
        if key.ndim == 0:
            x = x.reshape((*x.shape[:axis], 1, *x.shape[axis:]))
            key = key.reshape((1,))  # noqa: PLW2901
        own = x.shape[axis : axis + key.ndim]
        if key.shape != own:
            raise IndexError(f"a mask of shape {key.shape} for axes of shape {own} of an array of shape {x.shape}")
        result += [Array(each) for each in call("nonzero", [key])]
        axis += key.ndim
    return x, result


def _chosen(x: Array, keys: list[Any]) -> _Chosen:
    """`keys`: slices of all, None, whole numbers and arrays of places."""
    of_axes = [key for key in keys if key is not None]
    axes = [axis for axis, key in enumerate(of_axes) if not isinstance(key, slice)]
    at = [i for i, key in enumerate(keys) if key is not None and not isinstance(key, slice)]
    together = at == list(range(at[0], at[-1] + 1))
    arrays = _broadcast([_places(x, of_axes[axis], axis) for axis in axes])
    flat = _flat([(each, x.shape[axis]) for each, axis in zip(arrays, axes, strict=True)], x.device)
    rest = tuple(axis for axis in range(x.ndim) if axis not in axes)
    rank = arrays[0].ndim
    first = sum(1 for key in keys[: at[0]] if key is not None) if together else 0
    before = at[0] if together else 0  # keys whose axes come before those of the places in the result
    new_axes = []
    place = 0
    for i, key in enumerate(keys):
        if i in at:
            continue
        if key is None:
            new_axes.append(place + (0 if i < before else rank))
        place += 1
    return _Chosen(flat, len(axes), (*rest[:first], *axes, *rest[first:]), first, tuple(new_axes))


def _places(x: Array, key: Any, axis: int) -> Array:
    if isinstance(key, Array):
        return _checked_places(key, x.shape[axis], axis).astype(_dtypes.int64).to_device(x.device)
    return asarray(_place_of(key, x.shape[axis], axis), device=x.device)


def _broadcast(arrays: list[Array]) -> list[Array]:
    if len(arrays) == 1:
        return arrays
    rank = max(each.ndim for each in arrays)
    wide = [(1,) * (rank - each.ndim) + each.shape for each in arrays]
    if any(len({extent for extent in extents if extent != 1}) > 1 for extents in zip(*wide, strict=True)):
        shapes = ", ".join(str(each.shape) for each in arrays)
        raise IndexError(f"arrays of places of shapes {shapes} do not broadcast")
    return [Array(each) for each in call("broadcast_arrays", arrays)]


def _flat(places: list[tuple[Array, int]], device: str) -> Array:
    """Places along several axes as places along these axes joined."""
    if len(places) == 1:
        return places[0][0]
    joined = 1
    result: Any = None
    outside: Any = None
    for each, extent in places:
        inside = _one_where(each < 0, each + extent, each)
        out = (inside < 0) | (inside >= extent)
        outside = out if outside is None else outside | out
        result = inside if result is None else result * extent + inside
        joined *= extent
    if device != "cpu":  # what was not checked must not read a neighbour
        result = _one_where(outside, scalar(joined), result)
    return cast("Array", result)


def _one_where(condition: Array, a: Array, b: Array) -> Array:
    return _one("where", [condition, a, b], [])


def _joined(x: Array, first: int, count: int) -> Array:
    joined = 1
    for extent in x.shape[first : first + count]:
        joined *= extent
    return x.reshape((*x.shape[:first], joined, *x.shape[first + count :]))


def _permuted(x: Array, order: tuple[int, ...]) -> Array:
    return x if order == tuple(range(x.ndim)) else _one("permute_dims", [x], [len(order), *order])


def _get_by_places(x: Array, keys: list[Any]) -> Array:
    rest = [key if key is None or isinstance(key, slice) else slice(None) for key in keys]
    x = _sliced(x, _basic(x, [key for key in rest if key is not None]).regions)
    chosen = _chosen(x, keys)
    result = _one("take", [_joined(_permuted(x, chosen.order), chosen.at, chosen.joined), chosen.places], [chosen.at])
    for axis in chosen.new_axes:
        result = result.reshape((*result.shape[:axis], 1, *result.shape[axis:]))
    return result


def get(x: Array, key: Any) -> Array:
    """x[key]"""
    keys = _keys_of(x, key)
    if _is_advanced(keys):
        if _is_mask(keys[0]) and all(isinstance(each, slice) and each == slice(None) for each in keys[1:]):
            return _compressed(x, keys[0])
        return _get_by_places(*_without_masks(x, keys))
    basic = _basic(x, keys)
    part = _sliced(x, basic.regions)
    return part if list(part.shape) == basic.shape else part.reshape(tuple(basic.shape))


def _compressed(x: Array, mask: Array) -> Array:
    if mask.ndim == 0:
        x, mask = x.reshape((1, *x.shape)), mask.reshape((1,))
    if any(m not in (0, extent) for m, extent in zip(mask.shape, x.shape, strict=False)):
        raise IndexError(f"a mask of shape {mask.shape} for an array of shape {x.shape}")
    if mask.size == 0:  # nothing is chosen, whatever the extents
        return zeros((0, *x.shape[mask.ndim :]), dtype=x.dtype, device=x.device)
    return _one("compress", [x, mask], [])


# -- assignment --------------------------------------------------------------------------------------------------------


def _values_for(x: Array, value: Any) -> Array:
    if isinstance(value, (bool, int, float)):
        return scalar(converted("assignment", value, x.dtype)).astype(x.dtype)
    values = operand(value, x)
    if values is None:
        plain = isinstance(value, (list, tuple)) and x.dtype is not _dtypes.bool_
        values = asarray(value, dtype=x.dtype if plain else None, device=x.device)
    if values.device != x.device and values.ndim > 0:
        raise ValueError(f"[assignment] the values are on {values.device}, the array on {x.device}: use to_device()")
    return values.to_device(x.device).astype(x.dtype) if values.ndim == 0 else values.astype(x.dtype)


def _spread(values: Array, shape: tuple[int, ...], x: Array) -> Array:
    """The values in the shape of the part; NumPy lets axes of one element before it be."""
    given = values
    while given.ndim > len(shape) and given.shape[0] == 1:
        given = given.reshape(given.shape[1:])
    own = (1,) * (len(shape) - given.ndim) + given.shape
    if len(own) != len(shape) or any(a not in (1, b) for a, b in zip(own, shape, strict=True)):
        raise ValueError(
            f"[assignment] values of shape {values.shape} for a part of shape {shape} of an array of shape {x.shape}"
        )
    return _one("broadcast_to", [given], [len(shape), *shape])


def put(x: Array, key: Any, value: Any) -> Array:
    """What x is after x[key] = value."""
    keys = _keys_of(x, key)
    values = _values_for(x, value)
    if _is_advanced(keys):
        if _is_mask(keys[0]) and values.ndim == 0 and all(each == slice(None) for each in keys[1:]):
            return _put_by_mask(x, keys[0], values)
        given, keys = _without_masks(x, keys)
        return _put_by_places(given, keys, values).reshape(x.shape)
    basic = _basic(x, keys)
    spread = _spread(values, tuple(basic.shape), x).reshape(tuple(basic.region_shape))
    regions = [number for region in basic.regions for number in region]
    return _one("assigned", [x, spread], [len(regions), *regions])


def _put_by_places(x: Array, keys: list[Any], values: Array) -> Array:
    rest = [key if isinstance(key, slice) else slice(None) for key in keys if key is not None]
    regions = _basic(x, rest).regions
    part = _sliced(x, regions)
    changed = _put_in_whole(part, [slice(None) if isinstance(key, slice) else key for key in keys], values)
    if part is x:
        return changed
    numbers = [number for region in regions for number in region]
    return _one("assigned", [x, changed], [len(numbers), *numbers])


def _put_in_whole(x: Array, keys: list[Any], values: Array) -> Array:
    chosen = _chosen(x, keys)
    moved = _permuted(x, chosen.order)
    joined = _joined(moved, chosen.at, chosen.joined)
    inner = (*joined.shape[: chosen.at], *chosen.places.shape, *joined.shape[chosen.at + 1 :])
    shape = list(inner)
    for axis in chosen.new_axes:
        shape.insert(axis, 1)
    spread = _spread(values, tuple(shape), x).reshape(inner)
    made = _one("index_put", [joined, chosen.places, spread], [chosen.at]).reshape(moved.shape)
    back = tuple(chosen.order.index(axis) for axis in range(x.ndim))
    return _permuted(made, back)


def _put_by_mask(x: Array, mask: Array, values: Array) -> Array:
    if mask.shape != x.shape[: mask.ndim]:
        raise IndexError(f"a mask of shape {mask.shape} for an array of shape {x.shape}")
    spread = mask.reshape((*mask.shape, *[1] * (x.ndim - mask.ndim)))
    return _one_where(spread, values, x)
