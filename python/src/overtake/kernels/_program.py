# SPDX-License-Identifier: MIT
"""From a function and the types of its arguments to the texts of a kernel."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._errors import KernelError
from ._fission import cut
from ._helpers import Helpers
from ._loops import Loops
from ._names import Names, plain
from ._scope import ArrayVariable, Line, Split
from ._source import Source
from ._types import PLACE, WEAK_INT, ArrayType, Value, held_in_memory, holds, is_float, is_whole, literal

Kind = DType | ArrayType
# Of each argument, where something is known: whether it is never below 0, and whether an int32 holds it.
Facts = tuple[tuple[bool, bool], ...]
_MOST_PASSES = 32
_LONGEST_LINE = 118
# What an element's body knows beside its inputs and outputs.
_OF_THE_LOOP = ("i", "size", "ot_results")


@dataclass
class Device:
    """A function of the author's in C."""

    name: str
    parameters: list[DType]  # of arrays their elements' type
    written: set[int]  # places of arrays that it writes to
    effects: bool
    results: list[DType]
    struct: str  # the type of several results


@dataclass
class Text:
    """A kernel in the dialect, and what its launch passes."""

    name: str
    preamble: str
    parameters: str  # of an elementwise kernel its inputs
    outputs: str
    body: str
    arguments: list[tuple[int, int | None]]  # places of arguments, with an axis where that array's extent is passed
    written: list[int]  # places of arguments that are written to
    results: list[DType]
    limits: list[tuple[int, DType]]  # places of plain ints, with types that must hold them

    @property
    def source(self) -> str:
        """All of it, to be read."""
        head = f"// inputs: {self.parameters}\n// outputs: {self.outputs}\n" if self.outputs else ""
        opening = "" if self.outputs else f"KERNEL void {self.name}({self.parameters}) {{\n"
        return f"{self.preamble}{head}{opening}{self.body}{'' if self.outputs else '}' + chr(10)}"


class Function(Loops):
    """One function for one list of types."""

    def __init__(
        self,
        program: Program,
        source: Source,
        kinds: Sequence[Kind],
        facts: Facts,
        apart: Collection[str] = (),
    ) -> None:
        super().__init__(program, source, program.in_groups, apart)
        self.kinds = list(kinds)
        self.given: list[str] = []  # the parameters' names in C
        for place, (name, kind) in enumerate(zip(source.parameters, kinds, strict=True)):
            self.given.append(self.names.of(name))
            if isinstance(kind, ArrayType):
                text = self.given[-1]
                ends = ["size"] if kind.ndim == 1 else [f"shape{axis}" for axis in range(kind.ndim)]
                extents = [str(each) for each in kind.extents or ()]
                if not extents:
                    extents = [self.names.fresh(f"{text}_{ends[axis]}") for axis in kind.open_axes]
                    extents += [] if kind.last is None else [str(kind.last)]
                self.arrays[name] = ArrayVariable(kind, text, extents, place)
                self.note(kind.dtype)
                continue
            self.note(kind)
            self.types[name] = kind
            if facts and self.stores[name] == 1:
                self.facts[name] = facts[place][0], 31 if facts[place][1] else 64
            if self.stores[name] > 1:  # it is a variable then, which may get another type
                self.given[-1] = self.names.fresh(f"{self.given[-1]}_given".replace("__", "_"))
                self.types[name] = _dtypes.int64 if kind is WEAK_INT else kind

    def translate(self) -> None:
        """Makes the text, again and again until every type is known.

        Raises
        ------
        KernelError
            For what kernels do not have.
        """
        for _ in range(_MOST_PASSES):
            self.restart()
            self.limits: list[tuple[int, DType]] = []
            self.assigned = set(self.source.parameters)
            for name, given in zip(self.source.parameters, self.given, strict=True):
                if name in self.types and given != self.names.of(name):
                    kind = self.kinds[self.source.parameters.index(name)]
                    assert isinstance(kind, DType)
                    text = (
                        given
                        if self.held(kind) is self.held(self.types[name])
                        else f"({self.held(self.types[name])}){given}"
                    )
                    self.emit(f"{self.names.of(name)} = {text};")
            self.block(self.tree.body)
            results = self.results or []
            if not self.changed and results == (self.known_results or []):
                break
            self.known_results = results
        else:
            raise KernelError(f"the types of {self.source.name}() do not settle", "Convert values explicitly.")
        if results and self.assigned is not None:
            self.fail(
                self.tree.body[-1],
                f"{self.source.name}() returns nothing on a way to its end",
                "Return a value on every way.",
            )
        self._check_mixed()

    def _check_mixed(self) -> None:
        """An error where a float variable gets whole numbers that its type may not hold: they would be rounded unseen."""
        for place, (name, kind) in enumerate(zip(self.source.parameters, self.kinds, strict=True)):
            if isinstance(kind, ArrayType) or not is_whole(kind) or not is_float(self.types[name]):
                continue
            if kind is WEAK_INT and self.program.is_outermost:
                self.limits.append((place, self.held(self.types[name])))
            else:
                self.mixed.append(([*self.tree.args.posonlyargs, *self.tree.args.args][place], name, Value(kind, "")))
        for node, name, value in self.mixed:
            dtype = self.held(self.types[name])
            if holds(dtype, value.type if value.const is None else value.const):
                continue
            what = self.held(value.type) if value.const is None else value.const
            self.fail(
                node,
                f"{name} is {what} here and {dtype} elsewhere, which holds not all such numbers",
                f"Use another name, or convert it: overtake.{dtype}(...).",
            )

    def limit(self, value: Value, target: DType) -> None:
        """See Scope."""
        if value.text in self.given:
            self.limits.append((self.given.index(value.text), target))

    def variables(self) -> list[tuple[str, str]]:
        """Type and name of each in C."""
        variables = [
            (self.held(dtype), self.names.of(name))
            for name, dtype in self.types.items()
            if name not in self.source.parameters or self.stores[name] > 1
        ]
        return [*((str(dtype), name) for dtype, name in variables + self.temporaries), *self.structs]

    def declarations(self, but: Collection[tuple[str, str]] = ()) -> list[Line]:
        """The variables, all at the top."""
        kinds: dict[str, list[str]] = {}
        for kind, name in self.variables():
            if (kind, name) not in but:
                kinds.setdefault(kind, []).append(name)
        return [Line(self.tree.lineno, 1, f"{kind} {', '.join(names)};") for kind, names in kinds.items()]


