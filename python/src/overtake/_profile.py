# SPDX-License-Identifier: MIT
"""What a block of code launches and copies."""

from __future__ import annotations

import ctypes
import json
import os
from dataclasses import dataclass

from ._library import library
from ._owned import Uncopied

_MICRO = 1e-6


@dataclass(frozen=True)
class ProfileEntry:
    """A launch or a copy: ``kind`` is "launch", "upload" or "download"; times in seconds, ``start`` after the block began."""

    kind: str
    device: str
    name: str
    start: float
    seconds: float
    bytes_read: int
    bytes_written: int
    flops: float


class profile(Uncopied):
    """``with overtake.profile() as p: ...`` then ``print(p)`` and ``p.write_trace("trace.json")``.

    Launches run one after the other in the block, in the whole process, and each is timed: on CUDA by events, elsewhere by
    the host's clock. So the block takes longer than without. Arrays are computed where they are read or given to
    :func:`overtake.eval`: what the block leaves for later is not in it.
    """

    def __init__(self) -> None:
        self._handle = 0

    def __enter__(self) -> profile:
        handle = ctypes.c_void_p()
        self._free()
        library().check(library().raw.overtake_profile_new(ctypes.byref(handle)))
        self._handle = handle.value or 0
        return self

    def __exit__(self, *_: object) -> None:
        library().check(library().raw.overtake_profile_stop(self._handle))

    def _free(self) -> None:
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle:
            library().raw.overtake_profile_free(handle)

    def __del__(self) -> None:
        self._free()

    def _entered(self) -> int:
        if not self._handle:
            raise RuntimeError("nothing was profiled yet: use it as `with overtake.profile() as p:`")
        return self._handle

    def __str__(self) -> str:
        return library().text_of("overtake_profile_text", self._entered())

    def trace(self) -> str:
        """Every entry in the format of Chrome's tracing, as text."""
        return library().text_of("overtake_profile_trace", self._entered())

    def write_trace(self, path: str | os.PathLike[str]) -> None:
        """Write that to a file, for chrome://tracing or Perfetto."""
        library().check(library().raw.overtake_profile_write_trace(self._entered(), os.fsencode(path)))

    @property
    def entries(self) -> list[ProfileEntry]:
        """Launches and copies in the order in which they ended."""
        events = json.loads(self.trace())["traceEvents"]
        devices = {event["pid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
        return [
            ProfileEntry(
                event["cat"],
                devices[event["pid"]],
                event["name"],
                event["ts"] * _MICRO,
                event["dur"] * _MICRO,
                event["args"]["bytes_read"],
                event["args"]["bytes_written"],
                event["args"]["flops"],
            )
            for event in events
            if event["ph"] == "X"
        ]
