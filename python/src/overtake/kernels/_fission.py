# SPDX-License-Identifier: MIT
"""Kernels with barriers, cut at them: each part runs for all work-items of a group (WORK_ITEMS of docs/dialect.md).

On the CPU a part is a loop, where work-items would wait for each other at a switch of fibers each. Lines are those of
Statements: one statement or one opening or closing brace each, all variables declared at the top, no name used twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ._scope import Line

_MOST_KEPT = 16  # variables of eight bytes: the CPU's memory of a group holds them for 1,024 work-items
_WORD = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
_SYNC = "SYNC;"

# The variables: type and name.
Variables = Sequence[tuple[str, str]]


class _NotCut(Exception):
    """Work-items stay apart."""


def _end_of(lines: Sequence[Line], begin: int) -> int:
    """The line that closes the block that a line opens."""
    depth = 0
    for at in range(begin, len(lines)):
        text = lines[at].text
        depth += text.endswith("{") - text.startswith("}")
        if depth == 0:
            return at
    raise _NotCut


class _Cut:
    """The parts of a kernel, and what lies between them: barriers and the heads of loops that hold some."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.between: set[int] = set()  # lines that a group runs once
        self.parts: list[range] = []
        self._lines = lines
        self._block(0, len(lines))

    def _block(self, begin: int, end: int) -> None:
        at = first = begin
        while at < end:
            text = self._lines[at].text
            last = _end_of(self._lines, at) if text.endswith("{") else at
            if not any(each.text == _SYNC for each in self._lines[at : last + 1]):
                at = last + 1
                continue
            self._part(first, at)
            self.between |= {at, last}
            if last > at:
                self._loop(at, last)
            at = first = last + 1
        self._part(first, end)

    def _loop(self, at: int, last: int) -> None:
        text = self._lines[at].text
        if not text.startswith(("for (", "while (")):
            raise _NotCut
        begin = at + 1
        if text == "for (;;) {":  # the lines of its condition, if any: up to the way out
            leaves = begin
            while leaves < last and not self._lines[leaves].text.endswith(") break;"):
                leaves = (_end_of(self._lines, leaves) if self._lines[leaves].text.endswith("{") else leaves) + 1
            if leaves == last:
                raise _NotCut
            self.between |= set(range(begin, leaves + 1))
            begin = leaves + 1
        self._block(begin, last)

    def _part(self, begin: int, end: int) -> None:
        if begin == end:
            return
        loops: list[bool] = []
        for each in self._lines[begin:end]:
            text = each.text
            if text.startswith("}"):
                loops.pop()
            if text.startswith("return") or (text in ("break;", "continue;") and not any(loops)):
                raise _NotCut
            if text.endswith(") break;") and not any(loops):
                raise _NotCut
            if text.endswith("{"):
                loops.append(text.startswith(("for (", "while (")))
        self.parts.append(range(begin, end))


def _words(lines: Sequence[Line]) -> set[str]:
    return {word for each in lines for word in _WORD.findall(each.text)}


def _written(lines: Sequence[Line]) -> set[str]:
    return {
        word
        for each in lines
        for word in re.findall(r"(?<![.\w\]])([A-Za-z_]\w*)(?:\.v\d+)? = ", each.text)
        + re.findall(r"(?:\+\+|--)(\w+)", each.text)
    }


def _kept(cut: _Cut, lines: Sequence[Line], variables: Variables) -> list[tuple[str, str]]:
    """The variables that live from one part to another."""
    parts = [lines[each.start : each.stop] for each in cut.parts]
    between = [lines[each] for each in sorted(cut.between)]
    used, written = [_words(each) for each in parts], [_written(each) for each in parts]
    kept = []
    for kind, name in variables:
        is_written = any(name in each for each in written)
        if is_written and name in _written(between):
            raise _NotCut
        places = sum(name in each for each in used) + (name in _words(between))
        if is_written and places > 1:
            kept.append((kind, name))
    if len(kept) > _MOST_KEPT or any(kind.startswith("user_") for kind, _ in kept):
        raise _NotCut
    return kept


def cut(lines: Sequence[Line], variables: Variables) -> tuple[list[tuple[str, str]], list[Line]] | None:
    """The variables that each work-item has one of, and the lines with those in MINE() and in parts; None where a kernel has
    no barriers, or is one that is not cut: with a return, or a way out of a loop with barriers.
    """
    if not any(each.text == _SYNC for each in lines):
        return None
    try:
        found = _Cut(lines)
        kept = _kept(found, lines, variables)
    except _NotCut:
        return None
    names = {name for _, name in kept}

    def renamed(line: Line) -> Line:
        text = _WORD.sub(lambda each: f"MINE({each[0]})" if each[0] in names else each[0], line.text)
        return Line(line.number, line.depth, text)

    begins = {each.start for each in found.parts}
    ends = {each.stop - 1 for each in found.parts}
    result: list[Line] = []
    for at, line in enumerate(lines):
        depth = line.depth
        if at in begins:
            result.append(Line(line.number, depth, "WORK_ITEMS {"))
        result.append(renamed(line))
        if at in ends:
            result.append(Line(line.number, depth, "}"))
    return kept, result
