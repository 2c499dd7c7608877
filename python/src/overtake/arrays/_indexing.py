# SPDX-License-Identifier: MIT
"""x[key] and x[key] = value: whole numbers, slices, None, Ellipsis, masks and arrays of places."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from . import _dtypes
from ._array import Array, operand, scalar
from ._call import call, listed
from ._creation import asarray, zeros


class _Basic(NamedTuple):
    regions: list[tuple[int, int, int]]  # begin, count, step of each axis
    shape: list[int]  # of the result
    region_shape: list[int]


def _is_array(key: Any) -> bool:
    return isinstance(key, (Array, list)) or hasattr(key, "__array__")


def _expanded(key: Any, ndim: int) -> list[Any]:
    keys = list(key) if isinstance(key, tuple) else [key]
    ellipses = [i for i, each in enumerate(keys) if each is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can have one ellipsis only")
    used = 0
    for each in keys:
        if each is None or each is Ellipsis:
            continue
        used += each.ndim if isinstance(each, Array) and each.dtype is _dtypes.bool_ else 1
    if used > ndim:
        raise IndexError(f"{used} indices for an array of {ndim} axes")
    if ellipses:
        at = ellipses[0]
        keys[at : at + 1] = [slice(None)] * (ndim - used)
    return keys + [slice(None)] * (ndim - used if not ellipses else 0)


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
            continue
        try:
            place = key.__index__()
        except (AttributeError, TypeError):
            raise IndexError(
                f"{key!r} is no index: expected whole numbers, slices, None, ..., masks or arrays of places"
            ) from None
        if not -extent <= place < extent:
            raise IndexError(f"index {place} is outside of axis {len(regions)}, whose extent is {extent}")
        regions.append((place % extent, 1, 1))
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
        x = Array(call("slice", [x], [1, begin, *ends, axis, step])[0])
    return x


def _is_mask(key: Any) -> bool:
    return isinstance(key, Array) and key.dtype is _dtypes.bool_


def _mask_of(x: Array, keys: list[Any]) -> Array | None:
    """The mask, when the index is nothing but one over the first axes."""
    masks = [each for each in keys if isinstance(each, Array) and each.dtype is _dtypes.bool_]
    if not masks:
        return None
    rest = [each for each in keys if each is not masks[0]]
    if any(not (isinstance(each, slice) and each == slice(None)) for each in rest) or keys[0] is not masks[0]:
        raise IndexError("a mask must be the only index")
    mask: Array = masks[0]
    return mask


def _is_checked(places: Array) -> bool:
    """Checking makes the program wait for a GPU: there it is done where the environment asks for it."""
    return places.device == "cpu" or os.environ.get("OVERTAKE_CHECK_INDICES") == "yes"


def _checked_places(places: Array, extent: int, axis: int) -> Array:
    if places.dtype.kind not in ("signed integer", "unsigned integer"):
        raise IndexError(f"places are {places.dtype}, expected whole numbers or bool")
    if places.size and _is_checked(places):
        low = int(Array(call("min", [places], [0, 0])[0]))
        high = int(Array(call("max", [places], [0, 0])[0]))
        if low < -extent or high >= extent:
            wrong = low if low < -extent else high
            raise IndexError(f"index {wrong} is outside of axis {axis}, whose extent is {extent}")
    return places


def _flat_places(x: Array, keys: list[Any]) -> tuple[Array, int, int]:
    """Arrays of places for neighbouring axes as one array of places of these axes joined; first axis, how many."""
    at = [i for i, key in enumerate(keys) if _is_array(key) or not isinstance(key, slice)]
    first, last = at[0], at[-1]
    if any(isinstance(keys[i], slice) for i in range(first, last + 1)) or any(key is None for key in keys):
        raise IndexError("arrays of places must be neighbours, without None between them")
    flat: Any = None
    outside: Any = None
    joined = 1
    for axis in range(first, last + 1):
        key = keys[axis]
        places = key if isinstance(key, Array) else asarray(key)
        extent = x.shape[axis]
        places = _checked_places(places, extent, axis).astype(_dtypes.int64).to_device(x.device)
        if last > first:
            places = Array(call("where", [places < 0, places + extent, places])[0])
            out = (places < 0) | (places >= extent)
            outside = out if outside is None else outside | out
        flat = places if flat is None else flat * extent + places
        joined *= extent
    if outside is not None and x.device != "cpu":  # what was not checked must not read a neighbour
        flat = Array(call("where", [outside, scalar(joined), flat])[0])
    return flat, first, last - first + 1


def _joined(x: Array, first: int, count: int) -> Array:
    joined = 1
    for extent in x.shape[first : first + count]:
        joined *= extent
    return x.reshape((*x.shape[:first], joined, *x.shape[first + count :]))


def _is_advanced(keys: list[Any]) -> bool:
    return any(_is_array(key) and not (isinstance(key, Array) and key.ndim == 0) for key in keys)


def _keys_of(x: Array, key: Any) -> list[Any]:
    given = key if isinstance(key, tuple) else (key,)
    made = tuple(asarray(each) if not isinstance(each, Array) and _is_array(each) else each for each in given)
    here = tuple(each.to_device(x.device) if _is_mask(each) else each for each in made)  # places are checked before
    return _expanded(here, x.ndim)


def get(x: Array, key: Any) -> Array:
    keys = _keys_of(x, key)
    mask = _mask_of(x, keys)
    if mask is not None:
        if mask.ndim == 0:
            x, mask = x.reshape((1, *x.shape)), mask.reshape((1,))
        if any(m not in (0, extent) for m, extent in zip(mask.shape, x.shape, strict=False)):
            raise IndexError(f"a mask of shape {mask.shape} for an array of shape {x.shape}")
        if mask.size == 0:  # nothing is chosen, whatever the extents
            return zeros((0, *x.shape[mask.ndim :]), dtype=x.dtype, device=x.device)
        return Array(call("compress", [x, mask])[0])
    if _is_advanced(keys):
        rest = [key if isinstance(key, slice) else slice(None) for key in keys]
        x = _sliced(x, _basic(x, rest).regions)
        flat, first, count = _flat_places(x, keys)
        return Array(call("take", [_joined(x, first, count), flat], [first])[0])
    basic = _basic(x, keys)
    part = _sliced(x, basic.regions)
    return part if list(part.shape) == basic.shape else part.reshape(tuple(basic.shape))


def put(x: Array, key: Any, value: Any) -> Array:
    values = operand(value, x)
    if values is None:
        values = asarray(value, device=x.device)
    values = values.astype(x.dtype)
    keys = _keys_of(x, key)
    mask = _mask_of(x, keys)
    if mask is not None:
        return _put_by_mask(x, mask, values)
    if _is_advanced(keys):
        if any(isinstance(each, slice) and each != slice(None) for each in keys):
            raise IndexError("assignment by arrays of places takes whole slices beside them only")
        flat, first, count = _flat_places(x, keys)
        joined = _joined(x, first, count)
        made = call("index_put", [joined, flat, values], [first])[0]
        return Array(made).reshape(x.shape)
    basic = _basic(x, keys)
    spread = Array(call("broadcast_to", [values], listed(basic.shape))[0]).reshape(tuple(basic.region_shape))
    regions = [number for region in basic.regions for number in region]
    return Array(call("assigned", [x, spread], listed(regions))[0])


def _put_by_mask(x: Array, mask: Array, values: Array) -> Array:
    if mask.shape != x.shape[: mask.ndim]:
        raise IndexError(f"a mask of shape {mask.shape} for an array of shape {x.shape}")
    if values.ndim == 0:
        spread = mask.reshape((*mask.shape, *[1] * (x.ndim - mask.ndim)))
        return Array(call("where", [spread, values, x])[0])
    places = call("nonzero", [mask.reshape((mask.size,))])[0]
    joined = _joined(x, 0, mask.ndim)
    return Array(call("index_put", [joined, Array(places), values], [0])[0]).reshape(x.shape)
