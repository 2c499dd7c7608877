# SPDX-License-Identifier: MIT
"""A function of Python as its author wrote it: the syntax tree with its places, and what its names mean."""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import inspect
import linecache
import types
from typing import Any

from ._errors import KernelError, KernelSyntaxError, Place

MISSING = object()


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> dict[tuple[str, int], ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions by name and first line, that of the first decorator."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[node.name, first] = node
    return found


@functools.lru_cache(maxsize=64)
def _codes(text: str, file: str) -> dict[tuple[str, int], types.CodeType]:
    """What Python makes of a file: the code of its functions."""
    found = {}
    codes = [compile(text, file, "exec", dont_inherit=True)]
    for code in codes:
        found[code.co_name, code.co_firstlineno] = code
        codes += [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return found


def _has_changed(code: types.CodeType, text: str) -> bool:
    """Whether a file's text is no longer that from which the function was made."""
    try:
        now = _codes(text, code.co_filename).get((code.co_name, code.co_firstlineno))
    except SyntaxError:  # of a notebook's cell, in which there is more than Python
        return False
    if now is None:
        return False
    was, new = ([each for each in one.co_consts if not isinstance(each, types.CodeType)] for one in (code, now))
    return repr(was) != repr(new) or now.co_code != code.co_code or now.co_names != code.co_names


class Source:
    """Where a function stands, its tree, and its module's and closure's names."""

    def __init__(self, function: types.FunctionType) -> None:
        self.function = function
        self.name = function.__name__
        code = function.__code__
        self.file = code.co_filename
        if code.co_name == "<lambda>":
            raise KernelSyntaxError("a lambda cannot be a kernel", "Write a function with def.", self._first(code))
        if hasattr(function, "__wrapped__"):
            raise KernelError(
                f"another decorator stands between Overtake's and def {self.name}(), and gives a function of its own",
                "Write Overtake's decorator right above the def: kernels are made of the function itself.",
            )
        self._lines, self.tree = self._find(function)
        self._check_kind()

    @staticmethod
    def _first(code: types.CodeType) -> Place:
        line = linecache.getline(code.co_filename, code.co_firstlineno)
        return Place(code.co_filename, code.co_firstlineno, len(line) - len(line.lstrip()), line)

    def _find(self, function: types.FunctionType) -> tuple[list[str], ast.FunctionDef]:
        try:
            lines, _ = inspect.findsource(function)
            text = "".join(lines)
            tree = _parsed(text).get((function.__code__.co_name, function.__code__.co_firstlineno))
            if _has_changed(function.__code__, text):
                tree = None
        except (OSError, SyntaxError, TypeError):
            lines, tree = [], None
        if tree is None:
            raise KernelError(
                f"the source of {self.name}() cannot be found, or has changed since it was read ({self.file})",
                "Kernels are made from source: put the function into a file or a notebook's cell.",
            )
        if not isinstance(tree, ast.FunctionDef):
            raise KernelSyntaxError(
                "an async function cannot be a kernel", "Write def.", self._first(function.__code__)
            )
        return lines, tree

    def _check_kind(self) -> None:
        arguments = self.tree.args
        for wrong, what in ((arguments.vararg, "*"), (arguments.kwarg, "**")):
            if wrong is not None:
                raise KernelSyntaxError(f"a kernel has no {what}{wrong.arg}", "Name each argument.", self.place(wrong))
        if arguments.kwonlyargs:
            raise KernelSyntaxError(
                "a kernel has no arguments that are given by keyword only",
                "Leave the * out.",
                self.place(arguments.kwonlyargs[0]),
            )

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments."""
        arguments = self.tree.args
        return [each.arg for each in (*arguments.posonlyargs, *arguments.args)]

    def place(self, node: ast.AST) -> Place:
        """Where a node stands."""
        line: int = getattr(node, "lineno", self.tree.lineno)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        column = len(text.encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        return Place(self.file, line, column, text)

    def meaning(self, name: str) -> Any:
        """The object that a name of the closure, the module or Python stands for; MISSING where there is none."""
        free = self.function.__code__.co_freevars
        if name in free and self.function.__closure__ is not None:
            try:
                return self.function.__closure__[free.index(name)].cell_contents
            except ValueError:  # it is not assigned yet
                return MISSING
        return self.function.__globals__.get(name, getattr(builtins, name, MISSING))

    def static(self, node: ast.AST, local: frozenset[str]) -> Any:
        """The object of a name, or of an attribute of a module or a class; MISSING for all else. `local`: own names."""
        if isinstance(node, ast.Name):
            return MISSING if node.id in local else self.meaning(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.static(node.value, local)
            if isinstance(owner, (types.ModuleType, type)) or (isinstance(owner, enum.Enum) and node.attr == "value"):
                return getattr(owner, node.attr, MISSING)
        return MISSING

    def with_defaults(self, arguments: tuple[Any, ...], named: dict[str, Any] | None = None) -> tuple[Any, ...]:
        """The arguments of a call in their order, with the defaults of those that are missing.

        Raises
        ------
        KernelError
            Where there are too many or too few, or a name is not known or comes twice.
        """
        wanted, defaults, named = self.parameters, self.function.__defaults__ or (), named or {}
        head = f"{self.name}({', '.join(wanted)})"
        by_name = [each.arg for each in self.tree.args.args]
        for name in named:
            if name not in by_name:
                raise KernelError(f"{head} has no argument {name} that may be named")
            if name in wanted[: len(arguments)]:
                raise KernelError(f"{head} gets {name} twice")
        found = dict(zip(wanted[len(wanted) - len(defaults) :], defaults, strict=True)) | named
        rest = wanted[len(arguments) :]
        if len(arguments) > len(wanted) or any(each not in found for each in rest):
            count = f"{len(wanted)} argument{'' if len(wanted) == 1 else 's'}"
            raise KernelError(f"{head} takes {count}, not {len(arguments) + len(named)}")
        return (*arguments, *(found[each] for each in rest))


@functools.lru_cache(maxsize=256)
def source_of(function: types.FunctionType) -> Source:
    """The source of a function, read once."""
    return Source(function)
