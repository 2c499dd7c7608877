# SPDX-License-Identifier: MIT
"""What is known while a function is translated: its variables and the lines of C so far."""

from __future__ import annotations

import ast
import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._errors import KernelError, KernelSyntaxError
from ._names import Names
from ._source import Source
from ._types import (
    WEAK_FLOAT,
    WEAK_INT,
    ArrayType,
    NoCommonType,
    Value,
    fits,
    is_float,
    is_weak,
    is_whole,
    literal,
    promoted,
    strong,
)
from ._webs import as_written, split

if TYPE_CHECKING:
    from ._program import Program


@dataclass
class ArrayVariable:
    """An array that the function has under a name."""

    type: ArrayType
    text: str
    extents: list[str]  # its sizes in C
    argument: int | None  # its place among the function's arguments
    used_extents: set[int] = field(default_factory=set)
    written: bool = False


@dataclass
class Line:
    """A line of C and the line of Python that it is from."""

    number: int
    depth: int
    text: str


class Split(Exception):
    """A name is a whole number's and then a float's: its variables are to be told apart."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Scope:
    """One function: what its names are, and its text. The text is made anew until no variable's type changes."""

    def __init__(self, program: Program, source: Source, in_groups: bool, apart: Collection[str] = ()) -> None:
        self.program, self.source = program, source
        self.in_groups = in_groups  # made for jit: arrays, groups, barriers
        self.apart = frozenset(apart)  # names of several variables
        self.tree = split(source.tree, apart) if apart else source.tree
        self.names = Names()
        self.stores = _stores(source.parameters, self.tree)
        self.local = frozenset((*self.stores, *apart))
        self.types: dict[str, DType] = {}  # of variables, which only grow
        self.arrays: dict[str, ArrayVariable] = {}
        self.facts: dict[str, tuple[bool, int]] = {}  # of variables with one value: never below 0, bits
        # Of variables with several values that are never below 0: their bits, until one of the values says otherwise.
        self.bounds = _bounds(source.parameters, self.tree, self.stores)
        self.wide = False  # something is computed in float64
        self.changed = False
        self.restart()

    def restart(self) -> None:
        """Begins the text anew."""
        self.lines: list[Line] = []
        self.depth = 1
        self.number = self.tree.lineno
        self.temporaries: list[tuple[DType, str]] = []
        self.structs: list[tuple[str, str]] = []  # variables of several results: type and name
        self.assigned: set[str] | None = set()  # by now, on every way; None where no way leads
        self.effects = False  # it writes to arrays
        self.changed = False

    # -- errors --------------------------------------------------------------------------------------------------------
    def fail(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        """Raises what is wrong with the type or the name at a node."""
        raise KernelError(as_written(what), as_written(hint), self.source.place(node))

    def refuse(self, node: ast.AST, what: str, hint: str = "") -> NoReturn:
        """Raises that kernels do not have a form of Python."""
        raise KernelSyntaxError(as_written(what), as_written(hint), self.source.place(node))

    # -- lines ---------------------------------------------------------------------------------------------------------
    def emit(self, text: str) -> None:
        """Adds a line of C."""
        self.lines.append(Line(self.number, self.depth, text))

    @contextmanager
    def aside(self) -> Iterator[list[Line]]:
        """Lines made inside go into a list of their own."""
        outer, self.lines = self.lines, []
        try:
            yield self.lines
        finally:
            self.lines = outer

    def append(self, lines: list[Line]) -> None:
        """Adds lines that were made aside, one level deeper."""
        self.lines += [dataclasses.replace(each, depth=each.depth + 1) for each in lines]

    def temporary(self, dtype: DType) -> str:
        """A new variable, declared at the top: kernels with barriers want all of them there."""
        name = self.names.temporary()
        self.temporaries.append((self.held(dtype), name))
        return name

    def keep(self, value: Value) -> Value:
        """The value under a name, so that it may be written twice and does not change any more."""
        if value.simple:
            return value
        name = self.temporary(value.type)
        self.emit(f"{name} = {bare(value.text)};")
        return dataclasses.replace(value, text=name, simple=True, reads=False, factors=None)

    def keep_at(self, mark: int, value: Value) -> Value:
        """The same for a value that was computed when there were `mark` lines, where later ones may change what it reads."""
        if len(self.lines) == mark or not value.reads:
            return value
        later, self.lines = self.lines[mark:], self.lines[:mark]
        kept = self.keep(value)
        self.lines += later
        return kept

    # -- types ---------------------------------------------------------------------------------------------------------
    def held(self, dtype: DType) -> DType:
        """The type in which a value is held, plain numbers included."""
        return strong(dtype, self.wide)

    def note(self, dtype: DType) -> None:
        """Notes that there is float64 in this function: plain floats are held in it then."""
        if dtype is _dtypes.float64 and not self.wide:
            self.wide = self.changed = True

    def promote(self, node: ast.AST, a: Value, b: Value) -> DType:
        """The type of two values together."""
        try:
            return promoted(a.type, b.type)
        except NoCommonType as error:
            self.fail(node, str(error), "Convert one of them: overtake.int64(x), or overtake.float64(x).")

    def cast(self, node: ast.AST, value: Value, wanted: DType, exact: bool = True) -> str:
        """The value in C as a type; `exact`: a literal that the type cannot hold is an error."""
        target = self.held(wanted)
        if value.const is not None:
            const = value.const
            if (
                exact
                and is_weak(value.type)
                and isinstance(const, int)
                and is_whole(target)
                and not fits(const, target)
            ):
                self.fail(
                    node,
                    f"{const} does not fit {target}",
                    f"Convert the other side first: overtake.int64(x); or overtake.{target}({const}).",
                )
            return literal(const, target)
        if exact and value.type is WEAK_INT and is_whole(target):
            self.limit(value, target)
        held = self.held(value.type)
        if held is target:
            return value.text
        if target.kind == "bool":
            return f"({value.text} != {literal(0, held)})"
        if is_float(held) and is_whole(target):
            return self.program.helpers.whole_of_float(held, target, bare(value.text))
        return f"(({target}){value.text})"

    def limit(self, value: Value, target: DType) -> None:
        """Notes that an int whose value is not known now must fit a type."""

    def constant(self, node: ast.AST, number: bool | int | float, dtype: DType | None = None) -> Value:
        """A number that is known now."""
        if dtype is None:
            kinds: dict[type, DType] = {bool: _dtypes.bool_, int: WEAK_INT, float: WEAK_FLOAT}
            dtype = kinds[type(number)]
        self.note(dtype)
        text = literal(number, self.held(dtype))
        return Value(dtype, text, number, simple=True, positive=number >= 0)


def _bounds(parameters: list[str], tree: ast.FunctionDef, stores: Counter[str]) -> dict[str, int]:
    """Variables with several values; those that something is added to have all bits."""
    nodes = (each for statement in tree.body for each in ast.walk(statement))
    grown = {each.target.id for each in nodes if isinstance(each, ast.AugAssign) and isinstance(each.target, ast.Name)}
    names = (name for name, count in stores.items() if count > 1 and name not in parameters)
    return {name: 64 if name in grown else 31 for name in names}


def _stores(parameters: list[str], tree: ast.FunctionDef) -> Counter[str]:
    """The function's own names, and how often it gives them a value."""
    nodes = (each for node in tree.body for each in ast.walk(node))
    return Counter(
        [
            *parameters,
            *(each.id for each in nodes if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)),
        ]
    )


def bare(text: str) -> str:
    """Without the parentheses around all of it."""
    if not text.startswith("("):
        return text
    depth = 0
    for at, each in enumerate(text):
        depth += (each == "(") - (each == ")")
        if depth == 0:
            return text[1:-1] if at == len(text) - 1 else text
    return text
