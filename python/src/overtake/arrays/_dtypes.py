# SPDX-License-Identifier: MIT
"""Element types, with the names and rules of the Python array API standard."""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

from .._library import library


class DType:
    """An element type: ``overtake.float32``. Equal to its name and to NumPy's type of that name."""

    __slots__ = ("itemsize", "kind", "name", "number")

    def __init__(self, number: int, name: str, itemsize: int, kind: str) -> None:
        self.number, self.name, self.itemsize, self.kind = number, name, itemsize, kind

    def __repr__(self) -> str:
        return f"overtake.{self.name}"

    def __str__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return other is self
        if isinstance(other, str):
            return other == self.name
        return getattr(other, "name", None) == self.name

    def __hash__(self) -> int:
        return hash(self.name)


bool_ = DType(0, "bool", 1, "bool")
int8 = DType(1, "int8", 1, "signed integer")
int16 = DType(2, "int16", 2, "signed integer")
int32 = DType(3, "int32", 4, "signed integer")
int64 = DType(4, "int64", 8, "signed integer")
uint8 = DType(5, "uint8", 1, "unsigned integer")
uint16 = DType(6, "uint16", 2, "unsigned integer")
uint32 = DType(7, "uint32", 4, "unsigned integer")
uint64 = DType(8, "uint64", 8, "unsigned integer")
float16 = DType(9, "float16", 2, "real floating")
bfloat16 = DType(10, "bfloat16", 2, "real floating")
float32 = DType(11, "float32", 4, "real floating")
float64 = DType(12, "float64", 8, "real floating")

ALL = (bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, bfloat16, float32, float64)
_BY_NAME = {each.name: each for each in ALL}
_LETTERS = {"signed integer": "i", "unsigned integer": "u", "real floating": "f"}
_BY_CODE = {
    "?": bool_,
    "b1": bool_,
    **{f"{_LETTERS[each.kind]}{each.itemsize}": each for each in ALL if each not in (bool_, bfloat16)},
    **{
        name: each
        for name, each in (("e", float16), ("f", float32), ("d", float64), ("float", float64), ("int", int64))
    },
    **dict(zip("bhilqBHILQ", (int8, int16, int32, int64, int64, uint8, uint16, uint32, uint64, uint64), strict=True)),
    **{"half": float16, "single": float32, "double": float64},
}


def as_dtype(given: Any) -> DType:
    """`given` as an element type: one of ours, a name, a type of NumPy, or Python's bool, int or float."""
    if isinstance(given, DType):
        return given
    if given is bool:
        return bool_
    if given is int:
        return int64
    if given is float:
        return float32
    name = given if isinstance(given, str) else getattr(given, "name", None) or getattr(given, "__name__", None)
    found = _BY_NAME.get("bool" if name == "bool_" else str(name))
    if found is None and isinstance(given, str):  # NumPy's codes, with or without the byte order of this machine
        found = _BY_CODE.get(given.lstrip("<=|"))
    if found is None:
        raise TypeError(f"{given!r} is no element type; there are {', '.join(_BY_NAME)}")
    return found


def promoted(a: DType, b: DType) -> DType:
    """The type that two types make together."""
    if a is b:
        return a
    result = ctypes.c_int32()
    library().check(library().raw.overtake_result_type(a.number, b.number, ctypes.byref(result)))
    return ALL[result.value]


class finfo(NamedTuple):
    """What a floating type can hold."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


class iinfo(NamedTuple):
    """What a type of whole numbers can hold."""

    bits: int
    max: int
    min: int
    dtype: DType


# Bits of the significand without the leading one, largest exponent.
_FLOATS = {"float16": (10, 15), "bfloat16": (7, 127), "float32": (23, 127), "float64": (52, 1023)}


def describe_float(dtype: DType) -> finfo:
    if dtype.name not in _FLOATS:
        raise TypeError(f"{dtype} is no floating type: iinfo() describes whole numbers")
    digits, exponent = _FLOATS[dtype.name]
    largest = (2.0 - 2.0**-digits) * 2.0**exponent
    return finfo(8 * dtype.itemsize, 2.0**-digits, largest, -largest, 2.0 ** (1 - exponent), dtype)


def describe_integer(dtype: DType) -> iinfo:
    bits = 8 * dtype.itemsize
    if dtype.kind == "signed integer":
        return iinfo(bits, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), dtype)
    if dtype.kind == "unsigned integer":
        return iinfo(bits, 2**bits - 1, 0, dtype)
    raise TypeError(f"{dtype} is no type of whole numbers: finfo() describes floating types")


def is_of_kind(dtype: DType, kind: Any) -> bool:
    """The standard's isdtype(): `kind` is a type, a kind's name, or a tuple of those."""
    if isinstance(kind, tuple):
        return any(is_of_kind(dtype, each) for each in kind)
    if isinstance(kind, str) and kind not in _BY_NAME:
        whole = ("signed integer", "unsigned integer")
        groups = {
            "bool": ("bool",),
            "signed integer": whole[:1],
            "unsigned integer": whole[1:],
            "integral": whole,
            "real floating": ("real floating",),
            "complex floating": (),
            "numeric": (*whole, "real floating"),
        }
        if kind not in groups:
            raise ValueError(f"{kind!r} is no kind of types; there are {', '.join(groups)}")
        return dtype.kind in groups[kind]
    if kind == "bool":
        return dtype is bool_
    return dtype is as_dtype(kind)
