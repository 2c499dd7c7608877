# SPDX-License-Identifier: MIT
"""Statements: assignments, branches, loops, returns, barriers."""

from __future__ import annotations

import ast
from collections.abc import Sized
from dataclasses import dataclass, field

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._elements import Elements
from ._forms import OPERATORS, STATEMENTS
from ._intrinsics import known
from ._scope import Split, bare
from ._types import SMALL, WEAK_INT, NoCommonType, Value, bits_of, is_float, is_short, is_small, is_whole, promoted
from ._webs import as_written


@dataclass
class Loop:
    """A loop around the place that is translated."""

    has_sync: bool
    before: str = ""  # what comes before `continue`, none for C's for
    ways_out: list[set[str]] = field(default_factory=list)  # what is assigned at each break
    ways_on: list[set[str]] = field(default_factory=list)  # and at each continue
    jumped: str = ""  # a break or continue so far


def _counted(values: Sized) -> str:
    count = len(values)
    return f"{count} values" if count > 1 else "1 value" if count else "nothing"


class Statements(Elements):
    """Translates statements."""

    def restart(self) -> None:
        """Begins the text anew."""
        super().restart()
        self.loops: list[Loop] = []
        self.mixed: list[tuple[ast.AST, str, Value]] = []  # whole numbers that float variables get
        self.branches = 0
        self.returned = False
        self.results: list[DType] | None = None

    def block(self, nodes: list[ast.stmt]) -> None:
        """Statements in order, up to where no way leads on."""
        for node in nodes:
            if self.assigned is None:
                return
            self.number = node.lineno
            method = getattr(self, f"_do_{type(node).__name__.lower()}", None)
            if method is None:
                what, cure = STATEMENTS.get(type(node), (f"{type(node).__name__} is not known in kernels", ""))
                self.refuse(node, what, cure)
            method(node)

    def inner(self, nodes: list[ast.stmt]) -> None:
        """A block one level deeper."""
        self.depth += 1
        self.block(nodes)
        self.depth -= 1

    # -- assignment ----------------------------------------------------------------------------------------------------
    def _do_assign(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Call) and self._marker(node.value) == "shared":
            if len(node.targets) != 1:
                self.refuse(node, "shared memory has one name", "Write tile = overtake.shared(overtake.float32, 256).")
            if not self.in_groups:
                self.fail(
                    node.value,
                    "shared() belongs in a function of overtake.jit, which is launched in groups",
                    "A function of vectorize computes one element.",
                )
            self.make_shared(node.targets[0], node.value)
            return
        if len(node.targets) == 1 and isinstance(node.targets[0], (ast.Tuple, ast.List)):
            self._assign_several(node, node.targets[0], node.value)
            return
        value = self.expression(node.value)
        if len(node.targets) > 1:
            value = self.keep(value)
        for target in node.targets:
            if isinstance(target, (ast.Tuple, ast.List)):
                self.refuse(target, "a = b, c = ... is too much for one line", "Write two lines.")
            self._assign(target, value)

    def _assign_several(self, node: ast.Assign, targets: ast.Tuple | ast.List, given: ast.expr) -> None:
        for starred in (each for each in targets.elts if isinstance(each, ast.Starred)):
            self._refuse_target(starred)
        values = self.several(given)
        if len(values) != len(targets.elts):
            self.fail(node, f"{len(targets.elts)} names for {len(values)} values")
        if isinstance(given, ast.Tuple):  # all are read before one is written
            values = [self._copied(each) for each in values]
        for target, value in zip(targets.elts, values, strict=True):
            self._assign(target, value)

    def _copied(self, value: Value) -> Value:
        if value.const is not None:
            return value
        return self.keep(Value(value.type, value.text, positive=value.positive, bits=value.bits))

    def _assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Subscript) and (array := self.array_of(target.value)) is not None:
            mark = len(self.lines)
            place = self.place_of(target, array, target.slice)
            self.store(target, array, place, self.keep_at(mark, value))
        elif isinstance(target, ast.Name):
            self.assign_name(target, value)
        else:
            self._refuse_target(target)

    def _refuse_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            self._subscript(target)  # raises where it is no array
        what = {ast.Attribute: "attributes", ast.Starred: "names with *", ast.Tuple: "tuples in tuples"}.get(
            type(target), "this"
        )
        self.refuse(target, f"kernels do not assign to {what}", "Assign to a variable, or to an element: x[i] = y.")

    def assign_name(self, target: ast.Name, value: Value, added: Value | None = None) -> None:
        """Gives a variable a value, maybe with a number `added`; its type is what all its values have in common."""
        name = target.id
        if name in self.arrays:
            self.fail(
                target,
                f"{name} changes its type from {self.arrays[name].type} to {self.held(value.type)}",
                "Use another name.",
            )
        self.join(target, name, value)
        if self.stores[name] == 1 and is_whole(value.type):
            self.facts[name] = value.positive, bits_of(value)
        if name in self.bounds:
            self._check_bound(name, value, added)
        self.emit(f"{self.names.of(name)} = {bare(self.cast(target, value, self.types[name]))};")
        if self.assigned is not None:
            self.assigned.add(name)

    def _check_bound(self, name: str, value: Value, added: Value | None) -> None:
        """Notes where a variable with several values may be below 0, or large, after all."""
        before = self.bounds[name]
        # What grows by what is short cannot come to the end of 64 bits while a kernel runs.
        is_above = value.positive and is_small(value) if added is None else added.positive and is_short(added)
        if not is_above or not is_whole(value.type) or (added is not None and value.type is not _dtypes.int64):
            del self.bounds[name]
        elif bits_of(value) > before:
            self.bounds[name] = SMALL
        self.changed = self.changed or (is_whole(value.type) and self.bounds.get(name) != before)

    def join(self, node: ast.AST, name: str, value: Value) -> None:
        """Widens the type of a variable by a value's."""
        # An int is an int64 from here on; a plain float takes the type of the floats that it meets.
        new = _dtypes.int64 if value.type is WEAK_INT else value.type
        old = self.types.get(name)
        if old is not None and {is_whole(old), is_whole(new)} == {True, False} and is_float(promoted(old, new)):
            if as_written(name) not in self.apart:
                raise Split(name)
            if is_whole(new):
                self.mixed.append((node, name, value))
        if old is None:
            self.types[name] = new
            return
        is_bool = [each is _dtypes.bool_ for each in (old, new)]
        try:
            if is_bool[0] != is_bool[1]:
                raise NoCommonType
            joined = promoted(old, new)
        except NoCommonType:
            self.fail(
                node,
                f"{name} changes its type from {old} to {new}",
                f"Use another name, or convert it: overtake.{self.held(new if is_bool[0] else old)}(...).",
            )
        if joined is not old:
            self.types[name] = joined
            self.changed = True

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, self.expression(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        symbol = OPERATORS.get(type(node.op))
        if symbol is None:
            self.refuse(node, "there is no @ in kernels", "Write the loop.")
        target = node.target
        if isinstance(target, ast.Subscript) and (array := self.array_of(target.value)) is not None:
            place = self.place_of(target, array, target.slice)
            if not place.isidentifier() and not place.isdigit():
                place = self.keep(Value(_dtypes.int64, place)).text
            dtype = array.type.dtype
            self.note(dtype)
            old, mark = self.element(array, place), len(self.lines)
            right = self.expression(node.value)
            self.store(node, array, place, self.binary(node, symbol, self.keep_at(mark, old), right))
        elif isinstance(target, ast.Name):
            old = self.expression(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            right = self.expression(node.value)
            self.assign_name(target, self.binary(node, symbol, old, right), right if symbol == "+" else None)
        else:
            self._refuse_target(target)

    # -- branches ------------------------------------------------------------------------------------------------------
    def _do_if(self, node: ast.If) -> None:
        test = self.condition(node.test)
        if test.const is not None:  # a constant of the module: the other way is not there
            self.block(node.body if test.const else node.orelse)
            return
        before = set(self.assigned or ())
        self.branches += 1
        self.emit(f"if ({bare(test.text)}) {{")
        self.inner(node.body)
        after_yes, self.assigned = self.assigned, before
        if node.orelse:
            self.emit("} else {")
            self.inner(node.orelse)
        self.emit("}")
        self.branches -= 1
        ways = [each for each in (after_yes, self.assigned) if each is not None]
        self.assigned = set.intersection(*ways) if ways else None

    def _do_pass(self, node: ast.Pass) -> None:
        pass

    def _do_expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, (str, type(...))):
            return  # a description
        if isinstance(node.value, ast.Call):
            if self._marker(node.value) == "sync":
                self._sync(node.value)
            else:
                for value in self.called(node.value, is_read=False):
                    if "(" in value.text:
                        self.keep(value)
            return
        self.expression(node.value)

    def _marker(self, node: ast.Call) -> str | None:
        return known(self.source.static(node.func, self.local))

    # -- barriers ------------------------------------------------------------------------------------------------------
    def has_sync(self, nodes: list[ast.stmt]) -> bool:
        """Whether there is a barrier in statements."""
        calls = (each for node in nodes for each in ast.walk(node) if isinstance(each, ast.Call))
        return any(self._marker(each) == "sync" for each in calls)

    def _sync(self, node: ast.Call) -> None:
        if not self.in_groups:
            self.fail(
                node,
                "sync() belongs in a function of overtake.jit, which is launched in groups",
                "A function of vectorize computes one element.",
            )
        if node.args or node.keywords:
            self.refuse(node, "sync() takes no arguments", "Write overtake.sync().")
        if not self.program.is_kernel(self):
            self.refuse(
                node, "sync() stands in a function that a kernel calls", "Move it to the function that is launched."
            )
        if self.branches:
            self.refuse(
                node,
                "sync() stands in a branch: some work-items might never come to it",
                "Close the branch before, and write sync() on its own; then branch again.",
            )
        if self.returned:
            self.refuse(
                node,
                "sync() comes after an early return: work-items that have returned never come to it",
                "Put the work into 'if' instead of returning.",
            )
        if jumped := next((each.jumped for each in self.loops if each.jumped), ""):
            self.refuse(
                node,
                f"sync() comes after a {jumped} of its loop: some work-items might never come to it",
                f"Put the work into 'if' instead of {jumped}.",
            )
        self.emit("SYNC;")

    def _jump(self, node: ast.stmt, word: str) -> None:
        loop = self.loops[-1]
        if self.assigned is not None:
            (loop.ways_out if word == "break" else loop.ways_on).append(set(self.assigned))
        loop.jumped = word if loop.has_sync else ""
        self.emit(f"{word};")
        self.assigned = None

    def _do_break(self, node: ast.Break) -> None:
        self._jump(node, "break")

    def _do_continue(self, node: ast.Continue) -> None:
        self._jump(node, "continue")

    # -- return --------------------------------------------------------------------------------------------------------
    def _do_return(self, node: ast.Return) -> None:
        if any(each.has_sync for each in self.loops):
            self.refuse(
                node,
                "return stands in a loop that has a sync(): work-items that have returned never come to it",
                "Remember it in a variable, and put the work into 'if'.",
            )
        is_none = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
        values = [] if is_none or node.value is None else self.several(node.value)
        if self.program.is_kernel(self) and values:
            self.refuse(
                node, "a function that is launched returns nothing", "Write results to an array: out[i] = value."
            )
        self.join_results(node, values)
        self.emit_return(node, values)
        self.returned = True
        self.assigned = None

    def join_results(self, node: ast.AST, values: list[Value]) -> None:
        """Widens the types of what the function returns."""
        if self.results is None:
            self.results = [each.type for each in values]
            return
        if len(self.results) != len(values):
            self.fail(
                node,
                f"{self.source.name}() returns {_counted(self.results)} before and {_counted(values)} here",
                "Return as many everywhere.",
            )
        try:
            self.results = [promoted(old, new.type) for old, new in zip(self.results, values, strict=True)]
        except NoCommonType as error:
            self.fail(node, str(error), "Convert one of them: overtake.int64(x).")

    known_results: list[DType] | None = None  # of the pass before

    def emit_return(self, node: ast.AST, values: list[Value]) -> None:
        """The return in C, of the types that are known by now."""
        types = (
            self.known_results
            if self.known_results and len(self.known_results) == len(values)
            else [each.type for each in values]
        )
        texts = [bare(self.cast(node, value, dtype)) for value, dtype in zip(values, types, strict=True)]
        if len(texts) < 2:
            self.emit(f"return{''.join(f' {each}' for each in texts)};")
            return
        for at, text in enumerate(texts):
            self.emit(f"ot_results.v{at} = {text};")
        self.emit("return ot_results;")
