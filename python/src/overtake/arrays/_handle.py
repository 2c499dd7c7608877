# SPDX-License-Identifier: MIT
"""Handles of arrays, freed by the last one who holds them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from .._library import library


class ArrayHandle(ctypes.c_void_p):
    """The library's handle of an array, with what is known of the array.

    Functions of the library take it as it is. ctypes holds its arguments until a call is over: neither an array that was made
    for one call only, nor one that another thread replaces meanwhile, is freed under it.
    """

    # Of the class at first: one is made for every call.
    described: Any = None
    owner: object = None  # who frees it in our place
    # What kernels are made for, and its extents as arguments, once one was asked for.
    kernel_key: int | None = None
    kernel_extents: list[ArrayHandle] | None = None

    def __del__(self) -> None:
        if self.owner is None and self.value:
            (_free or _freeing())(self.value)

    def released(self) -> int:
        """The bare handle, which is the caller's from now on."""
        address, self.value = self.value, None
        return address or 0


_free: Any = None  # found once: every array that goes calls it


def _freeing() -> Any:
    global _free  # noqa: PLW0603
    _free = library().raw.overtake_array_free
    return _free


_LISTS = [ctypes.c_void_p * count for count in range(17)]


def handles_of(handles: Sequence[ArrayHandle | None]) -> Any:
    """Handles as an array of C, which holds none of them: `handles` must live as long as it is used."""
    count = len(handles)
    return (_LISTS[count] if count < len(_LISTS) else ctypes.c_void_p * count)(*handles)
