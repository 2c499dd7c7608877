# SPDX-License-Identifier: MIT
"""One name, several variables: assignments of which no reader sees both may have types of their own."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_MARK = "\N{PRIME}"  # no part of a name of Python's: what follows it numbers the variables of one name
_NUMBER = re.compile(f"{_MARK}[0-9]+")

# The assignments that may have given a name its value; None where no way leads.
_Reaching = frozenset[int] | None


def as_written(text: str) -> str:
    """A text with names as the author wrote them."""
    return _NUMBER.sub("", text)


def _either(*ways: _Reaching) -> _Reaching:
    known = [each for each in ways if each is not None]
    return frozenset().union(*known) if known else None


@dataclass
class _Loop:
    out: list[_Reaching] = field(default_factory=list)
    on: list[_Reaching] = field(default_factory=list)


class _Webs:
    """Follows one name through a function, and joins the assignments that reach one reader. 0 is that of a parameter."""

    def __init__(self, name: str, body: Sequence[ast.stmt]) -> None:
        self._name = name
        self._numbers: dict[int, int] = {}  # of assignments, by the node
        self._parents: list[int] = [0]
        self._loops: list[_Loop] = []
        self._read: dict[int, int] = {}  # an assignment that reaches a reader, by the node
        self._block(body, frozenset((0,)))

    def of(self, node: ast.Name) -> int:
        """The variable that a node means: the number of its first assignment."""
        number = self._numbers.get(id(node))
        return self._root(self._read.get(id(node), 0) if number is None else number)

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            number = self._parents[number]
        return number

    def _expression(self, node: ast.AST | None, reaching: _Reaching) -> None:
        if node is None or not reaching:
            return
        first = min(reaching)
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id == self._name and isinstance(each.ctx, ast.Load):
                for other in reaching:
                    low, high = sorted((self._root(first), self._root(other)))
                    self._parents[high] = low
                self._read[id(each)] = first

    def _target(self, node: ast.AST, reaching: _Reaching) -> _Reaching:
        self._expression(node, reaching)  # the index of an element
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id == self._name and isinstance(each.ctx, ast.Store):
                if id(each) not in self._numbers:
                    self._numbers[id(each)] = len(self._parents)
                    self._parents.append(len(self._parents))
                reaching = reaching if reaching is None else frozenset((self._numbers[id(each)],))
        return reaching

    def _block(self, nodes: Iterable[ast.stmt], reaching: _Reaching) -> _Reaching:
        for node in nodes:
            reaching = self._statement(node, reaching)
        return reaching

    def _statement(self, node: ast.stmt, reaching: _Reaching) -> _Reaching:
        if isinstance(node, ast.If):
            self._expression(node.test, reaching)
            return _either(self._block(node.body, reaching), self._block(node.orelse, reaching))
        if isinstance(node, (ast.For, ast.While)):
            return self._loop(node, reaching)
        if isinstance(node, (ast.Break, ast.Continue)):
            if self._loops:
                loop = self._loops[-1]
                (loop.out if isinstance(node, ast.Break) else loop.on).append(reaching)
            return None
        self._expression(getattr(node, "value", None), reaching)
        if isinstance(node, ast.Return):
            return None
        for target in [*getattr(node, "targets", []), *filter(None, [getattr(node, "target", None)])]:
            reaching = self._target(target, reaching)
        return reaching

    def _loop(self, node: ast.For | ast.While, before: _Reaching) -> _Reaching:
        if isinstance(node, ast.For):
            self._expression(node.iter, before)
        while True:
            loop = _Loop()
            self._loops.append(loop)
            if isinstance(node, ast.For):
                begin = self._target(node.target, before)
            else:
                self._expression(node.test, before)
                begin = before
            end = self._block(node.body, begin)
            self._loops.pop()
            turned = _either(before, end, *loop.on)
            if turned == before:
                return _either(before, *loop.out)
            before = turned


class _Renaming(ast.NodeTransformer):
    """Numbers the variables of one name, but the first."""

    def __init__(self, name: str, webs: _Webs) -> None:
        self._name, self._webs = name, webs

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """A reader or an assignment."""
        number = self._webs.of(node) if node.id == self._name else 0
        return ast.copy_location(ast.Name(f"{node.id}{_MARK}{number}", node.ctx), node) if number else node


class _Plain(ast.NodeTransformer):
    """`n += x` as `n = n + x`, which may be of two variables."""

    def __init__(self, name: str) -> None:
        self._name = name

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        """That of the name."""
        if not isinstance(node.target, ast.Name) or node.target.id != self._name:
            return node
        old = ast.copy_location(ast.Name(self._name, ast.Load()), node.target)
        value = ast.copy_location(ast.BinOp(old, node.op, node.value), node)
        return ast.copy_location(ast.Assign([node.target], value), node)


def split(tree: ast.FunctionDef, names: Iterable[str]) -> ast.FunctionDef:
    """The function with a variable of its own for each use of some names that no other use meets."""
    tree = copy.deepcopy(tree)
    for name in names:
        _Plain(name).visit(tree)
        webs = _Webs(name, tree.body)
        tree.body = [_Renaming(name, webs).visit(each) for each in tree.body]
    return tree
