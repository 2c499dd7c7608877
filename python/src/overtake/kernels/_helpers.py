# SPDX-License-Identifier: MIT
"""Small functions of the dialect that have Python's meaning where C's is another one or none.

Each is a text with {T} for a type and {U} for the unsigned one that wraps round; a kernel's preamble has those that it uses.
"""

from __future__ import annotations

from ..arrays import _dtypes
from ..arrays._dtypes import DType
from ._types import is_float, literal

# Macros: not every compiler of the CPU puts functions in where they are called, and these are everywhere.
_MACROS = {
    "add": "(a, b) (({T})(({U})(a) + ({U})(b)))",
    "sub": "(a, b) (({T})(({U})(a) - ({U})(b)))",
    "mul": "(a, b) (({T})(({U})(a) * ({U})(b)))",
    "neg": "(a) (({T})(({U})0 - ({U})(a)))",
    # Python's negative index in 32 bits, where a place below 0 is above all others: on a GPU one instruction.
    "place": "(at, n) ((int32)((uint32)(at) < (uint32)(at) + (uint32)(n) ? (uint32)(at) : (uint32)(at) + (uint32)(n)))",
}
# name: (its arguments, the type of its result or "" for {T}, its body)
_WHOLE: dict[str, tuple[str, str, str]] = {
    "abs": ("{T} a", "", "return a < ({T})0 ? ({T})(({U})0 - ({U})a) : a;"),
    # Toward minus infinity; a division by 0 gives 0.
    "floordiv": (
        "{T} a, {T} b",
        "",
        "if (b == ({T})0) return ({T})0;\n"
        "  if (({T})-1 < ({T})0 && b == ({T})-1) return ({T})(({U})0 - ({U})a);\n"
        "  {T} whole = ({T})(a / b);\n"
        "  return a % b != 0 && (a < ({T})0) != (b < ({T})0) ? ({T})(whole - 1) : whole;",
    ),
    "mod": (
        "{T} a, {T} b",
        "",
        "if (b == ({T})0 || (({T})-1 < ({T})0 && b == ({T})-1)) return ({T})0;\n"
        "  {T} rest = ({T})(a % b);\n"
        "  return rest != ({T})0 && (rest < ({T})0) != (b < ({T})0) ? ({T})(rest + b) : rest;",
    ),
    "power": (
        "{T} a, {T} b",
        "",
        "if (b < ({T})0) return a == ({T})1 ? a : ({U})a + ({U})1 == ({U})0 ? (b % 2 == 0 ? ({T})1 : a) : ({T})0;\n"
        "  {U} result = 1, factor = ({U})a;\n"
        "  for ({U} rest = ({U})b; rest != 0; rest >>= 1) {{\n"
        "    if (rest & 1) result *= factor;\n"
        "    factor *= factor;\n"
        "  }}\n"
        "  return ({T})result;",
    ),
    # As NumPy: no bits are left beyond the width, and of a negative number all.
    "lshift": ("{T} a, {T} b", "", "return b < ({T})0 || b >= ({T}){bits} ? ({T})0 : ({T})(({U})a << b);"),
    "rshift": (
        "{T} a, {T} b",
        "",
        "return b < ({T})0 || b >= ({T}){bits} ? (a < ({T})0 ? ({T})-1 : ({T})0) : ({T})(a >> b);",
    ),
    # Python's negative index.
    "at": ("{T} index, {P} count", "{P}", "return ({P})index + (index < 0 ? count : 0);"),
    "short_at": (
        "{T} index, int32 count",
        "{P}",
        "uint32 place = (uint32)index, other = place + (uint32)count;\n"
        "  return (int32)(place < other ? place : other);",
    ),
}
_WHOLE["minimum"] = ("{T} a, {T} b", "", "return a < b ? a : b;")
_WHOLE["maximum"] = ("{T} a, {T} b", "", "return a > b ? a : b;")
# The same for types without a sign, where compilers would warn of comparisons with 0.
_UNSIGNED = _WHOLE | {
    "floordiv": ("{T} a, {T} b", "", "return b == ({T})0 ? ({T})0 : ({T})(a / b);"),
    "mod": ("{T} a, {T} b", "", "return b == ({T})0 ? ({T})0 : ({T})(a % b);"),
    "power": (
        "{T} a, {T} b",
        "",
        "{U} result = 1, factor = ({U})a;\n"
        "  for ({U} rest = ({U})b; rest != 0; rest >>= 1) {{\n"
        "    if (rest & 1) result *= factor;\n"
        "    factor *= factor;\n"
        "  }}\n"
        "  return ({T})result;",
    ),
    "lshift": ("{T} a, {T} b", "", "return b >= ({T}){bits} ? ({T})0 : ({T})(({U})a << b);"),
    "rshift": ("{T} a, {T} b", "", "return b >= ({T}){bits} ? ({T})0 : ({T})(a >> b);"),
    "sign": ("{T} a", "", "return a > ({T})0 ? ({T})1 : ({T})0;"),
}
_FLOAT: dict[str, tuple[str, str, str]] = {
    # As CPython divides floats (floatobject.c): the floor of the quotient, the remainder with the divisor's sign.
    "floordiv": (
        "{T} a, {T} b",
        "",
        "if (b == ({T})0) return a / b;\n"
        "  {T} rest = fmod(a, b);\n"
        "  {T} whole = (a - rest) / b;\n"
        "  if (rest != ({T})0 && (rest < ({T})0) != (b < ({T})0)) whole -= ({T})1;\n"
        "  if (whole == ({T})0) return copysign(({T})0, a / b);\n"
        "  {T} down = floor(whole);\n"
        "  return whole - down > ({T})0.5f ? down + ({T})1 : down;",
    ),
    "mod": (
        "{T} a, {T} b",
        "",
        "{T} rest = fmod(a, b);\n"
        "  if (rest == ({T})0) return copysign(rest, b);\n"
        "  return (rest < ({T})0) != (b < ({T})0) ? rest + b : rest;",
    ),
    "fma": (
        "{T} a, {T} b, {T} c",
        "",
        "return fma(a, b, c);",
    ),  # a function: the dialect's is a macro that grows when nested
    "sigmoid": ("{T} a", "", "{T} e = exp(-fabs(a));\n  return (a >= ({T})0 ? ({T})1 : e) / (({T})1 + e);"),
    "logaddexp": (
        "{T} a, {T} b",
        "",
        "if (a == b) return a + log(({T})2);\n  return (a > b || a != a ? a : b) + log1p(exp(-fabs(a - b)));",
    ),
    "isinf": ("{T} a", "bool", "return a == a && a - a != a - a;"),
}
_ANY: dict[str, tuple[str, str, str]] = {
    # Python's: the first that no other one is below (above); and NumPy's, where NaN wins and -0 is below 0.
    "min": ("{T} a, {T} b", "", "return b < a ? b : a;"),
    "max": ("{T} a, {T} b", "", "return b > a ? b : a;"),
    "minimum": (
        "{T} a, {T} b",
        "",
        "return a < b || a != a ? a : a != b ? b : a == ({T})0 ? ({T})(-(({T})(-a) - b)) : a;",
    ),
    "maximum": ("{T} a, {T} b", "", "return a > b || a != a ? a : a != b ? b : a == ({T})0 ? ({T})(a + b) : a;"),
    "sign": ("{T} a", "", "return a > ({T})0 ? ({T})1 : a < ({T})0 ? ({T})-1 : a == ({T})0 ? ({T})0 : a;"),
}
# Loops over range(): the next value without a wrap round, and whether there is one.
_RANGE = {
    "range_next": (
        "DEVICE int64 ot_range_next(int64 at, int64 step, int64 stop) {\n"
        "  if (step > 0) return (uint64)stop - (uint64)at > (uint64)step ? at + step : stop;\n"
        "  return (uint64)at - (uint64)stop > (uint64)0 - (uint64)step ? at + step : stop;\n"
        "}\n"
    ),
    # Without a branch: PoCL ends the process where a loop with a barrier has one in its condition.
    "range_more": (
        "DEVICE bool ot_range_more(int64 at, int64 step, int64 stop) {\n"
        "  return ((step > 0) & (at < stop)) | ((step < 0) & (at > stop));\n"
        "}\n"
    ),
    # How many turns a loop has whose step is above 0: compilers make several of a loop that counts down at once.
    "turns": (
        "DEVICE uint32 ot_turns(int32 at, int32 stop, int32 step) {\n"
        "  return at < stop ? ((uint32)stop - (uint32)at - 1u) / (uint32)step + 1u : 0u;\n"
        "}\n"
    ),
    # With debug: the place on one axis, or below all places which index and axis it was (compiled.cpp reads them); and rows.
    "axis": (
        "DEVICE int64 ot_axis(int64 index, int64 extent, int64 axis) {\n"
        "  int64 place = index < 0 ? index + extent : index, most = (int64)1 << 46;\n"
        "  if (place >= 0 && place < extent) return place;\n"
        "  index = index < -most ? -most : index > most ? most : index;\n"
        "  return (int64)(((uint64)1 << 63) + ((uint64)axis << 56) + (uint64)(index + 2 * most));\n"
        "}\n"
    ),
    "row": (
        "DEVICE int64 ot_row(int64 row, int64 extent, int64 at) {\n"
        "  return row < 0 ? row : at < 0 ? at : row * extent + at;\n"
        "}\n"
    ),
    # The numbers of overtake.random.uniform(): src/kernels/philox.k, stream 0x41525259, four to a block. It stands here
    # again since preambles have no text of the library's by name; tests hold the two together.
    "uniform": (
        "DEVICE float32 ot_uniform(uint64 seed, uint64 counter) {\n"
        "  uint32 c0 = (uint32)(counter >> 2), c1 = 0x41525259u, c2 = (uint32)(counter >> 34), c3 = 0u;\n"
        "  uint32 k0 = (uint32)seed, k1 = (uint32)(seed >> 32);\n"
        "  for (int round = 0; round < 10; ++round) {\n"
        "    uint32 low0 = 0xD2511F53u * c0, high0 = MULHI32(0xD2511F53u, c0);\n"
        "    uint32 low1 = 0xCD9E8D57u * c2, high1 = MULHI32(0xCD9E8D57u, c2);\n"
        "    c0 = high1 ^ c1 ^ k0;\n"
        "    c1 = low1;\n"
        "    c2 = high0 ^ c3 ^ k1;\n"
        "    c3 = low0;\n"
        "    k0 += 0x9E3779B9u;\n"
        "    k1 += 0xBB67AE85u;\n"
        "  }\n"
        "  uint32 lane = (uint32)counter & 3u, word = lane == 0u ? c0 : lane == 1u ? c1 : lane == 2u ? c2 : c3;\n"
        "  return (float32)(word >> 8) * 5.9604644775390625e-8f;\n"
        "}\n"
    ),
}


