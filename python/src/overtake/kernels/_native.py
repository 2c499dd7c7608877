# SPDX-License-Identifier: MIT
"""The C interface of kernels (include/overtake/c_kernel.h): the only module that calls it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from .._errors import InternalError, UsageError
from .._library import Library, library
from ..arrays._array import Array
from ..arrays._handle import ArrayHandle, handles_of


def _library() -> Library:
    found = library()
    if not hasattr(found.raw, "overtake_kernel_call"):
        raise InternalError(
            "this library has no kernels", "Install the library of the same version as the Python package."
        )
    return found


def _encoded(text: str) -> bytes:
    """For C, where a NUL would end it."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise UsageError("a text of a kernel has half of a surrogate pair, which is no character") from None
    if b"\0" in encoded:
        raise UsageError("a text of a kernel has a NUL in it, where it would end", "Leave \\0 out of the text.")
    return encoded


class Kernel:
    """A kernel of the library, made by one of its functions; compiled for a device at its first call there."""

    __slots__ = ("_call", "_free", "_launch", "_output_handles", "_raw", "handle")

    def __init__(self, make: str, texts: Sequence[str], outputs: int, debug: bool, time_limit: float) -> None:
        self.handle, made = 0, ctypes.c_void_p()
        lib = _library()
        strings = [_encoded(each) for each in texts]
        lib.check(getattr(lib.raw, make)(*strings, int(bool(debug)), time_limit, ctypes.byref(made)))
        self.handle = made.value or 0
        self._raw, self._free = lib.raw, lib.raw.overtake_kernel_free
        self._call, self._launch = lib.raw.overtake_kernel_call, lib.raw.overtake_kernel_launch
        self._output_handles = ctypes.c_void_p * outputs

    def __del__(self) -> None:
        handle, self.handle = getattr(self, "handle", 0), 0
        if handle:
            self._free(handle)

    def call(self, inputs: Sequence[Array], device: bytes | None) -> Array | list[Array]:
        """The result of an element-wise one, or a list of several."""
        outputs = self._output_handles()
        given = [each._handle for each in inputs]  # which hold them until the call is over
        status = self._call(self.handle, handles_of(given), len(given), device, outputs)
        if status:
            library().check(status)
        if len(outputs) == 1:
            return Array(outputs[0] or 0)
        return [Array(each or 0) for each in outputs]

    def launch(
        self,
        groups: ctypes.Array[ctypes.c_int64],
        size: ctypes.Array[ctypes.c_int32],
        arguments: Sequence[ArrayHandle],
        device: bytes | None,
    ) -> None:
        """Runs one in groups; arrays that it writes to get their new values."""
        status = self._launch(self.handle, groups, size, handles_of(arguments), len(arguments), device)
        if status:
            library().check(status)

    def reduce(self, inputs: Sequence[Array], axes: Sequence[int] | None, keepdims: bool) -> Array:
        """The result of a reduction; over all axes where none are named."""
        made = ctypes.c_void_p()
        handles = handles_of([each._handle for each in inputs])
        listed = (ctypes.c_int32 * len(axes or ()))(*(axes or ()))
        count = -1 if axes is None else len(axes)
        library().check(
            self._raw.overtake_kernel_reduce(
                self.handle, handles, len(inputs), listed, count, int(keepdims), ctypes.byref(made)
            )
        )
        return Array(made.value or 0)

    def source(self, device: str) -> str:
        """The whole text as the device's compiler gets it."""
        return library().text_of("overtake_kernel_source", self.handle, device.encode())
