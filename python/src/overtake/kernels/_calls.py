# SPDX-License-Identifier: MIT
"""Calls: of functions that kernels know, of types as conversions, and of the author's other functions."""

from __future__ import annotations

import ast
import difflib
import types
from abc import abstractmethod
from typing import Any, NoReturn

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._errors import KernelError
from ._expressions import Expressions
from ._intrinsics import (
    ATOMICS,
    FLOAT_ONE,
    IDS,
    OTHERS,
    ROUNDING,
    folded,
    known,
    names_of_overtake,
)
from ._source import MISSING, source_of
from ._types import ArrayType, Value, bits_of, converted, is_float, is_short, is_weak, is_whole, stays_positive

_GROUP_BITS = 11  # of at most 1,024 work-items


def _own_function(function: Any) -> types.FunctionType | None:
    """The function itself where it is one of the author's."""
    target = getattr(function, "_kernel_function", function)
    if not isinstance(target, types.FunctionType) or target.__module__.partition(".")[0] in (
        "overtake",
        "numpy",
        "scipy",
    ):
        return None
    return target


class Calls(Expressions):
    """Translates calls."""

    def _call(self, node: ast.Call) -> Value:
        results = self.called(node)
        if len(results) != 1:
            what = "nothing" if not results else f"{len(results)} values"
            self.fail(
                node,
                f"{ast.unparse(node.func)}() gives {what}, where one number is needed",
                "Assign the values to names first: a, b = f(x)." if results else "",
            )
        return results[0]

    def called(self, node: ast.Call, is_read: bool = True) -> list[Value]:
        """The results of a call; `is_read`: they are used."""
        function = self.source.static(node.func, self.local)
        if function is MISSING:
            self._refuse_unknown(node)
        name = known(function)
        target = None if name is not None or isinstance(function, (type, DType)) else _own_function(function)
        if node.keywords and name not in IDS and target is None:
            self.refuse(
                node.keywords[0].value, "such calls in kernels have no keywords", "Give the arguments in order."
            )
        starred: list[ast.expr] = [each for each in node.args if isinstance(each, ast.Starred)]
        starred += [each.value for each in node.keywords if each.arg is None]
        if starred:
            self.refuse(starred[0], "there is no * before arguments in kernels", "Write each argument.")
        if name is not None:
            return [self._known(node, name, is_read)]
        dtype = self.dtype_of(node.func)
        if dtype is not None:
            return [self._conversion(node, dtype, function)]
        if isinstance(function, DType) or (
            isinstance(function, type) and getattr(function, "__name__", "") == "float16"
        ):
            self.fail(node, f"kernels do not compute in {getattr(function, 'name', 'float16')}", "Use float32.")
        if target is not None:
            return self._own(node, target)
        return self._refuse_function(node, function)

    def _refuse_unknown(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            if node.func.id in self.local:
                self.fail(node, f"{node.func.id} is a variable of the kernel, and no function", "Rename it.")
            near = difflib.get_close_matches(node.func.id, [*self.source.function.__globals__, *names_of_overtake()], 1)
            self.fail(node, f"{node.func.id}() is not defined", f"Did you mean {near[0]}?" if near else "")
        if isinstance(node.func, ast.Attribute):
            owner = self.source.static(node.func.value, self.local)
            if isinstance(owner, (types.ModuleType, type)):
                near = difflib.get_close_matches(node.func.attr, dir(owner), 1)
                self.fail(node, f"{owner.__name__} has no {node.func.attr}", f"Did you mean {near[0]}?" if near else "")
            self.refuse(node, f"there is no method .{node.func.attr}() in kernels", "Call functions: overtake.exp(x).")
        self.refuse(node, "what is called here is no name of a function", "Call functions by their names.")

    def _refuse_function(self, node: ast.Call, function: Any) -> list[Value]:
        shown = ast.unparse(node.func)
        if function is print:
            self.refuse(
                node,
                "there is no print() in kernels",
                "Write values to an array and print that; debug=True finds faults.",
            )
        if not callable(function):
            self.fail(node, f"{shown} is of type {type(function).__name__}, and no function")
        near = difflib.get_close_matches(getattr(function, "__name__", shown), names_of_overtake(), 1)
        self.refuse(
            node,
            f"kernels do not know {shown}()",
            (f"Did you mean overtake.{near[0]}? " if near else "")
            + "There are the element-wise functions of overtake, numpy and math, and functions of your own.",
        )

    # -- functions of the author's ---------------------------------------------------------------------------------------
    def _own(self, node: ast.Call, function: types.FunctionType) -> list[Value]:
        nodes = [*node.args, *(each.value for each in node.keywords)]
        arrays = [each if isinstance(each, ast.Name) and self.array_of(each) is not None else None for each in nodes]
        numbers = iter(self.in_order([each for each, array in zip(nodes, arrays, strict=True) if array is None]))
        values: list[Value | ast.Name] = [next(numbers) if each is None else each for each in arrays]
        callee, count = source_of(function), len(node.args)
        named = {str(each.arg): value for each, value in zip(node.keywords, values[count:], strict=True)}
        try:
            bound = callee.with_defaults(tuple(values[:count]), named)
        except KernelError as error:
            self.fail(node, error.msg)
        given: list[Value | ast.Name] = [
            each
            if isinstance(each, (Value, ast.Name))
            else self.global_constant(node, each, f"the default of {callee.name}()")
            for each in bound
        ]
        facts = tuple((each.positive, is_short(each)) if isinstance(each, Value) else (False, False) for each in given)
        made = self.program.device(self, node, callee, [self._kind(each) for each in given], facts)
        texts: list[str] = []
        reads = False
        for place, argument in enumerate(given):
            if isinstance(argument, Value):
                texts.append(self.cast(node, argument, made.parameters[place]))
                continue
            array = self.arrays[argument.id]
            reads = True
            if place in made.written:
                self.write(array)
            texts.append(array.text)
            if not array.type.is_shared:
                texts += [self.extent(array, axis).text for axis in array.type.open_axes]
        call = f"{made.name}({', '.join(texts)})"
        reads = reads or any(isinstance(each, Value) and each.reads for each in given)
        self.effects = self.effects or made.effects
        return self._results(made.results, call, made.struct, made.effects, reads)

    def _kind(self, given: Value | ast.Name) -> DType | ArrayType:
        return given.type if isinstance(given, Value) else self.arrays[given.id].type

    def _results(self, results: list[DType], call: str, struct: str, effects: bool, reads: bool) -> list[Value]:
        for dtype in results:
            self.note(dtype)
        if not results:
            self.emit(f"{call};")
            return []
        if len(results) == 1:
            value = Value(results[0], call, reads=reads)
            return [self.keep(value) if effects else value]
        name = self.names.temporary()
        self.structs.append((struct, name))
        self.emit(f"{name} = {call};")
        return [Value(dtype, f"{name}.v{at}", simple=True) for at, dtype in enumerate(results)]

    # -- conversions -----------------------------------------------------------------------------------------------------
    def _conversion(self, node: ast.Call, dtype: DType, function: Any) -> Value:
        if len(node.args) != 1:
            shown = ast.unparse(node.func)
            self.refuse(node, f"{shown}() takes one number", f"Write {shown}(x).")
        if dtype is _dtypes.bool_:
            return self.condition(node.args[0])
        value = self.expression(node.args[0])
        if value.const is not None and function in (int, float):
            return self._folded(node, function, [value])
        if (function is int and is_whole(value.type)) or (function is float and is_float(value.type)):
            return value  # Python's int and float have no size: that of the number stays
        text = self.cast(node, value, dtype, exact=False)
        if value.const is not None:
            self.note(dtype)
            const = converted(value.const, dtype)
            return Value(dtype, text, const, simple=True, positive=const >= 0)
        return self.made(dtype, text, value, positive=stays_positive(value, dtype), bits=bits_of(value))

    # -- functions that kernels know -------------------------------------------------------------------------------------
    def _known(self, node: ast.Call, name: str, is_read: bool = True) -> Value:
        if name in IDS:
            return self._place_in_groups(node, name)
        if name in ATOMICS:
            self._need_groups(node, name)
            return self.atomic(node, name, is_read)
        if name in ("sync", "shared", "range", "len"):
            return self._of_no_number(node, name)
        if name in ("min", "max"):
            return self._extreme(node, name)
        self._check_count(node, name)
        if name in ("logical_and", "logical_or", "logical_xor", "logical_not", "where"):
            return self._logical(node, name)
        return self._of_numbers(node, name)

    def _of_numbers(self, node: ast.Call, name: str) -> Value:
        values = self.in_order(node.args)
        fold = folded(name) if all(each.const is not None and is_weak(each.type) for each in values) else None
        if fold is None:
            return self.apply(node, name, values)
        is_python = getattr(self.source.static(node.func, self.local), "__module__", "") in ("math", "builtins")
        return self._folded(node, fold, values, "" if is_python else name)

    def _folded(self, node: ast.Call, fold: Any, values: list[Value], name: str = "") -> Value:
        """A call on plain numbers; where Python refuses them, functions of arrays have a `name` and compute them."""
        try:
            return self.constant(node, fold(*(each.const for each in values)))
        except (ArithmeticError, ValueError) as error:
            if name:
                return self.apply(node, name, values)
            self.fail(node, f"{ast.unparse(node)}: {error}")

    def _of_no_number(self, node: ast.Call, name: str) -> Value:
        array = self.array_of(node.args[0]) if name == "len" and len(node.args) == 1 else None
        if array is None or not array.type.ndim:
            self._refuse_no_number(node, name)
        return self.extent(array, 0)

    def _refuse_no_number(self, node: ast.Call, name: str) -> NoReturn:
        cure = {
            "sync": "It stands on a line of its own.",
            "shared": "It stands as name = overtake.shared(dtype, shape).",
            "range": "It stands in for i in range(n).",
            "len": "len() takes an array of the kernel.",
        }
        self.refuse(node, f"{name}() is no number here", cure[name])

    def _check_count(self, node: ast.Call, name: str) -> None:
        wanted = 1 if name in FLOAT_ONE or name in ROUNDING else OTHERS.get(name, 2)
        if len(node.args) == wanted:
            return
        cures = {"log": "log(x) / log(base)", "round": "round(x * 100) / 100", "whole_round": "round(x * 100) / 100"}
        cure = cures.get(name, f"{ast.unparse(node.func)}({', '.join('xyz'[:wanted])})")
        numbers = f"{wanted} number{'' if wanted == 1 else 's'}"
        self.refuse(node, f"{ast.unparse(node.func)}() takes {numbers} here, not {len(node.args)}", f"Write {cure}.")

    def _need_groups(self, node: ast.Call, name: str) -> None:
        if not self.in_groups:
            self.fail(
                node,
                f"{name}() belongs in a function of overtake.jit, which is launched in groups",
                "A function of vectorize computes one element.",
            )

    def _place_in_groups(self, node: ast.Call, name: str) -> Value:
        self._need_groups(node, name)
        given = [*node.args, *(each.value for each in node.keywords if each.arg == "axis")]
        if len(given) > 1 or len(given) != len(node.args) + len(node.keywords):
            self.refuse(node, f"{name}() takes an axis", f"Write overtake.{name}(0).")
        axis = self.expression(given[0]).const if given else 0
        if axis not in (0, 1, 2):
            self.fail(
                node, f"the axis of {name}() is 0, 1 or 2, and known while compiling", f"Write overtake.{name}(0)."
            )
        text = f"((int64){name.upper()}({axis}))"
        if name == "global_id" and not self.program.short:  # in 64 bits: the macro counts in int
            text = f"((int64)GROUP_ID({axis}) * LOCAL_SIZE({axis}) + LOCAL_ID({axis}))"
        if name == "global_size" and not self.program.short:
            text = f"((int64)NUM_GROUPS({axis}) * LOCAL_SIZE({axis}))"
        bits = _GROUP_BITS if name.startswith("local") else self.program.place_bits
        counts = name in ("local_size", "num_groups", "global_size")
        return Value(_dtypes.int64, text, positive=True, bits=bits, counts=counts)

    def _extreme(self, node: ast.Call, name: str) -> Value:
        if len(node.args) < 2:
            self.refuse(
                node, f"{name}() takes two numbers or more", f"Write {name}(a, b); in a loop: m = {name}(m, x[i])."
            )
        first, *others = self.in_order(node.args)
        for each in others:
            if first.const is not None and each.const is not None and is_weak(first.type) and is_weak(each.type):
                first = self.constant(
                    node, min(first.const, each.const) if name == "min" else max(first.const, each.const)
                )
            else:
                first = self._helper(node, name, first, each)
        return first

    def _helper(self, node: ast.AST, name: str, a: Value, b: Value) -> Value:
        dtype = self.promote(node, a, b)
        text = self.program.helpers.call(name, self.held(dtype), self.cast(node, a, dtype), self.cast(node, b, dtype))
        is_above = [stays_positive(each, dtype) for each in (a, b)]
        positive = any(is_above) if name in ("max", "maximum") else all(is_above)
        return self.made(dtype, text, a, b, positive=positive, bits=max(bits_of(a), bits_of(b)))

    def _logical(self, node: ast.Call, name: str) -> Value:
        test, *rest = node.args
        if name == "where":
            return self._ifexp(ast.copy_location(ast.IfExp(test, rest[0], rest[1]), node))
        if name == "logical_not":
            return self.negated(node, self.condition(test))
        if name == "logical_xor":
            left, right = self.in_order([ast.copy_location(ast.UnaryOp(ast.Not(), each), each) for each in node.args])
            return self.binary(node, "!=", left, right)
        operation = ast.And() if name == "logical_and" else ast.Or()
        return self.condition(ast.copy_location(ast.BoolOp(operation, list(node.args)), node))

    @abstractmethod
    def apply(self, node: ast.AST, name: str, values: list[Value]) -> Value:
        """A function of numbers alone."""