class Program:
    """All functions of one kernel."""

    def __init__(
        self, in_groups: bool, debug: bool = False, whole: bool = False, short: bool = False, fma: bool = False
    ) -> None:
        self.in_groups, self.debug, self.fma = in_groups, debug, fma
        self.short = short  # int32 holds the places of all arrays and of all work-items
        self.place_bits = 31 if short else 47
        self.whole = whole  # work-items of kernels with barriers may run one after the other
        self.place = PLACE if short else _dtypes.int64
        self.helpers = Helpers(self.place.name)
        self.shared: dict[str, str] = {}
        self._kernel: Function | None = None
        self._names = Names()
        self._stack: list[Source] = []
        self._devices: dict[tuple[Any, ...], Device] = {}
        self._texts: list[str] = []

    @property
    def extent_type(self) -> str:
        """The type of sizes in C."""
        return "int32" if self.short else "int64"

    def is_kernel(self, scope: Any) -> bool:
        """Whether a function is the one that is launched."""
        return scope is self._kernel

    def _made(self, source: Source, kinds: Sequence[Kind], facts: Facts = (), wide: bool = False) -> Function:
        self._stack.append(source)
        apart: frozenset[str] = frozenset()
        while True:
            function = Function(self, source, kinds, facts, apart)
            function.wide = wide
            if self.in_groups and self.is_outermost:
                self._kernel = function
            try:
                function.translate()
                break
            except Split as name:
                apart |= {name.name}
            except RecursionError:
                raise KernelError(
                    f"an expression of {source.name}() is too deep", "Split it.", source.place(source.tree)
                ) from None
        self._stack.pop()
        self.limits = function.limits  # the kernel's come last
        return function

    @property
    def is_outermost(self) -> bool:
        """Whether the function that is made is the one that was called from outside."""
        return len(self._stack) == 1

    def device(self, caller: Any, node: ast.AST, source: Source, kinds: Sequence[Kind], facts: Facts) -> Device:
        """A function that another one calls, made at its first call with these types; floats are as wide as the caller's."""
        key = (source, caller.wide, *kinds, facts)
        if key in self._devices:
            return self._devices[key]
        if any(each is source for each in self._stack):
            caller.fail(node, f"{source.name}() calls itself, which kernels do not do", "Write a loop.")
        return self._device(source, kinds, facts, caller.wide)

    def _device(self, source: Source, kinds: Sequence[Kind], facts: Facts = (), wide: bool = False) -> Device:
        made = self._made(source, kinds, facts, wide)
        name = self._names.fresh(f"user_{plain(source.name)}")
        results = [made.held(each) for each in made.results or []]
        struct = f"{name}_results" if len(results) > 1 else ""
        parameters: list[str] = []
        for place, (given, kind) in enumerate(zip(made.given, kinds, strict=True)):
            parameters += _device_parameter(made, source.parameters[place], given, kind, self.extent_type)
        lines = made.declarations() + made.lines
        if struct:
            fields = "".join(f"  {dtype} v{at};\n" for at, dtype in enumerate(results))
            self._texts.append(f"typedef struct {{\n{fields}}} {struct};\n")
            lines.insert(0, Line(source.tree.lineno, 1, f"{struct} ot_results;"))
        last = next((each for each in reversed(lines) if each.depth == 1 and each.text != "}"), None)
        if results and last is not None and last.text.startswith("for (ot_"):
            # A loop that returns in its first turn, which C's compilers do not see: they would miss a return.
            lines.append(Line(last.number, 1, "return ot_results;" if struct else f"return {literal(0, results[0])};"))
        kind_of_result = struct or (str(results[0]) if results else "void")
        head = Line(source.tree.lineno, 0, f"DEVICE {kind_of_result} {name}({', '.join(parameters) or 'void'}) {{")
        self._texts.append(_rendered([head, *lines], source.file) + "}\n")
        device = Device(
            name,
            [each.dtype if isinstance(each, ArrayType) else made.held(each) for each in kinds],
            {each.argument for each in made.arrays.values() if each.written and each.argument is not None},
            made.effects,
            results,
            struct,
        )
        key = (source, wide, *kinds, facts)
        self._devices[key] = device
        return device

    def _preamble(self) -> str:
        return self.helpers.text + "".join(self._texts)

    def elementwise(self, source: Source, kinds: Sequence[DType], facts: Facts = ()) -> Text:
        """The texts of a function of vectorize."""
        if not kinds:
            raise KernelError(
                f"{source.name}() has no arguments",
                "A function of vectorize takes a number or more.",
                source.place(source.tree),
            )
        device = self._device(source, kinds, facts)
        if not device.results:
            raise KernelError(
                f"{source.name}() returns nothing",
                "A function of vectorize returns a number, or several.",
                source.place(source.tree),
            )
        names = Names(_OF_THE_LOOP)
        inputs = [names.of(each) for each in source.parameters]
        outputs = ["result"] if len(device.results) == 1 else [f"result{at}" for at in range(len(device.results))]
        outputs = [names.fresh(each) for each in outputs]
        call = f"{device.name}({', '.join(inputs)})"
        if device.struct:
            lines = [
                f"{device.struct} ot_results = {call};",
                *(f"{each} = ot_results.v{at};" for at, each in enumerate(outputs)),
            ]
        else:
            lines = [f"{outputs[0]} = {call};"]
        return Text(
            plain(source.name),
            self._preamble(),
            ", ".join(f"{kind} {name}" for kind, name in zip(device.parameters, inputs, strict=True)),
            ", ".join(f"{kind} {name}" for kind, name in zip(device.results, outputs, strict=True)),
            _rendered([Line(source.tree.lineno, 0, each) for each in lines], source.file),
            [(place, None) for place in range(len(kinds))],
            [],
            device.results,
            self.limits,
        )

    def groups(self, source: Source, kinds: Sequence[Kind], facts: Facts = ()) -> Text:
        """The texts of a function of jit."""
        made = self._made(source, kinds, facts)
        parameters: list[str] = []
        arguments: list[tuple[int, int | None]] = []
        written: list[int] = []
        for place, (name, given, kind) in enumerate(zip(source.parameters, made.given, kinds, strict=True)):
            arguments.append((place, None))
            if not isinstance(kind, ArrayType):
                parameters.append(f"{made.held(kind)} {given}")
                continue
            array = made.arrays[name]
            written += [place] if array.written else []
            parameters.append(f"{'' if array.written else 'const '}{kind.dtype}* {given}")
            for axis in sorted(array.used_extents.intersection(kind.open_axes)):
                parameters.append(f"{self.extent_type} {array.extents[axis]}")
                arguments.append((place, axis))
        first = source.tree.lineno
        shared = [Line(first, 1, each) for each in self.shared.values()]
        kept, lines = (cut(made.lines, made.variables()) if self.whole else None) or ([], made.lines)
        own = [Line(first, 1, f"PRIVATE({kind}, {name});") for kind, name in kept]
        body = _rendered([*shared, *own, *made.declarations(kept), *lines], source.file)
        return Text(
            plain(source.name), self._preamble(), ", ".join(parameters), "", body, arguments, written, [], self.limits
        )