def unsigned_of(dtype: DType) -> str:
    """The type in which arithmetic of `dtype` wraps round; C computes the narrow ones in int, which does not."""
    return "uint64" if dtype.itemsize == 8 else "uint32"


class Helpers:
    """The helpers that a program uses, in the order of their first use."""

    def __init__(self, place: str) -> None:
        self._place = place  # the type of places
        self._texts: dict[str, str] = {}

    @property
    def text(self) -> str:
        """All of them."""
        return "".join(self._texts.values())

    def call(self, name: str, dtype: DType, *arguments: str) -> str:
        """A call of a helper on arguments of a type."""
        function = f"ot_{name}_{dtype}"
        known = {"T": dtype.name, "U": unsigned_of(dtype), "P": self._place, "bits": 8 * dtype.itemsize}
        if name in _MACROS:
            self._texts.setdefault(function, f"#define {function}{_MACROS[name].format(**known)}\n")
        elif function not in self._texts:
            whole = _UNSIGNED if dtype.kind == "unsigned integer" else _WHOLE
            own = (_FLOAT if is_float(dtype) else whole).get(name) or _ANY[name]
            parameters, result, body = (each.format(**known) for each in own)
            self._add(function, f"{result or dtype.name} {function}({parameters})", body)
        return f"{function}({', '.join(arguments)})"

    def fixed(self, name: str, *arguments: str) -> str:
        """A call of a helper that has its types."""
        self._texts.setdefault(name, _RANGE[name])
        return f"ot_{name}({', '.join(arguments)})"

    def product(self, dtype: DType, count: int, argument: str) -> str:
        """A number to the power of 2, 3 or 4."""
        function = f"ot_power{count}_{dtype}"
        if function not in self._texts:
            u = dtype.name if is_float(dtype) else unsigned_of(dtype)
            square, rest = f"{u} b = ({u})a * ({u})a;", {2: "b", 3: f"b * ({u})a", 4: "b * b"}[count]
            self._add(function, f"{dtype} {function}({dtype} a)", f"{square}\n  return ({dtype})({rest});")
        return f"{function}({argument})"

    def whole_of_float(self, source: DType, wanted: DType, argument: str) -> str:
        """A float as a whole number: toward zero, to the ends of the type, NaN to 0; C leaves those open."""
        function = f"ot_{wanted}_of_{source}"
        if function not in self._texts:
            ends = _dtypes.describe_integer(wanted)
            above = literal(float(ends.max + 1), source)
            largest, smallest = literal(ends.max, wanted), literal(ends.min, wanted)
            body = f"if (a >= {above}) return {largest};\n  "
            if ends.min:
                body += f"if (a < {literal(float(ends.min), source)}) return {smallest};\n  return a == a ? ({wanted})a : 0;"
            else:
                body += f"return a > {literal(0.0, source)} ? ({wanted})a : 0;"
            self._add(function, f"{wanted} {function}({source} a)", body)
        return f"{function}({argument})"

    def _add(self, name: str, declared: str, body: str) -> None:
        lines = f"DEVICE {declared} {{\n  {body}\n}}\n"
        self._texts[name] = f"DEVICE {declared} {{ {body} }}\n" if "\n" not in body and len(body) < 80 else lines
