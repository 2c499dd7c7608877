# SPDX-License-Identifier: MIT
"""Random arrays: pure functions of the seed and of how many were drawn before, the same on every device (Philox).

Without `seed` draws come from one stream of the process, which :func:`seed` sets; with it a call is a function of its
arguments alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._library import library
from .arrays._array import Array
from .arrays._call import call, whole
from .arrays._creation import _anchor, _extents
from .arrays._dtypes import as_dtype
from .arrays._scalars import require_fit

Shape = int | Sequence[int]


def _sizes(shape: Shape, function: str) -> list[int]:
    extents = _extents(shape, function)
    return [len(extents), *extents]


def seed(value: int) -> None:
    """From now on draws without a seed are those of this one, from its first one on."""
    library().check(library().raw.overtake_random_seed(whole(value, "random.seed", "the seed") % 2**64))


def _call(
    name: str, where: Array | None, seed: int | None, integers: list[int], numbers: tuple[float, ...] = ()
) -> Array:
    chosen = [0] if seed is None else [1, (whole(seed, name, "seed") + 2**63) % 2**64 - 2**63]
    return Array(call(name, [where], [*chosen, *integers], numbers)[0])


def _typed(values: Array, dtype: Any) -> Array:
    return values if dtype is None else values.astype(dtype)


def uniform(
    shape: Shape = (),
    *,
    low: float = 0.0,
    high: float = 1.0,
    dtype: Any = None,
    device: Any = None,
    seed: int | None = None,
) -> Array:
    """float32 in [low, high)."""
    numbers = (float(low), float(high))
    return _typed(_call("random_uniform", _anchor(device), seed, _sizes(shape, "random.uniform"), numbers), dtype)


def normal(
    shape: Shape = (),
    *,
    loc: float = 0.0,
    scale: float = 1.0,
    dtype: Any = None,
    device: Any = None,
    seed: int | None = None,
) -> Array:
    """Normally distributed float32 (Box and Muller, 1958)."""
    numbers = (float(loc), float(scale))
    return _typed(_call("random_normal", _anchor(device), seed, _sizes(shape, "random.normal"), numbers), dtype)


def integers(
    low: int,
    high: int | None = None,
    shape: Shape = (),
    *,
    dtype: Any = None,
    device: Any = None,
    seed: int | None = None,
) -> Array:
    """Whole numbers in [low, high), or in [0, low) without `high`; int64 unless `dtype` says otherwise."""
    if high is None:
        low, high = 0, low
    ends = [whole(low, "random.integers", "low"), whole(high, "random.integers", "high")]
    if dtype is not None and ends[0] < ends[1]:
        for value in (ends[0], ends[1] - 1):
            require_fit("random.integers", value, as_dtype(dtype))
    numbers = [*_sizes(shape, "random.integers"), *ends]
    return _typed(_call("random_integers", _anchor(device), seed, numbers), dtype)


def bernoulli(p: float = 0.5, shape: Shape = (), *, device: Any = None, seed: int | None = None) -> Array:
    """True with probability p."""
    return _call("random_bernoulli", _anchor(device), seed, _sizes(shape, "random.bernoulli"), (float(p),))


def permutation(x: int | Array, *, device: Any = None, seed: int | None = None) -> Array:
    """0 ... x-1 in random order, or the rows of an array."""
    if isinstance(x, Array):
        return _call("random_permutation_of", x, seed, [])
    return _call("random_permutation", _anchor(device), seed, [whole(x, "random.permutation", "x")])


def choice(
    a: int | Array, shape: Shape = (), *, replace: bool = True, device: Any = None, seed: int | None = None
) -> Array:
    """Elements (rows) of an array, or numbers below `a`, drawn with or without replacement."""
    if isinstance(a, Array):
        return _call("random_choice_of", a, seed, [*_sizes(shape, "random.choice"), int(replace)])
    return _call(
        "random_choice",
        _anchor(device),
        seed,
        [*_sizes(shape, "random.choice"), whole(a, "random.choice", "a"), int(replace)],
    )
