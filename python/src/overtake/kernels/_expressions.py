# SPDX-License-Identifier: MIT
"""Expressions. What C says in one expression stays one; the rest becomes statements before it, in Python's order."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import types
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from ..arrays import _dtypes
from ..arrays._array import Array
from ._forms import EXPRESSIONS, OPERATORS
from ._memory import Memory
from ._scope import Line, bare
from ._source import MISSING
from ._types import Value, bits_of, stays_positive


class Expressions(Memory):
    """Translates expressions to values."""

    def expression(self, node: ast.expr) -> Value:
        """A number; an error where it is none, or several."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            what, cure = EXPRESSIONS.get(type(node), (f"{type(node).__name__} is not known in kernels", ""))
            self.refuse(node, what, cure)
        value: Value = method(node)
        return value

    @abstractmethod
    def called(self, node: ast.Call, is_read: bool = True) -> list[Value]:
        """The results of a call."""

    def several(self, node: ast.expr) -> list[Value]:
        """The numbers of a tuple, of a shape, or of a call that gives several."""
        if isinstance(node, ast.Tuple):
            return self.in_order(node.elts)
        if isinstance(node, ast.Call):
            return self.called(node)
        array = self.array_of(node.value) if isinstance(node, ast.Attribute) and node.attr == "shape" else None
        if array is not None:
            return [self.extent(array, axis) for axis in range(array.type.ndim)]
        return [self.expression(node)]

    def in_order(self, nodes: Sequence[ast.expr]) -> list[Value]:
        """Values, of which the earlier are computed before what the later need as statements."""
        values: list[Value] = []
        ends: list[int] = []
        for node in nodes:
            values.append(self.expression(node))
            ends.append(len(self.lines))
        for at in range(len(values) - 2, -1, -1):
            values[at] = self.keep_at(ends[at], values[at])
        return values

    # -- names ---------------------------------------------------------------------------------------------------------
    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, (bool, int, float)):
            return self.constant(node, node.value)
        return self._refuse_object(node, node.value)

    def _refuse_object(self, node: ast.expr, given: Any, name: str = "") -> Value:
        what = f"{name} is " if name else ""
        if isinstance(given, (str, bytes)):
            self.refuse(
                node,
                f"{what or 'there are '}{'a text, which kernels do not have' if name else 'no texts in kernels'}",
                "Use numbers.",
            )
        if given is None:
            self.refuse(
                node,
                f"{what or 'there is '}{'None, which kernels do not have' if name else 'no None in kernels'}",
                "Use a number, such as overtake.nan.",
            )
        if isinstance(given, Array) or type(given).__name__ == "ndarray":
            self.fail(node, f"{what}an array of the module", "Give it to the kernel as an argument.")
        if callable(given):
            self.fail(node, f"{what}a function, and no number", f"Call it: {name}(...).")
        self.fail(
            node,
            f"{what}of type {type(given).__name__}, which kernels do not have",
            "Numbers and bools of the module are constants; pass the rest as arguments.",
        )

    def _name(self, node: ast.Name) -> Value:
        name = node.id
        if name not in self.local:
            return self.global_constant(node, self.source.meaning(name), name)
        if name in self.arrays:
            self.fail(node, f"{name} is {self.arrays[name].type}, and no number", f"Read an element: {name}[i].")
        self.check_assigned(node, name)
        if name not in self.types:
            self.fail(node, f"{name} has no value yet", "Assign to it before.")
        dtype = self.types[name]
        self.note(dtype)
        positive, bits = self.facts.get(name, (name in self.bounds, self.bounds.get(name, 64)))
        return Value(dtype, self.names.of(name), simple=True, positive=positive, bits=bits)

    def global_constant(self, node: ast.expr, found: Any, name: str) -> Value:
        """A number of the module or of a closure."""
        if found is MISSING:
            known = [*self.local, *self.source.function.__globals__]
            near = difflib.get_close_matches(name, known, 1)
            self.fail(
                node,
                f"{name} is not defined",
                f"Did you mean {near[0]}?" if near else "Define it before the first call.",
            )
        if type(found).__module__ == "numpy" and hasattr(found, "dtype") and getattr(found, "shape", None) == ():
            if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8 or found.dtype.name == "float16":
                self.fail(
                    node, f"{name} is a number of NumPy's type {found.dtype}, which kernels do not have", "Use float32."
                )
            # float64 is a float of Python, and weak as in arrays.
            return self.constant(
                node, found.item(), None if isinstance(found, float) else _dtypes.as_dtype(found.dtype)
            )
        if isinstance(found, (bool, int, float)):
            return self.constant(
                node, bool(found) if isinstance(found, bool) else int(found) if isinstance(found, int) else float(found)
            )
        return self._refuse_object(node, found, name)

    def _attribute(self, node: ast.Attribute) -> Value:
        array = self.array_of(node.value)
        if array is not None:
            if node.attr == "size":
                return self.size(array)
            if node.attr == "ndim":
                return self.constant(node, array.type.ndim)
            if node.attr == "shape":
                self.refuse(node, "a shape is no number", "Write x.shape[0], or n, m = x.shape.")
            self.refuse(
                node,
                f"arrays have no .{node.attr} in kernels",
                "There are x[i], x.size, x.shape[k], x.ndim and len(x).",
            )
        found = self.source.static(node, self.local)
        if found is MISSING:
            owner = self.source.static(node.value, self.local)
            if isinstance(owner, (types.ModuleType, type)):
                near = difflib.get_close_matches(node.attr, dir(owner), 1)
                self.fail(node, f"{owner.__name__} has no {node.attr}", f"Did you mean {near[0]}?" if near else "")
            self.refuse(
                node,
                f"there is no attribute .{node.attr} in kernels",
                "Numbers have none; pass what you need as an argument.",
            )
        return self.global_constant(node, found, ast.unparse(node))

    # -- operators -----------------------------------------------------------------------------------------------------
    def _binop(self, node: ast.BinOp) -> Value:
        symbol = OPERATORS.get(type(node.op))
        if symbol is None:
            self.refuse(node, "there is no @ in kernels", "Write the loop, or multiply arrays outside: a @ b.")
        left, right = self.in_order([node.left, node.right])
        return self.binary(node, symbol, left, right)

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return self.negated(node, self.condition(node.operand))
        return self.unary(node, node.op, self.expression(node.operand))

    def _compare(self, node: ast.Compare) -> Value:
        for each in node.ops:
            if type(each) not in OPERATORS:
                what = "in" if isinstance(each, (ast.In, ast.NotIn)) else "is"
                self.refuse(node, f"there is no '{what}' in kernels", "Compare with ==, or write x == 1 or x == 2.")
        symbols = [OPERATORS[type(each)] for each in node.ops]
        left, right = self.in_order([node.left, node.comparators[0]])
        if len(symbols) > 1:
            right = self.keep(right)
        first = self.binary(node, symbols[0], left, right)
        if len(symbols) == 1:
            return first
        # The rest is computed only where what comes before is true.
        with self.aside() as lines:
            rest = self._chain(node, right, symbols[1:], node.comparators[1:])
        return self._both(node, first, rest, lines, is_and=True)

    def _chain(self, node: ast.Compare, left: Value, symbols: list[str], nodes: list[ast.expr]) -> Value:
        right = self.expression(nodes[0])
        if len(symbols) == 1:
            return self.binary(node, symbols[0], left, right)
        right = self.keep(right)
        first = self.binary(node, symbols[0], left, right)
        with self.aside() as lines:
            rest = self._chain(node, right, symbols[1:], nodes[1:])
        return self._both(node, first, rest, lines, is_and=True)

    def condition(self, node: ast.expr) -> Value:
        """The truth of an expression: a bool."""
        if isinstance(node, ast.BoolOp):
            return self._truth_of_all(node, list(node.values), isinstance(node.op, ast.And))
        value = self.expression(node)
        if value.const is not None:
            return self.constant(node, bool(value.const))
        return dataclasses.replace(value, type=_dtypes.bool_, text=self.cast(node, value, _dtypes.bool_), positive=True)

    def _truth_of_all(self, node: ast.BoolOp, nodes: list[ast.expr], is_and: bool) -> Value:
        first = self.condition(nodes[0])
        if len(nodes) == 1:
            return first
        if first.const is not None:
            return self._truth_of_all(node, nodes[1:], is_and) if bool(first.const) == is_and else first
        with self.aside() as lines:
            rest = self._truth_of_all(node, nodes[1:], is_and)
        return self._both(node, first, rest, lines, is_and)

    def _both(self, node: ast.AST, first: Value, rest: Value, lines: list[Line], is_and: bool) -> Value:
        """Two bools, the second of which is computed only where the first does not decide."""
        if first.const is not None and bool(first.const) != is_and:
            return first
        if not lines and rest.const is not None:
            return first if bool(rest.const) == is_and else self.constant(node, not is_and)
        if not lines:
            second = self.cast(node, rest, _dtypes.bool_)
            return self.made(_dtypes.bool_, f"({first.text} {'&&' if is_and else '||'} {second})", first, rest)
        name = self.temporary(_dtypes.bool_)
        self.emit(f"{name} = {bare(first.text)};")
        self.emit(f"if ({name if is_and else '!' + name}) {{")
        self.append([*lines, Line(self.number, self.depth, f"{name} = {bare(self.cast(node, rest, _dtypes.bool_))};")])
        self.emit("}")
        return Value(_dtypes.bool_, name, simple=True)

    def _boolop(self, node: ast.BoolOp) -> Value:
        return self._choice_of(node, list(node.values), isinstance(node.op, ast.And))

    def _choice_of(self, node: ast.BoolOp, nodes: list[ast.expr], is_and: bool) -> Value:
        """`a and b`, `a or b`: one of the values, as in Python."""
        first = self.expression(nodes[0])
        if len(nodes) == 1:
            return first
        if first.const is not None:
            return self._choice_of(node, nodes[1:], is_and) if bool(first.const) == is_and else first
        with self.aside() as lines:
            rest = self._choice_of(node, nodes[1:], is_and)
        if first.type is _dtypes.bool_ and rest.type is _dtypes.bool_:
            return self._both(node, first, rest, lines, is_and)
        first = self.keep(first)
        truth = dataclasses.replace(first, type=_dtypes.bool_, text=self.cast(node, first, _dtypes.bool_))
        return (
            self.choose(node, truth, (rest, lines), (first, []))
            if is_and
            else self.choose(node, truth, (first, []), (rest, lines))
        )

    def _ifexp(self, node: ast.IfExp) -> Value:
        test = self.condition(node.test)
        if test.const is not None:
            return self.expression(node.body if test.const else node.orelse)
        with self.aside() as yes_lines:
            yes = self.expression(node.body)
        with self.aside() as no_lines:
            no = self.expression(node.orelse)
        return self.choose(node, test, (yes, yes_lines), (no, no_lines))

    def choose(self, node: ast.AST, test: Value, yes: tuple[Value, list[Line]], no: tuple[Value, list[Line]]) -> Value:
        """One of two values, each with the lines that compute it."""
        dtype = self.promote(node, yes[0], no[0])
        texts = [self.cast(node, each, dtype) for each, _ in (yes, no)]
        positive = stays_positive(yes[0], dtype) and stays_positive(no[0], dtype)
        bits = max(bits_of(yes[0]), bits_of(no[0]))
        if not yes[1] and not no[1]:
            text = f"({test.text} ? {texts[0]} : {texts[1]})"
            return self.made(dtype, text, test, yes[0], no[0], positive=positive, bits=bits)
        name = self.temporary(dtype)
        self.emit(f"if ({bare(test.text)}) {{")
        self.append([*yes[1], Line(self.number, self.depth, f"{name} = {bare(texts[0])};")])
        self.emit("} else {")
        self.append([*no[1], Line(self.number, self.depth, f"{name} = {bare(texts[1])};")])
        self.emit("}")
        return Value(dtype, name, simple=True, positive=positive, bits=bits)
