# SPDX-License-Identifier: MIT
"""Functions on arrays, with the names and arguments of the Python array API standard (2024.12) and NumPy."""

from __future__ import annotations

import builtins
import ctypes
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .._library import library
from . import _dtypes
from ._array import Array, scalar
from ._call import axes, binary, call, call_one, listed, optional, unary
from ._creation import asarray
from ._dtypes import DType, as_dtype

Axis = int | Sequence[int] | None


def _array(value: Any) -> Array:
    if isinstance(value, Array):
        return value
    if isinstance(value, (bool, int, float)):
        return scalar(value)
    return asarray(value)


def _one(name: str, inputs: Sequence[Any], integers: Sequence[int] = (), numbers: Sequence[float] = ()) -> Array:
    arrays = [None if each is None else _array(each) for each in inputs]
    return Array(call_one(name, arrays, integers, numbers))


# -- element-wise ------------------------------------------------------------------------------------------------------


def _of_one(name: str) -> Callable[[Any], Array]:
    def function(x: Any, /) -> Array:
        return Array(unary(name, _array(x)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name} of each element."
    return function


def _of_two(name: str) -> Callable[[Any, Any], Array]:
    def function(x1: Any, x2: Any, /) -> Array:
        return Array(binary(name, _array(x1), _array(x2)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name} of the elements of two arrays that broadcast."
    return function


abs = _of_one("abs")
acos, acosh, asin, asinh = _of_one("acos"), _of_one("acosh"), _of_one("asin"), _of_one("asinh")
atan, atanh, ceil, cos, cosh = _of_one("atan"), _of_one("atanh"), _of_one("ceil"), _of_one("cos"), _of_one("cosh")
erf, exp, expm1, floor = _of_one("erf"), _of_one("exp"), _of_one("expm1"), _of_one("floor")
isfinite, isinf, isnan = _of_one("isfinite"), _of_one("isinf"), _of_one("isnan")
log, log1p, log2, log10 = _of_one("log"), _of_one("log1p"), _of_one("log2"), _of_one("log10")
logical_not, negative, reciprocal = _of_one("logical_not"), _of_one("negative"), _of_one("reciprocal")
round, sigmoid, sign, signbit, sin, sinh = (
    _of_one("round"),
    _of_one("sigmoid"),
    _of_one("sign"),
    _of_one("signbit"),
    _of_one("sin"),
    _of_one("sinh"),
)
sqrt, square, tan, tanh, trunc = _of_one("sqrt"), _of_one("square"), _of_one("tan"), _of_one("tanh"), _of_one("trunc")
bitwise_invert = _of_one("bitwise_invert")
relu, gelu, silu = _of_one("relu"), _of_one("gelu"), _of_one("silu")
softmax, log_softmax = _of_one("softmax"), _of_one("log_softmax")

add, atan2, copysign, divide, equal = (
    _of_two("add"),
    _of_two("atan2"),
    _of_two("copysign"),
    _of_two("divide"),
    _of_two("equal"),
)
floor_divide, greater, greater_equal, hypot = (
    _of_two("floor_divide"),
    _of_two("greater"),
    _of_two("greater_equal"),
    _of_two("hypot"),
)
less, less_equal, logaddexp, maximum, minimum = (
    _of_two("less"),
    _of_two("less_equal"),
    _of_two("logaddexp"),
    _of_two("maximum"),
    _of_two("minimum"),
)
logical_and, logical_or, logical_xor = _of_two("logical_and"), _of_two("logical_or"), _of_two("logical_xor")
multiply, nextafter, not_equal, pow = (
    _of_two("multiply"),
    _of_two("nextafter"),
    _of_two("not_equal"),
    _of_two("power"),
)
remainder, subtract = _of_two("remainder"), _of_two("subtract")
bitwise_and, bitwise_or, bitwise_xor = _of_two("bitwise_and"), _of_two("bitwise_or"), _of_two("bitwise_xor")
bitwise_left_shift, bitwise_right_shift = _of_two("bitwise_left_shift"), _of_two("bitwise_right_shift")
matmul, dot, outer = _of_two("matmul"), _of_two("dot"), _of_two("outer")


def positive(x: Array, /) -> Array:
    return _array(x)


def real(x: Array, /) -> Array:
    return _array(x)


def imag(x: Array, /) -> Array:
    """Zeros, as NumPy's for real numbers."""
    return _array(x) * 0


def conj(x: Array, /) -> Array:
    return _array(x)


def clip(x: Array, /, min: Any = None, max: Any = None) -> Array:
    return _one("clip", [x, min, max])


def where(condition: Any, x1: Any, x2: Any, /) -> Array:
    return _one("where", [condition, x1, x2])


# -- types -------------------------------------------------------------------------------------------------------------


def astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    wanted = as_dtype(dtype)
    result = x if device is None else x.to_device(device)
    if wanted is result.dtype:
        return asarray(result, copy=copy)
    return result.astype(wanted)


def result_type(*arrays_and_dtypes: Any) -> DType:
    kinds = {"bool": 0, "signed integer": 1, "unsigned integer": 1, "real floating": 2}
    result: DType | None = None
    weak: DType | None = None
    for each in arrays_and_dtypes:
        if isinstance(each, (bool, int, float)) and not hasattr(each, "dtype"):
            own = (
                _dtypes.bool_ if isinstance(each, bool) else _dtypes.int64 if isinstance(each, int) else _dtypes.float32
            )
            weak = own if weak is None or kinds[own.kind] > kinds[weak.kind] else weak
            continue
        dtype = each.dtype if isinstance(each, Array) else as_dtype(each)
        result = dtype if result is None else _dtypes.promoted(result, dtype)
    if result is None:
        if weak is None:
            raise ValueError("result_type() needs at least one array or type")
        return weak
    return weak if weak is not None and kinds[weak.kind] > kinds[result.kind] else result


def can_cast(from_: Any, to: Any, /) -> bool:
    source = from_.dtype if isinstance(from_, Array) else as_dtype(from_)
    try:
        return _dtypes.promoted(source, as_dtype(to)) is as_dtype(to)
    except (TypeError, ValueError):
        return False


def isdtype(dtype: Any, kind: Any) -> bool:
    return _dtypes.is_of_kind(as_dtype(dtype), kind)


def finfo(type: Any, /) -> _dtypes.finfo:
    return _dtypes.describe_float(type.dtype if isinstance(type, Array) else as_dtype(type))


def iinfo(type: Any, /) -> _dtypes.iinfo:
    return _dtypes.describe_integer(type.dtype if isinstance(type, Array) else as_dtype(type))


# -- reductions --------------------------------------------------------------------------------------------------------


def _dtype(dtype: Any) -> list[int]:
    return [0] if dtype is None else [1, as_dtype(dtype).number]


def sum(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _one("sum", [x], [*axes(axis), int(keepdims), *_dtype(dtype)])


def prod(x: Array, /, *, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Array:
    return _one("prod", [x], [*axes(axis), int(keepdims), *_dtype(dtype)])


def mean(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("mean", [x], [*axes(axis), int(keepdims)])


def var(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    return _one("var", [x], [*axes(axis), int(keepdims)], [float(correction)])


def std(x: Array, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    return _one("std", [x], [*axes(axis), int(keepdims)], [float(correction)])


def max(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("max", [x], [*axes(axis), int(keepdims)])


def min(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("min", [x], [*axes(axis), int(keepdims)])


def any(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("any", [x], [*axes(axis), int(keepdims)])


def all(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("all", [x], [*axes(axis), int(keepdims)])


def count_nonzero(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("count_nonzero", [x], [*axes(axis), int(keepdims)])


def norm(x: Array, /, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    return _one("norm", [x], [*axes(axis), int(keepdims)], [float(ord)])


def argmax(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return _one("argmax", [x], [*optional(axis), int(keepdims)])


def argmin(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    return _one("argmin", [x], [*optional(axis), int(keepdims)])


def cumulative_sum(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    return _one("cumulative_sum", [x], [*optional(axis), *_dtype(dtype), int(include_initial)])


def cumulative_prod(x: Array, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Array:
    return _one("cumulative_prod", [x], [*optional(axis), *_dtype(dtype), int(include_initial)])


# -- shapes ------------------------------------------------------------------------------------------------------------


def _tuple(value: int | Sequence[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


def reshape(x: Array, /, shape: Sequence[int], *, copy: bool | None = None) -> Array:
    return x.reshape(tuple(shape))


def permute_dims(x: Array, /, axes: Sequence[int]) -> Array:
    return _one("permute_dims", [x], listed(axes))


def matrix_transpose(x: Array, /) -> Array:
    return x.mT


def moveaxis(x: Array, source: int | Sequence[int], destination: int | Sequence[int], /) -> Array:
    return _one("moveaxis", [x], [*listed(_tuple(source)), *listed(_tuple(destination))])


def broadcast_to(x: Array, /, shape: Sequence[int]) -> Array:
    return _one("broadcast_to", [x], listed(shape))


def broadcast_arrays(*arrays: Array) -> list[Array]:
    return [Array(each) for each in call("broadcast_arrays", [x for x in arrays])]


def expand_dims(x: Array, /, axis: int = 0) -> Array:
    if not -x.ndim - 1 <= axis <= x.ndim:
        raise IndexError(f"axis {axis} is none of the places {-x.ndim - 1} to {x.ndim}")
    return _one("expand_dims", [x], [axis])


def squeeze(x: Array, /, axis: int | Sequence[int]) -> Array:
    return _one("squeeze", [x], listed(_tuple(axis)))


def flip(x: Array, /, *, axis: Axis = None) -> Array:
    return _one("flip", [x], axes(axis))


def concat(arrays: Sequence[Array], /, *, axis: int | None = 0) -> Array:
    given = [x.reshape((x.size,)) for x in arrays] if axis is None else list(arrays)
    return _one("concat", given, [axis or 0])


def stack(arrays: Sequence[Array], /, *, axis: int = 0) -> Array:
    return _one("stack", list(arrays), [axis])


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    count = x.shape[axis] if -x.ndim <= axis < x.ndim else 1
    return tuple(Array(each) for each in call("unstack", [x], [axis], most=count or 1))


def split(x: Array, parts: int | Sequence[int], /, *, axis: int = 0) -> list[Array]:
    if isinstance(parts, int):
        return [Array(each) for each in call("split", [x], [parts, axis], most=parts if parts > 0 else 1)]
    return [Array(each) for each in call("split_at", [x], [*listed(parts), axis], most=len(parts) + 1)]


def tile(x: Array, repetitions: int | Sequence[int], /) -> Array:
    return _one("tile", [x], listed(_tuple(repetitions)))


def repeat(x: Array, repeats: Any, /, *, axis: int | None = None) -> Array:
    if isinstance(repeats, int):
        return _one("repeat", [x], [repeats, *optional(axis)])
    counts = repeats if isinstance(repeats, Array) else asarray(repeats, device=x.device)
    return _one("repeat_each", [x, counts], optional(axis))


def roll(x: Array, /, shift: int | Sequence[int], *, axis: Axis = None) -> Array:
    return _one("roll", [x], [*listed(_tuple(shift)), *axes(axis)])


def pad(x: Array, widths: Any, /, *, constant_values: Any = 0) -> Array:
    """`widths`: (before, after) for every axis, or one pair for each."""
    pairs = [widths] * x.ndim if isinstance(widths[0], int) else list(widths)
    return _one("pad", [x, constant_values], listed(width for pair in pairs for width in pair))


# -- places ------------------------------------------------------------------------------------------------------------


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    if axis is None:
        if x.ndim != 1:
            raise ValueError("take() from an array of several axes needs an axis")
        axis = 0
    from ._indexing import _checked_places

    extent = x.shape[axis] if -x.ndim <= axis < x.ndim else 0
    return _one("take", [x, _checked_places(_array(indices), extent, axis)], [axis])


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    return _one("take_along_axis", [x, indices], [axis])


def nonzero(x: Array, /) -> tuple[Array, ...]:
    return tuple(Array(each) for each in call("nonzero", [x]))


def searchsorted(x1: Array, x2: Array, /, *, side: str = "left", sorter: Array | None = None) -> Array:
    if side not in ("left", "right"):
        raise ValueError(f"side is {side!r}, expected 'left' or 'right'")
    return _one("searchsorted", [x1, x2, sorter], [int(side == "right")])


def sort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    return _one("sort", [x], [axis, int(descending)])


def argsort(x: Array, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    return _one("argsort", [x], [axis, int(descending)])


class TopK(NamedTuple):
    values: Array
    indices: Array


def topk(x: Array, k: int, /, *, axis: int = -1, largest: bool = True) -> TopK:
    return TopK(*(Array(each) for each in call("topk", [x], [k, axis, int(largest)])))


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


def unique_all(x: Array, /) -> UniqueAllResult:
    return UniqueAllResult(*(Array(each) for each in call("unique_all", [x])))


def unique_counts(x: Array, /) -> UniqueCountsResult:
    return UniqueCountsResult(*(Array(each) for each in call("unique_counts", [x])))


def unique_inverse(x: Array, /) -> UniqueInverseResult:
    return UniqueInverseResult(*(Array(each) for each in call("unique_inverse", [x])))


def unique_values(x: Array, /) -> Array:
    return _one("unique_values", [x])


def bincount(x: Array, /, *, weights: Array | None = None, minlength: int = 0) -> Array:
    return _one("bincount", [x, weights], [minlength])


def histogram(x: Array, /, bins: int = 10, *, range: tuple[float, float] | None = None) -> tuple[Array, Array]:
    flags, ends = ([0], []) if range is None else ([1], [float(range[0]), float(range[1])])
    counts, edges = call("histogram", [x], [bins, *flags], ends)
    return Array(counts), Array(edges)


def diff(
    x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None
) -> Array:
    parts = [each for each in (prepend, x, append) if each is not None]
    result = concat(parts, axis=axis) if len(parts) > 1 else x
    for _ in builtins.range(n):
        key: list[slice] = [slice(None)] * result.ndim
        later, earlier = list(key), list(key)
        later[axis], earlier[axis] = slice(1, None), slice(None, -1)
        change = not_equal if result.dtype is _dtypes.bool_ else subtract
        result = change(result[tuple(later)], result[tuple(earlier)])
    return result


# -- products ----------------------------------------------------------------------------------------------------------


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    return _one("vecdot", [x1, x2], [axis])


def tensordot(x1: Array, x2: Array, /, *, axes: Any = 2) -> Array:
    if isinstance(axes, int):
        left, right = tuple(builtins.range(x1.ndim - axes, x1.ndim)), tuple(builtins.range(axes))
    else:
        left, right = _tuple(axes[0]), _tuple(axes[1])
    return _one("tensordot", [x1, x2], [*listed(left), *listed(right)])


# -- work --------------------------------------------------------------------------------------------------------------


def eval(*arrays: Array) -> None:
    """Computes arrays in one plan, without waiting for a GPU."""
    handles = (ctypes.c_void_p * len(arrays))(*(x._handle for x in arrays))
    library().check(library().raw.overtake_array_eval(handles, len(arrays)))


def synchronize(device: str = "cpu") -> None:
    """Waits until a device has finished everything that was asked of it."""
    library().check(library().raw.overtake_synchronize(str(device).encode()))


class no_grad:
    """``with overtake.no_grad():`` arrays made inside do not require gradients."""

    def __enter__(self) -> None:
        library().check(library().raw.overtake_array_no_grad(1))

    def __exit__(self, *exception: object) -> None:
        library().check(library().raw.overtake_array_no_grad(-1))
