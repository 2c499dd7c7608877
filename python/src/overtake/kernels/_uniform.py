# SPDX-License-Identifier: MIT
"""What differs between the work-items of a group: a loop that they leave at different times holds no barrier."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Sequence
from typing import Any

from ._intrinsics import ATOMICS, known
from ._source import source_of

# What a work-item alone is told; its group's place and all sizes are the same for the whole group.
_OWN = frozenset(("local_id", "global_id", *ATOMICS))
_JUMPS = (ast.Break, ast.Continue, ast.Return)


class Varying:
    """The variables of a function that may differ between work-items, and expressions of them."""

    def __init__(self, tree: ast.FunctionDef, asks: Callable[[ast.Call], bool]) -> None:
        self._asks = asks  # whether a call is told what a work-item alone is told
        self.names: set[str] = set()
        before = -1
        while len(self.names) > before:  # a later line may change what an earlier one of a loop reads
            before = len(self.names)
            self._block(tree.body, False)

    def differs(self, node: ast.AST) -> bool:
        """Whether an expression may differ."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in self.names:
                return True
            if isinstance(each, ast.Call) and self._asks(each):
                return True
        return False

    def leaves(
        self, body: Sequence[ast.stmt], jumps: tuple[type[ast.stmt], ...] = _JUMPS, differs: bool = False
    ) -> bool:
        """Whether only some work-items may jump out of a loop's body; breaks of inner loops are their own."""
        for node in body:
            if isinstance(node, jumps) and differs:
                return True
            if isinstance(node, ast.If):
                inner = differs or self.differs(node.test)
                if self.leaves(node.body, jumps, inner) or self.leaves(node.orelse, jumps, inner):
                    return True
            if isinstance(node, (ast.For, ast.While)):
                inner = differs or self.differs(node.iter if isinstance(node, ast.For) else node.test)
                inner = inner or self.leaves(node.body)
                if self.leaves(node.body, (ast.Return,), inner):
                    return True
        return False

    def _block(self, nodes: Sequence[ast.stmt], differs: bool) -> None:
        for node in nodes:
            if isinstance(node, ast.If):
                inner = differs or self.differs(node.test)
                self._block(node.body, inner)
                self._block(node.orelse, inner)
            elif isinstance(node, ast.While):
                self._block(node.body, differs or self.differs(node.test) or self.leaves(node.body))
            elif isinstance(node, ast.For):
                inner = differs or self.differs(node.iter) or self.leaves(node.body)
                self._assigned(node.target, inner)
                self._block(node.body, inner)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    self._assigned(target, differs or self.differs(node.value))
            elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value is not None:
                self._assigned(node.target, differs or self.differs(node.value))

    def _assigned(self, target: ast.expr, differs: bool) -> None:
        if differs:
            self.names |= {
                each.id for each in ast.walk(target) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            }


def asks_its_place(function: Any, seen: set[Any]) -> bool:
    """Whether a function asks what a work-item alone is told, or one of the author's does that it calls."""
    if known(function) in _OWN:
        return True
    target = getattr(function, "_kernel_function", function)
    if not isinstance(target, types.FunctionType) or target in seen:
        return False
    if target.__module__.partition(".")[0] in ("overtake", "numpy", "scipy"):
        return False
    seen.add(target)
    source = source_of(target)
    local = frozenset(source.parameters)
    calls = [each for each in ast.walk(source.tree) if isinstance(each, ast.Call)]
    return any(asks_its_place(source.static(each.func, local), seen) for each in calls)
