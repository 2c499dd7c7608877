# SPDX-License-Identifier: MIT
"""The operators of arrays, and functions of two arrays."""

from __future__ import annotations

import builtins
from typing import Any

from ._array import Array
from ._call import binary, unary
from ._scalars import WHOLE, beside, far_comparison, scalar

_ARITHMETIC = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_SMALL = 127
_ORDER = ("bool", "unsigned integer", "signed integer", "real floating")


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def operand(value: Any, beside: Array) -> Array | None:
    """The other side of an operator; None for what is no operand."""
    if isinstance(value, Array):
        return value
    if _is_number(value):
        return scalar(value)
    if hasattr(value, "__array__"):
        from ._creation import asarray

        return asarray(value, device=beside.device)
    return None


def apply(name: str, left: Any, right: Any) -> Array | None:
    """A function of two operands, one of which is an array; None where the other is no operand."""
    if isinstance(left, Array) and isinstance(right, Array):
        return Array(binary(name, left, right))
    swapped = not isinstance(left, Array)
    array, value = (right, left) if swapped else (left, right)
    if not _is_number(value):
        other = operand(value, array)
        return None if other is None else apply(name, *((other, array) if swapped else (array, other)))
    if type(value) is int:
        same = far_comparison(name, array, value, swapped)
        if same is not None:
            return same
        if name == "power" and not swapped and value < 0 and array.dtype.kind in WHOLE:
            raise ValueError(f"[power] {array.dtype} to the power {value} is no whole number: use astype('float32')")
    number = beside(name, value, array)
    return Array(binary(name, *((number, array) if swapped else (array, number))))


def _of_two(name: str, swapped: bool) -> Any:
    def method(self: Array, other: Any) -> Any:
        kind = type(other)
        if kind is float or (kind is int and 0 <= other <= _SMALL):
            other = scalar(other)  # every type of numbers has it, or is promoted
        if isinstance(other, Array):
            return Array(binary(name, *((other, self) if swapped else (self, other))))
        result = apply(name, *((other, self) if swapped else (self, other)))
        return NotImplemented if result is None else result

    return method


def _in_place(name: str) -> Any:
    compute = _of_two(name, False)

    def method(self: Array, other: Any) -> Any:
        result = compute(self, other)
        if result is NotImplemented:
            return NotImplemented
        if result.shape != self.shape:
            raise ValueError(
                f"[{name}] the result has shape {result.shape}, not {self.shape}: it cannot replace the array"
            )
        if _ORDER.index(result.dtype.kind) > _ORDER.index(self.dtype.kind):
            raise TypeError(
                f"[{name}] the result is {result.dtype}: it cannot replace an array of {self.dtype}; "
                "use x = x + y instead of x += y, or astype()"
            )
        return self._replace(result.astype(self.dtype))

    return method


def _divmod(self: Array, other: Any) -> Any:
    quotient = apply("floor_divide", self, other)
    return NotImplemented if quotient is None else (quotient, apply("remainder", self, other))


def _rdivmod(self: Array, other: Any) -> Any:
    quotient = apply("floor_divide", other, self)
    return NotImplemented if quotient is None else (quotient, apply("remainder", other, self))


def _round(self: Array, digits: int | None = None) -> Any:
    return self.round(digits or 0)


def _format(self: Array, form: str) -> str:
    """A number's format for an array without axes; others have none, as NumPy's."""
    if not form:
        return str(self)
    if self.ndim == 0:
        return format(self.item(), form)
    raise TypeError(f"an array of shape {self.shape} has no format {form!r}: item() is one number")


def _install() -> None:
    methods: dict[str, Any] = {}
    for python, ours in _ARITHMETIC.items():
        methods |= {python: _of_two(ours, False), f"r{python}": _of_two(ours, True), f"i{python}": _in_place(ours)}
    methods |= {python: _of_two(ours, False) for python, ours in _COMPARISONS.items()}
    methods |= {"abs": lambda self: Array(unary("abs", self))}
    methods |= {"invert": lambda self: Array(unary("bitwise_invert", self))}
    methods |= {
        "neg": lambda self: Array(unary("negative", self)),
        "pos": lambda self: self,
        "divmod": _divmod,
        "rdivmod": _rdivmod,
    }
    methods |= {"round": _round, "format": _format}
    for name, method in methods.items():
        builtins.setattr(Array, f"__{name}__", method)


_install()
