# SPDX-License-Identifier: MIT
"""Random arrays: pure functions of the seed and of how many were drawn before, the same on every device (Philox)."""

from __future__ import annotations

import math
import secrets
import threading
from collections.abc import Sequence
from typing import Any

from .arrays import _dtypes
from .arrays._array import Array
from .arrays._call import call, listed
from .arrays._creation import _extents, full
from .arrays._functions import argsort, cos, floor_divide, log, reshape, sqrt, take

_STREAM = 0x41525259  # of arrays: networks and forests draw from others
_lock = threading.Lock()
_state = {"seed": secrets.randbits(62), "drawn": 0}

Shape = int | Sequence[int]


def seed(value: int) -> None:
    """From now on draws are those of this seed, from its first one on."""
    with _lock:
        _state.update(seed=int(value), drawn=0)


def _draw(function: str, shape: Shape, device: Any) -> Array:
    with _lock:
        own, counter = _state["seed"], _state["drawn"]
        _state["drawn"] += 1
    number = full((1,), counter % 2**31, dtype=_dtypes.int32, device=device)
    return Array(call(function, [number], [*listed(_extents(shape)), own, _STREAM])[0])


def uniform(shape: Shape = (), *, low: float = 0.0, high: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """float32 in [low, high)."""
    values = _draw("uniform", shape, device)
    if (low, high) != (0.0, 1.0):
        values = values * (high - low) + low
    return values if dtype is None else values.astype(dtype)


def normal(shape: Shape = (), *, loc: float = 0.0, scale: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
    """Normally distributed float32 (Box and Muller, 1958)."""
    radius = sqrt(-2.0 * log(1.0 - _draw("uniform", shape, device)))
    values = radius * cos((2.0 * math.pi) * _draw("uniform", shape, device))
    if (loc, scale) != (0.0, 1.0):
        values = values * scale + loc
    return values if dtype is None else values.astype(dtype)


def integers(low: int, high: int | None = None, shape: Shape = (), *, dtype: Any = None, device: Any = None) -> Array:
    """Whole numbers in [low, high), or in [0, low) without `high`; int64 unless `dtype` says otherwise."""
    if high is None:
        low, high = 0, low
    if not 0 < high - low <= 2**32:
        raise ValueError(f"integers from {low} to {high}: expected from 1 to 2**32 different ones")
    bits = _draw("random_bits", shape, device).astype(_dtypes.uint32).astype(_dtypes.int64)
    # The upper half of a product: without the bias of a remainder where the range divides 2**32.
    values = floor_divide(bits * (high - low), 2**32) + low
    return values if dtype is None else values.astype(dtype)


def bernoulli(p: float = 0.5, shape: Shape = (), *, device: Any = None) -> Array:
    """True with probability p."""
    return _draw("uniform", shape, device) < p


def permutation(x: int | Array, *, device: Any = None) -> Array:
    """0 ... x-1 in random order, or the rows of an array."""
    count = x if isinstance(x, int) else x.shape[0]
    order = argsort(_draw("random_bits", (count,), device if isinstance(x, int) else x.device))
    return order if isinstance(x, int) else take(x, order, axis=0)


def choice(a: int | Array, shape: Shape = (), *, replace: bool = True, device: Any = None) -> Array:
    """Elements (rows) of an array, or numbers below `a`, drawn with or without replacement."""
    count = a if isinstance(a, int) else a.shape[0]
    where_ = device if isinstance(a, int) else a.device
    if replace:
        places = integers(0, count, shape, device=where_)
    else:
        wanted = math.prod(_extents(shape))
        if wanted > count:
            raise ValueError(f"{wanted} of {count} without replacement")
        places = reshape(permutation(count, device=where_)[:wanted], _extents(shape))
    return places if isinstance(a, int) else take(a, places, axis=0)
