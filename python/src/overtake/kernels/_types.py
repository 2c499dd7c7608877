# SPDX-License-Identifier: MIT
"""Types of values in kernels: those of arrays, and the weak ones of Python's plain numbers."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from ..arrays import _dtypes
from ..arrays._dtypes import DType

# A plain number takes the type beside it. Where there is none, an int is an int64 and a float is a float32.
WEAK_INT = DType(-1, "int", 8, "signed integer")
WEAK_FLOAT = DType(-2, "float", 4, "real floating")

# A place that 32 bits hold, in the type in which the device computes it fastest: int32 at least.
PLACE = DType(-3, "PLACE", 4, "signed integer")

_RANKS = {"bool": 0, "signed integer": 1, "unsigned integer": 1, "real floating": 2}
_WIDEST_PLAIN = 2**31
SMALL = 48  # bits


@dataclass(frozen=True)
class ArrayType:
    """An array of a kernel: `extents` are known for shared ones, of others maybe the `last` one."""

    dtype: DType
    ndim: int
    extents: tuple[int, ...] | None = None
    last: int | None = None

    @property
    def open_axes(self) -> range:
        """The axes of an array that is not shared whose extents are known at the launch alone."""
        return range(self.ndim - (self.last is not None))

    @property
    def is_shared(self) -> bool:
        """Whether the array lies in the memory of a group."""
        return self.extents is not None

    def __str__(self) -> str:
        axes = "axis" if self.ndim == 1 else "axes"
        return f"{'a shared array' if self.is_shared else 'an array'} of {self.dtype} with {self.ndim} {axes}"


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression has become: C text and what is known of it."""

    type: DType
    text: str
    const: bool | int | float | None = None
    simple: bool = False  # a name or a literal: may be written twice
    reads: bool = False  # memory, which a later call may change
    positive: bool = False  # never below 0
    bits: int = 64  # of a whole number: it lies between -(2 ** bits) and 2 ** bits, without those
    counts: bool = False  # work-items or groups: 1 at least
    factors: tuple[str, str] | None = None  # of a product of floats, which a sum may be fused with


def bits_of(value: Value) -> int:
    """How many bits a whole number has at most, beside its sign."""
    if isinstance(value.const, int):
        return abs(value.const).bit_length()
    return min(value.bits, bits_of_type(value.type))


def bits_of_type(dtype: DType) -> int:
    """The same of all numbers of a type; of the smallest one of a signed type it is all of them, of floats nothing is known."""
    return 1 if dtype.kind == "bool" else 64 if is_float(dtype) else 8 * dtype.itemsize


def keeps_sign(source: DType, wanted: DType) -> bool:
    """Whether what is not below 0 is not below 0 in another type: where that holds it, or has no sign."""
    if wanted.kind == "unsigned integer":
        return True
    wider = wanted.itemsize - (source.kind == "unsigned integer")
    return is_whole(wanted) and is_whole(source) and wider >= source.itemsize


def has_room(dtype: DType, bits: int) -> bool:
    """Whether whole numbers of so many bits do not wrap round in a type."""
    return bits <= bits_of_type(dtype) - (dtype.kind == "signed integer")


def stays_positive(value: Value, dtype: DType) -> bool:
    """Whether a whole number is not below 0 in a type."""
    return value.positive and (keeps_sign(value.type, dtype) or has_room(dtype, bits_of(value)))


def is_small(value: Value) -> bool:
    """Whether a whole number is known to be far from the ends of 64 bits: a size, a place."""
    return bits_of(value) <= SMALL


def is_short(value: Value) -> bool:
    """Whether an int32 holds a whole number."""
    return bits_of(value) <= 31 or (value.const is None and value.type is _dtypes.int32)


def held_in_memory(dtype: DType) -> str:
    """The type in C of an array's elements: a bool is a byte."""
    return "uint8" if dtype is _dtypes.bool_ else dtype.name


class NoCommonType(TypeError):
    """Two types that do not go together."""


def is_weak(dtype: DType) -> bool:
    """Whether this is the type of a plain number."""
    return dtype.number < 0


def is_float(dtype: DType) -> bool:
    """float32, float64 or a plain float."""
    return dtype.kind == "real floating"


def is_whole(dtype: DType) -> bool:
    """Whole numbers, not bool."""
    return _RANKS[dtype.kind] == 1


def strong(dtype: DType, wide: bool) -> DType:
    """The type in which a plain number is held; `wide`: the function computes in float64 somewhere."""
    if dtype is WEAK_INT:
        return _dtypes.int64
    if dtype is WEAK_FLOAT:
        return _dtypes.float64 if wide else _dtypes.float32
    return dtype


