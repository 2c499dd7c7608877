# SPDX-License-Identifier: MIT
"""Functions of elements, and of types, with the names and arguments of the Python array API standard (2024.12) and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _dtypes
from ._arguments import array_of, one, operand_of
from ._array import Array
from ._call import binary, unary
from ._creation import asarray
from ._dtypes import DType, as_dtype
from ._operators import apply
from ._scalars import WHOLE, require_fit


def _of_one(name: str) -> Callable[[Any], Array]:
    def function(x: Any, /) -> Array:
        return Array(unary(name, operand_of(x, name)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name} of each element."
    return function


def _of_two(name: str) -> Callable[[Any, Any], Array]:
    def function(x1: Any, x2: Any, /) -> Array:
        numbers = [isinstance(each, (bool, int, float)) for each in (x1, x2)]
        a = x1 if numbers[0] else array_of(x1, name, "x1")
        b = x2 if numbers[1] else array_of(x2, name, "x2")
        if numbers == [True, True]:
            return Array(binary(name, operand_of(a, name), operand_of(b, name)))
        result = apply(name, a, b)
        assert result is not None
        return result

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
sigmoid, sign, signbit, sin, sinh = (
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
    return operand_of(x, "positive")


def real(x: Array, /) -> Array:
    return operand_of(x, "real")


def imag(x: Array, /) -> Array:
    """Zeros, as NumPy's for real numbers."""
    return array_of(x, "imag") * 0


def conj(x: Array, /) -> Array:
    return operand_of(x, "conj")


def round(x: Any, /, decimals: int = 0) -> Array:
    """The nearest whole number, or the nearest multiple of 10^-decimals, of two the even one."""
    given = operand_of(x, "round")
    if decimals == 0 or (decimals > 0 and given.dtype.kind in (*WHOLE, "bool")):
        return Array(unary("round", given))
    if given.dtype.kind in WHOLE:
        unit = 10**-decimals
        return (given / unit).round() * unit if unit < 2**53 else given * 0
    factor = 10.0**decimals
    return Array(unary("round", given * factor)) / factor


def clip(x: Any, /, min: Any = None, max: Any = None) -> Array:
    """Between `min` and `max`; of whole numbers the type is that of x + bound."""
    given = array_of(x, "clip")
    bounds = [
        each if each is None or isinstance(each, (bool, int, float)) else array_of(each, "clip", what, given)
        for each, what in ((min, "min"), (max, "max"))
    ]
    kind = result_type(given, *(each for each in bounds if each is not None))
    if kind is not given.dtype and given.dtype.kind != "real floating":
        given = given.astype(kind)
    for each in bounds:
        require_fit("clip", each, given.dtype)
    return one("clip", [given, *(None if each is None else operand_of(each, "clip") for each in bounds)])


def where(condition: Any, x1: Any, x2: Any, /) -> Array:
    """x1 where the condition holds, x2 elsewhere."""
    a, b = operand_of(x1, "where", "x1"), operand_of(x2, "where", "x2")
    require_fit("where", x1, b.dtype) if isinstance(x1, int) and not isinstance(x2, (int, float)) else None
    require_fit("where", x2, a.dtype) if isinstance(x2, int) and not isinstance(x1, (int, float)) else None
    return one("where", [operand_of(condition, "where", "condition"), a, b])


# -- types -------------------------------------------------------------------------------------------------------------


def astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
    wanted = as_dtype(dtype)
    x = array_of(x, "astype")
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
