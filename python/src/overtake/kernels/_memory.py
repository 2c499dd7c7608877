# SPDX-License-Identifier: MIT
"""Arrays in kernels: elements, sizes, memory of a group, atomics."""

from __future__ import annotations

import ast
import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._arithmetic import Arithmetic
from ._scope import ArrayVariable, bare
from ._types import ArrayType, Value, held_in_memory, is_whole

_MOST_SHARED_AXES = 8


class Memory(Arithmetic):
    """Translates what reads and writes arrays."""

    @abstractmethod
    def expression(self, node: ast.expr) -> Value:
        """A number."""

    @abstractmethod
    def in_order(self, nodes: Sequence[ast.expr]) -> list[Value]:
        """Several."""

    def array_of(self, node: ast.AST) -> ArrayVariable | None:
        """The array that a name stands for."""
        if not isinstance(node, ast.Name) or node.id not in self.arrays:
            return None
        if self.arrays[node.id].argument is None:
            self.check_assigned(node, node.id)
        return self.arrays[node.id]

    def check_assigned(self, node: ast.AST, name: str) -> None:
        """An error where some way leads here without a value."""
        if self.assigned is not None and name not in self.assigned:
            self.fail(
                node,
                f"{name} is not assigned on every way that leads here",
                f"Give {name} a value before, on each way.",
            )

    # -- sizes ---------------------------------------------------------------------------------------------------------
    def extent(self, array: ArrayVariable, axis: int) -> Value:
        """How long an axis is."""
        array.used_extents.add(axis)
        if array.type.extents is not None:
            extent = array.type.extents[axis]
            return Value(_dtypes.int64, str(extent), extent, simple=True, positive=True)
        return Value(_dtypes.int64, array.extents[axis], simple=True, positive=True, bits=self.program.place_bits)

    def size(self, array: ArrayVariable) -> Value:
        """How many elements there are."""
        extents = [self.extent(array, axis) for axis in range(array.type.ndim)]
        if len(extents) == 1:
            return extents[0]
        text = f"({' * '.join(each.text for each in extents)})"
        return Value(_dtypes.int64, text, positive=True, bits=self.program.place_bits)

    # -- elements ------------------------------------------------------------------------------------------------------
    def _subscript(self, node: ast.Subscript) -> Value:
        owner = node.value
        if (
            isinstance(owner, ast.Attribute)
            and owner.attr == "shape"
            and (array := self.array_of(owner.value)) is not None
        ):
            return self._axis(node, array)
        array = self.array_of(owner)
        if array is None:
            what = (
                f"{owner.id} is a number"
                if isinstance(owner, ast.Name) and owner.id in self.types
                else "this is no array of the kernel"
            )
            cure = (
                ""
                if self.in_groups
                else "A function of vectorize gets one element at a time; functions of overtake.jit get arrays."
            )
            inner = self.array_of(owner.value) if isinstance(owner, ast.Subscript) else None
            if inner is not None and isinstance(owner, ast.Subscript):
                indices = f"{ast.unparse(owner.slice)}, {ast.unparse(node.slice)}"
                self.refuse(
                    node,
                    "an element of an array has no elements",
                    f"Give all indices at once: {ast.unparse(owner.value)}[{indices}].",
                )
            self.refuse(node, f"{what}, and has no elements", cure or "Give arrays as arguments.")
        place = self.place_of(node, array, node.slice)
        dtype = array.type.dtype
        self.note(dtype)
        return self.element(array, place)

    @staticmethod
    def element(array: ArrayVariable, place: str) -> Value:
        """The value at a place; a bool is a byte in memory."""
        dtype, text = array.type.dtype, f"{array.text}[{place}]"
        text = f"({text} != 0)" if dtype is _dtypes.bool_ else text
        return Value(dtype, text, reads=True, positive=dtype.kind == "unsigned integer")

    def _axis(self, node: ast.Subscript, array: ArrayVariable) -> Value:
        axis = self.expression(node.slice).const
        ndim = array.type.ndim
        if not isinstance(axis, int) or not -ndim <= axis < ndim:
            self.fail(
                node,
                f"an axis of {array.type} is a number from 0 to {ndim - 1} that is known while compiling",
                "Write x.shape[0].",
            )
        return self.extent(array, axis % ndim)

    def place_of(self, node: ast.AST, array: ArrayVariable, index: ast.expr) -> str:
        """The place of an element in the array's memory, in C."""
        nodes = list(index.elts) if isinstance(index, ast.Tuple) else [index]
        ndim = array.type.ndim
        if len(nodes) != ndim:
            wanted = ", ".join("ijklmnpq"[:ndim])
            hint = f"Write x[{wanted}]." if ndim else "Give it as a number: float(x)."
            self.fail(node, f"{len(nodes)} {'index' if len(nodes) == 1 else 'indices'} for {array.type}", hint)
        values = self.in_order(nodes)
        places = [
            self._one_place(each, value, array, axis)
            for axis, (each, value) in enumerate(zip(nodes, values, strict=True))
        ]
        if self.program.debug:  # each axis on its own: a column too far is another row's
            helpers, extents = self.program.helpers, [self.extent(array, axis).text for axis in range(ndim)]
            places = [
                helpers.fixed("axis", bare(self.cast(node, each, _dtypes.int64)), extents[axis], str(axis))
                for axis, each in enumerate(values)
            ]
            place = places[0]
            for axis in range(1, ndim):
                place = helpers.fixed("row", place, extents[axis], places[axis])
            return place
        place = places[0]
        for axis in range(1, ndim):
            place = f"{place} * {self.extent(array, axis).text} + {places[axis]}"
            place = f"({place})" if axis < ndim - 1 else place
        return bare(place)

    def _one_place(self, node: ast.AST, value: Value, array: ArrayVariable, axis: int) -> str:
        if not is_whole(value.type):
            self.fail(node, f"an index is a whole number, not {value.type}", "Convert it: int(x).")
        if isinstance(value.const, int) and array.type.extents is not None:
            extent = array.type.extents[axis]
            if not -extent <= value.const < extent:
                self.fail(node, f"index {value.const} is outside of axis {axis}, which has {extent} elements")
        if value.const is not None:
            text = value.text if value.positive else f"({self.extent(array, axis).text} - {-value.const})"
            # Beside an extent that is known, too, C would multiply in 32 bits.
            return text if self.program.short or array.type.ndim == 1 else f"((int64){text})"
        dtype, wanted = self.held(value.type), self.program.place
        text = value.text
        if value.positive or dtype.kind == "unsigned integer":
            # Products of places are computed in the type of sizes.
            return text if array.type.ndim == 1 or dtype is wanted else f"({wanted}){text}"
        if dtype.itemsize > wanted.itemsize:  # what is no place in 32 bits is none
            dtype, text = wanted, f"({wanted}){text}"
        count = self.extent(array, axis).text
        if value.simple and not self.program.short:
            return f"({text} + ({text} < 0 ? {count} : 0))"
        name = "at" if not self.program.short else "place" if value.simple else "short_at"
        return self.program.helpers.call(name, dtype, bare(text), count)

    def store(self, node: ast.AST, array: ArrayVariable, place: str, value: Value) -> None:
        """Writes an element, converted to the array's type."""
        self.write(array)
        self.emit(f"{array.text}[{place}] = {bare(self.cast(node, value, array.type.dtype))};")

    def write(self, array: ArrayVariable) -> None:
        """Notes that an array is written to."""
        array.written = self.effects = True

    # -- groups --------------------------------------------------------------------------------------------------------
    def make_shared(self, target: ast.expr, call: ast.Call) -> None:
        """`name = overtake.shared(dtype, shape)`."""
        if not isinstance(target, ast.Name) or self.stores[target.id] != 1:
            self.refuse(
                target,
                "shared memory has one name, which is given once",
                "Write tile = overtake.shared(overtake.float32, 256).",
            )
        if self.depth != 1 or not self.program.is_kernel(self):
            self.refuse(
                call,
                "shared() stands in a branch, a loop or a called function",
                "Move it to the top of the function that is launched.",
            )
        if len(call.args) != 2 or call.keywords:
            self.refuse(call, "shared() takes a type and a shape", "Write overtake.shared(overtake.float32, 256).")
        dtype = self.dtype_of(call.args[0])
        if dtype is None:
            self.fail(call.args[0], "this is no type of elements", "Write overtake.float32, overtake.int32, ...")
        extents = self._extents(call.args[1])
        kind = ArrayType(dtype, len(extents), extents)
        name = self.names.of(target.id)
        self.arrays[target.id] = ArrayVariable(kind, name, [str(each) for each in extents], None)
        self.program.shared[name] = f"LOCAL {held_in_memory(dtype)} {name}[{math.prod(extents)}];"
        if self.assigned is not None:
            self.assigned.add(target.id)

    def _extents(self, node: ast.expr) -> tuple[int, ...]:
        found: Any = self.source.static(node, self.local)
        if not isinstance(found, tuple):
            nodes = node.elts if isinstance(node, ast.Tuple) else [node]
            found = tuple(self.expression(each).const for each in nodes)
        if not 0 < len(found) <= _MOST_SHARED_AXES or not all(isinstance(each, int) and each > 0 for each in found):
            self.fail(
                node,
                "the shape of shared memory is not known while compiling, or not above 0",
                "Write numbers, or names of the module's whole numbers.",
            )
        return tuple(found)

    def dtype_of(self, node: ast.AST) -> DType | None:
        """The element type that an expression names."""
        found = self.source.static(node, self.local)
        if isinstance(found, DType):
            return None if found.name in ("float16", "bfloat16") else found
        if isinstance(found, type) and (found in (bool, int, float) or found.__module__ == "numpy"):
            try:
                return self.dtype_of_name(_dtypes.as_dtype(found))
            except TypeError:
                return None
        return None

    @staticmethod
    def dtype_of_name(dtype: DType) -> DType | None:
        """The type, where kernels have it."""
        return None if dtype.name in ("float16", "bfloat16") else dtype

    def atomic(self, node: ast.Call, name: str, is_read: bool) -> Value:
        """atomic_add(array, index, value) and its like: the old value, where it `is_read`."""
        if len(node.args) != 3:
            self.refuse(node, f"{name}() takes an array, an index and a value", f"Write overtake.{name}(counts, i, 1).")
        array = self.array_of(node.args[0])
        if array is None:
            self.fail(node.args[0], f"{name}() needs an array", f"Write overtake.{name}(counts, i, 1).")
        dtype = array.type.dtype
        is_float_add = name == "atomic_add" and dtype is _dtypes.float32 and not array.type.is_shared
        if dtype is not _dtypes.int32 and not is_float_add:
            kinds = "int32, and on float32 that is not shared" if name == "atomic_add" else "int32"
            self.fail(node.args[0], f"{name}() works on {kinds}, not on {array.type}", "Use an array of int32.")
        at, mark = Value(_dtypes.int64, self.place_of(node, array, node.args[1]), reads=True), len(self.lines)
        value = self.cast(node.args[2], self.expression(node.args[2]), dtype)
        place = self.keep_at(mark, at).text
        self.write(array)
        call = f"{'ATOMIC_ADD_FLOAT' if is_float_add else name.upper()}(&{array.text}[{place}], {bare(value)})"
        old = self.temporary(dtype) if is_read else ""
        self.emit(f"{old} = {call};" if is_read else f"{call};")
        return Value(dtype, old, simple=True)
