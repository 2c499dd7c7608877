# SPDX-License-Identifier: MIT
"""What is wrong with a function that is to become a kernel: where it stands in the user's file, and what to write instead."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import UsageError


class Place(NamedTuple):
    """A place in the user's source."""

    file: str
    line: int
    column: int  # from 0, in characters
    text: str  # the line of source


class KernelError(UsageError):
    """A function that cannot be a kernel: a type that does not fit, a name or a call that kernels do not know.

    Attributes
    ----------
    filename, lineno, offset, text :
        The place, as SyntaxError has it (`offset` counts from 1); None where there is no source.
    """

    def __init__(self, what: str, hint: str = "", place: Place | None = None) -> None:
        message = what
        if place is not None:
            shown = place.text.rstrip("\n")
            under = "".join("\t" if each == "\t" else " " for each in shown[: place.column]) + "^"
            message = f"{place.file}:{place.line}:{place.column + 1}: {what}"
            if shown.strip():
                message += f"\n{shown}\n{under}"
        super().__init__(message, hint)
        self.msg = what
        self.filename = place.file if place else None
        self.lineno = place.line if place else None
        self.offset = place.column + 1 if place else None
        self.text = place.text if place else None


class KernelSyntaxError(KernelError, SyntaxError):
    """A form of Python that kernels do not have."""
