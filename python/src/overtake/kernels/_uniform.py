# SPDX-License-Identifier: MIT
"""What differs between the work-items of a group: a loop that they leave at different times holds no barrier."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from ._intrinsics import ATOMICS

# What a work-item alone is told; its group's place and all sizes are the same for the whole group.
_OWN = frozenset(("local_id", "global_id", *ATOMICS))
_JUMPS = (ast.Break, ast.Continue, ast.Return)


class Varying:
    """The variables of a function that may differ between work-items, and expressions of them."""

    def __init__(self, tree: ast.FunctionDef, known: Callable[[ast.Call], str | None]) -> None:
        self._known = known
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
            if isinstance(each, ast.Call) and self._known(each) in _OWN:
                return True
        return False

    def _block(self, nodes: Sequence[ast.stmt], differs: bool) -> None:
        for node in nodes:
            if isinstance(node, ast.If):
                inner = differs or self.differs(node.test)
                self._block(node.body, inner)
                self._block(node.orelse, inner)
            elif isinstance(node, ast.While):
                self._block(node.body, differs or self.differs(node.test) or self._leaves(node.body))
            elif isinstance(node, ast.For):
                inner = differs or self.differs(node.iter) or self._leaves(node.body)
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

    def _leaves(self, body: Sequence[ast.stmt]) -> bool:
        """Whether some work-items may jump out of a loop's body."""
        branches = (each for node in body for each in ast.walk(node) if isinstance(each, ast.If))
        return any(
            self.differs(branch.test) and any(isinstance(each, _JUMPS) for each in ast.walk(branch))
            for branch in branches
        )
