# SPDX-License-Identifier: MIT
"""Python's operators on values: their types, and C that means the same."""

from __future__ import annotations

import ast
import dataclasses
import operator
from collections.abc import Callable
from typing import Any

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._scope import Scope, bare
from ._types import (
    WEAK_FLOAT,
    WEAK_INT,
    Value,
    bits_of,
    converted,
    fits,
    has_room,
    is_float,
    is_short,
    is_weak,
    is_whole,
    literal,
    stays_positive,
)

_FOLDED: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "<<": operator.lshift, ">>": operator.rshift, "&": operator.and_,
    "|": operator.or_, "^": operator.xor, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_WRAPPING = {"+": "add", "-": "sub", "*": "mul"}
_SHIFTS = {"<<": "lshift", ">>": "rshift"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_MOST_BITS = 4096  # of a number that is known while compiling
_MOST_FACTORS = 4  # beyond it products are less exact than pow()


class Arithmetic(Scope):
    """Operators."""

    def binary(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        """`a` and `b` with an operator of Python's between them."""
        if a.const is not None and b.const is not None and not (_is_typed(a) or _is_typed(b)):
            return self._fold(node, symbol, a, b)
        if symbol in _WRAPPING:
            return self._sum(node, symbol, a, b)
        if symbol in ("/", "//", "%"):
            return self._quotient(node, symbol, a, b)
        if symbol == "**":
            return self._power(node, a, b)
        if symbol in _SHIFTS or symbol in ("&", "|", "^"):
            return self._bits(node, symbol, a, b)
        return self.compare(node, symbol, a, b)

    def _fold(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        try:
            if symbol in ("**", "<<") and isinstance(b.const, int) and abs(b.const) > _MOST_BITS:
                raise OverflowError("the number would be too large")
            result = _FOLDED[symbol](a.const, b.const)
            if isinstance(result, complex):
                raise ValueError("the result is no real number")
        except (ArithmeticError, ValueError, TypeError) as error:
            self.fail(node, f"{a.const} {symbol} {b.const}: {error}")
        return self.constant(node, result)

    def counted(self, dtype: DType) -> DType:
        """The type that arithmetic gives: bools count as ints."""
        return _dtypes.int64 if dtype is _dtypes.bool_ else dtype

    def made(self, dtype: DType, text: str, *sources: Value, positive: bool = False, bits: int = 64) -> Value:
        """A value made of others."""
        self.note(dtype)
        return Value(dtype, text, reads=any(each.reads for each in sources), positive=positive, bits=bits)

    def _sum(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        dtype = self.counted(self.promote(node, a, b))
        left, right = self.cast(node, a, dtype), self.cast(node, b, dtype)
        if is_float(dtype):
            fused = self._fused(dtype, symbol, (a, left), (b, right)) if self.program.fma and symbol != "*" else ""
            made = self.made(dtype, fused or f"({left} {symbol} {right})", a, b)
            return dataclasses.replace(made, factors=(left, right)) if symbol == "*" else made
        bits = bits_of(a) + bits_of(b) if symbol == "*" else max(bits_of(a), bits_of(b)) + 1
        are_above, is_unsigned = a.positive and b.positive, dtype.kind == "unsigned integer"
        if symbol == "-" and are_above:
            bits = 64 if is_unsigned else bits - 1
        bits = bits if has_room(dtype, bits) else 64  # else they wrap round
        positive = is_unsigned or (symbol != "-" and are_above and bits < 64)
        text = self.program.helpers.call(_WRAPPING[symbol], self.held(dtype), left, right)
        return self.made(dtype, text, a, b, positive=positive, bits=bits)

    def _fused(self, dtype: DType, symbol: str, a: tuple[Value, str], b: tuple[Value, str]) -> str:
        """A product and a sum that are rounded once; empty where neither number is a product of that type."""
        for (value, _), (_, other), is_first in ((a, b, True), (b, a, False)):
            if value.factors is None or self.held(value.type) is not self.held(dtype):
                continue
            left, right = value.factors
            less = symbol == "-"
            left, added = f"(-{left})" if less and not is_first else left, f"(-{other})" if less and is_first else other
            return self.program.helpers.call("fma", self.held(dtype), bare(left), bare(right), bare(added))
        return ""

    def _quotient(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        dtype = self.counted(self.promote(node, a, b))
        if symbol == "/" and not is_float(dtype):
            dtype = WEAK_FLOAT if dtype is WEAK_INT else _dtypes.float32
        left, right = self.cast(node, a, dtype), self.cast(node, b, dtype)
        if symbol == "/":
            # Compilers know more of a constant than DIVIDE does.
            is_plain = a.const is not None or b.const is not None or self.held(dtype) is not _dtypes.float32
            return self.made(dtype, f"({left} / {right})" if is_plain else f"DIVIDE({bare(left)}, {bare(right)})", a, b)
        name = "floordiv" if symbol == "//" else "mod"
        # What is left of a division has the divisor's sign, and is nearer to 0.
        positive, bits = stays_positive(b, dtype), bits_of(b)
        if name == "floordiv":
            positive, bits = positive and stays_positive(a, dtype), bits_of(a) + 1
        held = self.held(dtype)
        if held is _dtypes.int64 and max(bits_of(a), bits_of(b)) < 32:  # of 64 bits a division takes long
            held = _dtypes.uint32 if stays_positive(a, dtype) and stays_positive(b, dtype) else _dtypes.int32
            left, right = (self.cast(node, each, held, exact=False) for each in (a, b))
        text = self.program.helpers.call(name, held, left, right)
        text = f"((int64){text})" if held is not self.held(dtype) else text
        return self.made(dtype, text, a, b, positive=positive, bits=bits)

    def _power(self, node: ast.AST, a: Value, b: Value) -> Value:
        dtype = self.counted(self.promote(node, a, b))
        exponent = int(b.const) if b.const is not None and b.const == b.const and b.const in range(-64, 65) else None
        if is_float(dtype):
            base = self.cast(node, a, dtype)
            if exponent is not None and 0 < abs(exponent) <= _MOST_FACTORS:
                product = (
                    base if abs(exponent) == 1 else self.program.helpers.product(self.held(dtype), abs(exponent), base)
                )
                one = literal(1.0, self.held(dtype))
                made = self.made(dtype, product if exponent > 0 else f"({one} / {product})", a)
                return dataclasses.replace(made, factors=(base, base)) if exponent == 2 and a.simple else made
            return self.made(dtype, f"pow({base}, {self.cast(node, b, dtype)})", a, b)
        if b.const is not None and b.const < 0:
            self.fail(node, "a whole number to a negative power is no whole number", "Write overtake.float32(x) ** n.")
        base = self.cast(node, a, dtype)
        if exponent is not None and 2 <= exponent <= _MOST_FACTORS:
            return self.made(
                dtype,
                self.program.helpers.product(self.held(dtype), exponent, base),
                a,
                positive=a.positive and has_room(dtype, exponent * bits_of(a)),
            )
        text = self.program.helpers.call("power", self.held(dtype), base, self.cast(node, b, dtype))
        return self.made(dtype, text, a, b, positive=dtype.kind == "unsigned integer")

    def _bits(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        dtype = self.promote(node, a, b)
        if is_float(dtype):
            wrong = a.type if is_float(a.type) else b.type
            self.fail(node, f"{symbol} needs whole numbers or bool, not {wrong}", "Convert it: overtake.int32(x).")
        if symbol in _SHIFTS:
            dtype = self.counted(dtype)
            left, right = self.cast(node, a, dtype), self.cast(node, b, dtype, exact=False)
            if (
                b.const is not None and not 0 <= b.const < 8 * self.held(dtype).itemsize
            ):  # wrapped it might be a small one
                right = literal(8 * self.held(dtype).itemsize, self.held(dtype))
            text = self.program.helpers.call(_SHIFTS[symbol], self.held(dtype), left, right)
            positive, bits = (stays_positive(a, dtype), bits_of(a)) if symbol == ">>" else (False, 64)
            return self.made(dtype, text, a, b, positive=positive, bits=bits)
        left, right = self.cast(node, a, dtype), self.cast(node, b, dtype)
        above = [each for each in (a, b) if stays_positive(each, dtype)]
        positive, bits = len(above) == 2, max(bits_of(a), bits_of(b))
        if symbol == "&" and above:
            positive, bits = True, min(bits_of(each) for each in above)
        return self.made(dtype, f"({left} {symbol} {right})", a, b, positive=positive, bits=bits)

    def compare(self, node: ast.AST, symbol: str, a: Value, b: Value) -> Value:
        """A comparison: a bool."""
        if a.const is not None and b.const is not None:
            known = [a.const, b.const]
            if _is_typed(a) or _is_typed(b):
                dtype = self.held(self.promote(node, a, b)) if is_float(a.type) or is_float(b.type) else None
                known = [each if dtype is None else converted(each, dtype) for each in known]  # as beside what varies
            return self.constant(node, bool(_FOLDED[symbol](*known)))
        dtype = self.promote(node, a, b)
        for plain, other in ((a, b), (b, a)):  # of 300 beside an int8 both are taken wider: what is true stays true
            if plain.type is not WEAK_INT or not is_whole(dtype):
                continue
            if isinstance(plain.const, int) and fits(plain.const, dtype):
                continue
            if dtype is _dtypes.uint64 and not plain.positive:
                return self._beside_unsigned(node, symbol if plain is a else _MIRRORED[symbol], plain, other)
            dtype = _dtypes.int64 if dtype.itemsize < 8 else dtype
        # Compilers see of sizes that 32 bits hold them, and not of arguments.
        is_argument = any(each.type is WEAK_INT and each.const is None for each in (a, b))
        if is_argument and self.held(dtype) is _dtypes.int64 and is_short(a) and is_short(b):
            left, right = (self.cast(node, each, _dtypes.int32, exact=False) for each in (a, b))
        else:
            left, right = self.cast(node, a, dtype), self.cast(node, b, dtype)
        return self.made(_dtypes.bool_, f"({left} {symbol} {right})", a, b, positive=True)

    def _beside_unsigned(self, node: ast.AST, symbol: str, plain: Value, other: Value) -> Value:
        """An int that may be below 0 compared with a uint64."""
        if plain.const is not None:
            below = symbol in ("<", "<=", "!=")
            return self.constant(node, below if plain.const < 0 else symbol in ("!=", ">", ">="))
        plain, other = self.keep(plain), self.keep(other)
        sign = f"{plain.text} < 0 ||" if symbol in ("<", "<=", "!=") else f"{plain.text} >= 0 &&"
        text = f"({sign} {self.cast(node, plain, _dtypes.uint64, exact=False)} {symbol} {other.text})"
        return self.made(_dtypes.bool_, text, plain, other)

    def unary(self, node: ast.AST, operation: ast.unaryop, a: Value) -> Value:
        """-a, +a, ~a."""
        if isinstance(operation, ast.Invert):
            return self._inverted(node, a)
        if a.const is not None and not _is_typed(a):
            return self.constant(node, -a.const if isinstance(operation, ast.USub) else +a.const)
        dtype = self.counted(a.type)
        text = self.cast(node, a, dtype)
        if isinstance(operation, ast.UAdd):
            return self.made(dtype, text, a, positive=a.positive, bits=bits_of(a))
        if is_float(dtype):
            return self.made(dtype, f"(-{text})", a)
        return self.made(dtype, self.program.helpers.call("neg", self.held(dtype), text), a)

    def _inverted(self, node: ast.AST, a: Value) -> Value:
        if is_float(a.type):
            self.fail(node, f"~ needs whole numbers or bool, not {a.type}", "Convert it: overtake.int32(x).")
        if a.type is _dtypes.bool_:  # as arrays of bool; Python's ~True is -2
            return self.negated(node, a)
        if a.const is not None and not _is_typed(a):
            return self.constant(node, ~int(a.const))
        # What is known now may stand there as an int, and ~ is C's in the type that it finds.
        held = self.held(a.type)
        return self.made(a.type, f"(({held})~({held}){self.cast(node, a, a.type)})", a)

    def negated(self, node: ast.AST, a: Value) -> Value:
        """Not a."""
        if a.const is not None:
            return self.constant(node, not a.const)
        return self.made(_dtypes.bool_, f"(!{self.cast(node, a, _dtypes.bool_)})", a)


def _is_typed(value: Value) -> bool:
    """Whether a number that is known has a type of arrays, which it keeps: numpy.float32(2)."""
    return not is_weak(value.type) and value.type is not _dtypes.bool_
