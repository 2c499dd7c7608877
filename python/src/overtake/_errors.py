# SPDX-License-Identifier: MIT
"""What Overtake raises: the message of the library, and its hint."""

from __future__ import annotations


class OvertakeError(Exception):
    """What went wrong and, where there is one, what to do about it.

    Attributes
    ----------
    message, hint : str
        As the library wrote them; `hint` may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(OvertakeError, ValueError, TypeError):
    """A wrong argument: a name, a shape, a range.

    Both a ValueError and a TypeError, as scikit-learn's error about parameters is.
    """


class PlaceError(UsageError, IndexError):
    """A place outside of an axis: an IndexError, too."""


class DataError(OvertakeError, ValueError):
    """A file or data that cannot be used."""


class DeviceError(OvertakeError, RuntimeError):
    """A processor or its memory: missing, too small, failing."""


class InternalError(OvertakeError, RuntimeError):
    """A bug in Overtake."""


def kind_of(status: int, message: str) -> type[OvertakeError]:
    """The class of what a call reports."""
    kind = BY_STATUS.get(status, InternalError)
    return PlaceError if kind is UsageError and " is outside of " in message else kind


BY_STATUS: dict[int, type[OvertakeError]] = {2: UsageError, 3: DataError, 4: DeviceError, 5: InternalError}
