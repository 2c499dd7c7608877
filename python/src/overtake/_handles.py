# SPDX-License-Identifier: MIT
"""Handles of networks (include/overtake/c_nn.h), and functions of ours that the library calls."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ._calls import to_json
from ._errors import UsageError
from ._library import library
from .arrays._array import Array

_CALLER_ERROR = 6


class Handle:
    """What a function of the library made; freed with this object."""

    __slots__ = ("_free", "_kind", "value")

    def __init__(self, kind: str, maker: str, *arguments: object) -> None:
        self.value, self._kind = 0, kind
        self._free = getattr(library().raw, f"overtake_{kind}_free")
        made = ctypes.c_void_p()
        check(getattr(library().raw, maker)(*arguments, ctypes.byref(made)))
        self.value = made.value or 0

    def __del__(self) -> None:
        if getattr(self, "value", 0):
            self._free(self.value)

    def __reduce__(self) -> NoReturn:
        """A copy would free it twice."""
        hint = " (state_dict() has what it knows)" if self._kind == "optimizer" else ""
        raise TypeError(f"the library's {self._kind} cannot be copied or pickled{hint}")


class _Failure(threading.local):
    error: BaseException | None = None


_failure = _Failure()


def called(work: Callable[[], None]) -> int:
    """Does what the library asked for; keeps an exception, which may not pass through it, for :func:`check`."""
    try:
        work()
    except BaseException as error:
        _failure.error = error
        return 1
    return 0


def check(status: int) -> None:
    """Raises what a call reports: of a function of ours that failed, its own exception."""
    if not status:
        return
    error, _failure.error = _failure.error, None
    if status == _CALLER_ERROR and error is not None:
        raise error
    raise library().error(status)


def array_from(function: str, *arguments: object) -> Array:
    """The array that the library's `function` makes of `arguments`."""
    made = ctypes.c_void_p()
    check(getattr(library().raw, function)(*arguments, ctypes.byref(made)))
    return Array(made.value or 0)


def shared(handle: Any) -> Array:
    """Another handle to an array that somebody else keeps."""
    return array_from("overtake_array_share", handle)


def given_out(array: Any, what: str) -> int:
    """A handle to a function's result, which the library takes over."""
    if not isinstance(array, Array):
        raise UsageError(f"{what} returned {type(array).__name__}, expected an overtake.Array")
    return shared(array._handle)._handle.released()


def settings(what: str, values: Mapping[str, object]) -> bytes:
    """`values` as JSON, of which NaN and infinity are no part."""
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"[{what}] {name} is {value}", "It must be a finite number.")
    return to_json(dict(values))


def handles_of(owners: list[Handle]) -> Any:
    """Their values as an array of C; `owners` must live as long as it is used."""
    return (ctypes.c_void_p * len(owners))(*(each.value for each in owners))