def _device_parameter(made: Function, name: str, given: str, kind: Kind, extent_type: str) -> list[str]:
    if not isinstance(kind, ArrayType):
        return [f"{made.held(kind)} {given}"]
    const = "" if made.arrays[name].written else "const "
    if kind.is_shared:
        return [f"LOCAL_ARG {const}{held_in_memory(kind.dtype)}* {given}"]
    return [
        f"GLOBAL {const}{held_in_memory(kind.dtype)}* {given}",
        *(f"{extent_type} {made.arrays[name].extents[axis]}" for axis in kind.open_axes),
    ]


def _rendered(lines: list[Line], file: str) -> str:
    """Lines as text, with the place in the user's file where it is not the next one."""
    escaped = file.replace("\\", "\\\\").replace('"', '\\"')
    texts: list[str] = []
    expected = last = -1
    for line in lines:
        is_closing = line.text.startswith("}")
        is_plain = line.text.endswith(";") and not line.text.startswith(("for", "if", "while", "LOCAL"))
        if is_plain and line.number == last and len(texts[-1]) + len(line.text) < _LONGEST_LINE:
            texts[-1] += f" {line.text}"  # several statements of one line stay one
            continue
        if line.number != expected and not is_closing:
            texts.append(f"#line {line.number}" + ("" if texts else f' "{escaped}"'))
            expected = line.number
        texts.append("  " * line.depth + line.text)
        expected += 1
        last = line.number if is_plain else -1
    return "".join(f"{each}\n" for each in texts)