def promoted(a: DType, b: DType) -> DType:
    """The type that two make together: overtake.result_type(), here without the library.

    Raises
    ------
    NoCommonType
        For uint64 beside a signed type.
    """
    if a is b:
        return a
    if _RANKS[a.kind] != _RANKS[b.kind]:
        low, high = (a, b) if _RANKS[a.kind] < _RANKS[b.kind] else (b, a)
        if not is_weak(high) or is_weak(low):
            return high
        return _dtypes.int64 if high is WEAK_INT else _dtypes.float32
    if is_weak(a) or is_weak(b):
        return b if is_weak(a) else a
    return _of_one_kind(a, b)


def _of_one_kind(a: DType, b: DType) -> DType:
    if a.kind == b.kind:
        return a if a.itemsize > b.itemsize else b
    signed, unsigned = (a, b) if a.kind == "signed integer" else (b, a)
    if signed.itemsize > unsigned.itemsize:
        return signed
    wider = {1: _dtypes.int16, 2: _dtypes.int32, 4: _dtypes.int64}.get(unsigned.itemsize)
    if wider is None:
        raise NoCommonType(f"{a} and {b} have no common type")
    return wider


def fits(number: int, dtype: DType) -> bool:
    """Whether a type of whole numbers (or bool) can hold a number."""
    if dtype.kind == "bool":
        return number in (0, 1)
    bits = 64 if is_weak(dtype) else 8 * dtype.itemsize
    smallest = 0 if dtype.kind == "unsigned integer" else -(1 << (bits - 1))
    return smallest <= number < smallest + (1 << bits)


def holds(dtype: DType, what: DType | bool | int | float) -> bool:
    """Whether a type of floats holds a number, or all numbers of a type of whole ones, as they are."""
    if not isinstance(what, DType):
        try:
            return _rounded(what, dtype) == what
        except OverflowError:
            return False
    return 8 * what.itemsize - (what.kind == "signed integer") <= (53 if dtype is _dtypes.float64 else 24)


def wrapped(number: int, dtype: DType) -> int:
    """A whole number as a type holds it: modulo 2 to its bits."""
    bits = 8 * dtype.itemsize
    number %= 2**bits
    return number - 2**bits if dtype.kind == "signed integer" and number >= 2 ** (bits - 1) else number


def converted(number: bool | int | float, dtype: DType) -> bool | int | float:
    """A number as one of the types of arrays holds it: wrapped, rounded or clipped, as conversions of arrays are."""
    if dtype.kind == "bool":
        return bool(number)
    if is_float(dtype):
        return _rounded(number, dtype)
    return _clipped(number, dtype) if isinstance(number, float) else wrapped(int(number), dtype)


def literal(number: bool | int | float, dtype: DType) -> str:
    """A number in C, of one of the types of arrays; wrapped or rounded where it does not fit."""
    value = converted(number, dtype)
    if dtype.kind == "bool":
        return "1" if value else "0"
    if is_float(dtype):
        return _float_literal(float(value), dtype is _dtypes.float32)
    whole = int(value)
    if dtype.kind == "unsigned integer":
        return f"{whole}u" if whole < 2 * _WIDEST_PLAIN else f"(uint64){hex(whole)}u"
    if -_WIDEST_PLAIN < whole < _WIDEST_PLAIN:
        return str(whole) if whole >= 0 else f"({whole})"
    if whole in (-_WIDEST_PLAIN, -(2**63)):  # there is no literal of it in C
        return f"(-({dtype.name}){-(whole + 1)} - 1)"
    return f"((int64){whole})"


def _clipped(number: float, dtype: DType) -> int:
    """As conversions of arrays: toward zero, to the ends of the type, NaN to 0."""
    described = _dtypes.describe_integer(dtype)
    if math.isnan(number):
        return 0
    return int(max(float(described.min), number)) if number < described.max else described.max


def _rounded(number: bool | int | float, dtype: DType) -> float:
    try:
        value = float(number)
        return float(struct.unpack("f", struct.pack("f", value))[0]) if dtype is _dtypes.float32 else value
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _float_literal(value: float, single: bool) -> str:
    if math.isfinite(value):
        text = next(
            each for digits in range(6, 18) if _same(each := f"{value:.{digits}g}", value, single)
        )  # the shortest that is read as this very number
        text = text if any(each in text for each in ".e") else f"{text}.0"
        text += "f" if single else ""
        return f"({text})" if text.startswith("-") else text
    if single:
        text = f"as_float({0x7FC00000 if math.isnan(value) else 0x7F800000:#x})"
    else:
        text = f"BITS_DOUBLE((uint64){0x7FF8000000000000 if math.isnan(value) else 0x7FF0000000000000:#x}u)"
    return f"(-{text})" if value < 0 else text


def _same(text: str, value: float, single: bool) -> bool:
    return _rounded(float(text), _dtypes.float32 if single else _dtypes.float64) == value
