# SPDX-License-Identifier: MIT
"""Loops: while, and for over range()."""

from __future__ import annotations

import ast
import dataclasses

from ..arrays import _dtypes
from ._scope import bare
from ._statements import Loop, Statements
from ._types import PLACE, WEAK_INT, Value, bits_of, is_short, is_small, is_whole
from ._uniform import Varying, asks_its_place


class Loops(Statements):
    """Translates loops."""

    _varying: Varying | None = None

    def _do_while(self, node: ast.While) -> None:
        self._no_else(node, node.orelse)
        before = set(self.assigned or ())
        loop = Loop(self.has_sync(node.body))
        self._check_uniform(loop, node.test, node.body)
        with self.aside() as lines:
            test = self.condition(node.test)
        if test.const is not None and not test.const:
            return
        self.loops.append(loop)
        if lines or test.const is not None:
            self.emit("for (;;) {")
            self.append(lines)
            if test.const is None:
                self.depth += 1
                self.emit(f"if (!{test.text}) break;")
                self.depth -= 1
        else:
            self.emit(f"while ({bare(test.text)}) {{")
        self.inner(node.body)
        self.emit("}")
        self.loops.pop()
        if test.const is None:
            self.assigned = before
        else:  # while True: only a break leads on
            self.assigned = set.intersection(*loop.ways_out) if loop.ways_out else None

    def _check_uniform(self, loop: Loop, decides: ast.expr, body: list[ast.stmt]) -> None:
        if not loop.has_sync:
            return
        if self._varying is None:
            self._varying = Varying(
                self.tree, lambda call: asks_its_place(self.source.static(call.func, self.local), set())
            )
        if self._varying.differs(decides) or self._varying.leaves(body, (ast.Break,)):
            self.refuse(
                decides,
                "sync() stands in a loop that work-items may leave at different times",
                "Let the loop count the same for all of them, such as range(0, n, overtake.local_size()); add local_id() inside.",
            )

    def _no_else(self, node: ast.stmt, orelse: list[ast.stmt]) -> None:
        if orelse:
            self.refuse(orelse[0], "loops have no else in kernels", "Remember in a variable whether there was a break.")

    def _do_for(self, node: ast.For) -> None:
        self._no_else(node, node.orelse)
        if not isinstance(node.target, ast.Name):
            self.refuse(node.target, "a loop has one variable", "Write for i in range(n).")
        call = node.iter
        if not isinstance(call, ast.Call) or self._marker(call) != "range":
            self.refuse(call, "loops go over range() in kernels", "Write for i in range(x.size), and x[i] inside.")
        if not 1 <= len(call.args) <= 3 or call.keywords:
            self.refuse(call, "range() takes one to three numbers", "Write range(start, stop, step).")
        values = self.in_order(call.args)
        for argument, value in zip(call.args, values, strict=True):
            if not is_whole(value.type) and value.type is not _dtypes.bool_:
                self.fail(argument, f"range() takes whole numbers, not {value.type}", "Convert it: int(x).")
        zero, one = self.constant(call, 0), self.constant(call, 1)
        start, stop, step = (zero, values[0], one) if len(values) == 1 else (*values, one)[:3]
        self._count(node, node.target, start, stop, step)

    def _count(self, node: ast.For, target: ast.Name, start: Value, stop: Value, step: Value) -> None:
        dtype = WEAK_INT
        for each in (start, stop, step):
            dtype = self.promote(node.iter, Value(dtype, ""), each)
        if step.const == 0:
            self.fail(node.iter, "the step of range() is 0")
        rises = step.counts if step.const is None else step.const > 0  # and is never 0
        is_short_loop = (rises or step.const == -1) and all(is_short(each) for each in (start, stop, step))
        # The count is kept beside the loop's variable, which the body may change.
        at = self.temporary(PLACE if is_short_loop else _dtypes.int64)
        self._head(node, at, (start, stop, step), is_short_loop)
        # It lies between the first and the last.
        is_above = step.positive if step.const is None else step.const > 0
        positive = start.positive if is_above else step.const is not None and (stop.positive or stop.const == -1)
        counter = Value(_dtypes.int64, at, positive=positive, bits=max(bits_of(start), bits_of(stop)))
        if dtype not in (WEAK_INT, _dtypes.int64):
            counter = dataclasses.replace(counter, type=dtype, text=f"(({dtype}){at})")
        runs = all(each.const is not None for each in (start, stop, step)) and bool(
            range(int(start.const or 0), int(stop.const or 0), int(step.const or 1))
        )
        self._body(node, target, counter, runs)

    def _head(self, node: ast.For, at: str, ends: tuple[Value, Value, Value], is_short_loop: bool) -> None:
        """Opens a loop that counts in a variable of 32 or of 64 bits."""
        dtype, helpers, step = PLACE if is_short_loop else _dtypes.int64, self.program.helpers, ends[2]
        start, end, by = (self.cast(node.iter, each, dtype, exact=not is_short_loop) for each in ends)
        if ends[1].const is None:
            end = self.keep(Value(dtype, end)).text
        if step.const in (1, -1):
            more, on = f"{at} {'<' if step.const > 0 else '>'} {end}", f"{'++' if step.const > 0 else '--'}{at}"
            self.emit(f"for ({at} = {bare(start)}; {more}; {on}) {{")
            return
        if step.const is None:
            may_be_none = self.program.debug and not step.counts
            by = self.keep(Value(dtype, f"overtake_step({bare(by)})" if may_be_none else by)).text
        start = f"{at} = {bare(start)}"
        if is_short_loop:  # at + by may be more than 32 bits hold; and what counts turns is unrolled
            left = self.temporary(_dtypes.uint32)
            on = f"--{left}, {at} = (PLACE)((uint64){at} + (uint64){by})"
            self.emit(f"for ({start}, {left} = {helpers.fixed('turns', at, end, by)}; {left} != 0; {on}) {{")
        elif (step.counts or (step.const or 0) > 0) and all(is_small(each) for each in ends):
            self.emit(f"for ({start}; {at} < {end}; {at} += {by}) {{")
        else:
            sign = "" if step.const is None else "<" if step.const > 0 else ">"
            more = f"{at} {sign} {end}" if sign else helpers.fixed("range_more", at, by, end)
            self.emit(f"for ({start}; {more}; {at} = {helpers.fixed('range_next', at, by, end)}) {{")

    def _body(self, node: ast.For, target: ast.Name, counter: Value, runs: bool) -> None:
        before = set(self.assigned or ())
        loop = Loop(self.has_sync(node.body))
        self._check_uniform(loop, node.iter, node.body)
        self.loops.append(loop)
        self.depth += 1
        self.assign_name(target, counter)
        self.block(node.body)
        self.depth -= 1
        self.emit("}")
        self.loops.pop()
        if not runs:
            self.assigned = before
            return
        # The body runs once at least: what every way through it assigns is assigned.
        ways = [*loop.ways_out, *loop.ways_on, *([] if self.assigned is None else [self.assigned])]
        self.assigned = set.intersection(*ways) if ways else None
