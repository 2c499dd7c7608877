# SPDX-License-Identifier: MIT
"""Element-wise functions on values."""

from __future__ import annotations

import ast
import math

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._calls import Calls
from ._intrinsics import FLOAT_ONE, FLOAT_TWO, OPERATOR_NAMES, ROUNDING
from ._scope import bare
from ._types import WEAK_FLOAT, WEAK_INT, Value, is_float, is_whole, literal

_FACTORS = {"radians": math.pi / 180, "degrees": 180 / math.pi}


class Elements(Calls):
    """Translates functions that arrays have, too."""

    def apply(self, node: ast.AST, name: str, values: list[Value]) -> Value:
        """A function of numbers alone."""
        if name in OPERATOR_NAMES:
            return self.binary(node, OPERATOR_NAMES[name], *values)
        if name in FLOAT_ONE or name in FLOAT_TWO:
            return self._float_call(node, name, values)
        if name in ROUNDING and is_float(values[0].type):
            return self._float_call(node, ROUNDING[name], values)
        if name.startswith("whole_"):
            return self._whole(node, ROUNDING[name.removeprefix("whole_")], values[0])
        if name in ("maximum", "minimum"):
            return self._helper(node, name, *values)
        method = getattr(self, "_positive" if name in ROUNDING else f"_{name}", None)
        result: Value = method(node, *values) if method else self._of_floats(node, name, values)
        return result

    def floating(self, node: ast.AST, values: list[Value]) -> tuple[DType, list[str]]:
        """Values as floats of one type: whole numbers become float32, as arrays do."""
        dtype = values[0].type
        for each in values[1:]:
            dtype = self.promote(node, Value(dtype, ""), each)
        if not is_float(dtype):
            dtype = WEAK_FLOAT if dtype is WEAK_INT else _dtypes.float32
        return dtype, [self.cast(node, each, dtype) for each in values]

    def _float_call(self, node: ast.AST, function: str, values: list[Value]) -> Value:
        dtype, texts = self.floating(node, values)
        return self.made(dtype, f"{function}({', '.join(map(bare, texts))})", *values)

    def _whole(self, node: ast.AST, function: str, value: Value) -> Value:
        """Python's round(), floor(), ...: a whole number."""
        if not is_float(value.type):
            return self.unary(node, ast.UAdd(), value)
        dtype, (text,) = self.floating(node, [value])
        rounded = Value(dtype, f"{function}({bare(text)})", reads=value.reads)
        return self.made(_dtypes.int64, self.cast(node, rounded, _dtypes.int64), value)

    def _of_floats(self, node: ast.AST, name: str, values: list[Value]) -> Value:
        dtype, texts = self.floating(node, values)
        held = self.held(dtype)
        if name in ("sigmoid", "logaddexp"):
            return self.made(dtype, self.program.helpers.call(name, held, *texts), *values)
        if name == "isinf":
            return self.made(_dtypes.bool_, self.program.helpers.call(name, held, *texts), *values)
        kept = self.keep(Value(dtype, texts[0], reads=values[0].reads)).text
        one = literal(1.0, held)
        texts_of = {
            "reciprocal": f"({one} / {kept})",
            "exp2": f"pow({literal(2.0, held)}, {kept})",
            "fabs": f"fabs({kept})",
            "silu": f"({kept} * {self.program.helpers.call('sigmoid', held, kept)})",
            # x / 2 (1 + erf(x / sqrt(2))), as the library's.
            "gelu": f"(({kept} * {literal(0.5, held)}) * (erf({kept} * {literal(math.sqrt(0.5), held)}) + {one}))",
        }
        if name in texts_of:
            return self.made(dtype, texts_of[name], *values)
        if name in _FACTORS:
            return self.made(dtype, f"({kept} * {literal(_FACTORS[name], held)})", *values)
        tests = {
            "isnan": f"({kept} != {kept})",
            "isfinite": f"({kept} - {kept} == {kept} - {kept})",
            "signbit": f"(signbit({kept}) != 0)",
        }
        return self.made(_dtypes.bool_, tests[name], *values)

    # -- of any number -------------------------------------------------------------------------------------------------
    def _abs(self, node: ast.AST, value: Value) -> Value:
        dtype = self.counted(value.type)
        text = self.cast(node, value, dtype)
        if is_float(dtype):
            return self.made(dtype, f"fabs({bare(text)})", value)
        if dtype.kind == "unsigned integer":
            return value
        # Of the smallest number of its type abs() is that number.
        return self.made(dtype, self.program.helpers.call("abs", self.held(dtype), bare(text)), value)

    def _sign(self, node: ast.AST, value: Value) -> Value:
        dtype = self.counted(value.type)
        return self.made(
            dtype, self.program.helpers.call("sign", self.held(dtype), self.cast(node, value, dtype)), value
        )

    def _square(self, node: ast.AST, value: Value) -> Value:
        return self.binary(node, "**", value, self.constant(node, 2))

    def _negative(self, node: ast.AST, value: Value) -> Value:
        return self.unary(node, ast.USub(), value)

    def _positive(self, node: ast.AST, value: Value) -> Value:
        return self.unary(node, ast.UAdd(), value)

    def _bitwise_invert(self, node: ast.AST, value: Value) -> Value:
        return self.unary(node, ast.Invert(), value)

    def _relu(self, node: ast.AST, value: Value) -> Value:
        return self._helper(node, "maximum", value, self.constant(node, 0))

    def _clip(self, node: ast.AST, value: Value, low: Value, high: Value) -> Value:
        return self._helper(node, "minimum", self._helper(node, "maximum", value, low), high)

    def _uniform(self, node: ast.AST, seed: Value, counter: Value) -> Value:
        for each in (seed, counter):
            if not is_whole(each.type):
                self.fail(node, f"uniform() takes two whole numbers, not {each.type}", "Convert it: overtake.int64(x).")
        texts = [self.cast(node, each, _dtypes.uint64, exact=False) for each in (seed, counter)]
        return self.made(_dtypes.float32, self.program.helpers.fixed("uniform", *texts), seed, counter)
