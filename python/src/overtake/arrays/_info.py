# SPDX-License-Identifier: MIT
"""What the namespace can do (the standard's __array_namespace_info__)."""

from __future__ import annotations

from typing import Any

from .._errors import DeviceError
from . import _dtypes
from ._creation import get_default_device, zeros


def _works(device: str) -> bool:
    try:
        zeros(1, device=device).eval()
    except DeviceError:
        return False
    return True


class Info:
    """Answers about the array library."""

    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 8}

    def default_device(self) -> str:
        return get_default_device()

    def default_dtypes(self, *, device: Any = None) -> dict[str, _dtypes.DType]:
        return {"real floating": _dtypes.float32, "integral": _dtypes.int64, "indexing": _dtypes.int64}

    def devices(self) -> list[str]:
        """Those that hold arrays: each is opened, as some drivers are only then found to be bad."""
        import overtake

        return [each["id"] for each in overtake.devices() if each["usable"] and _works(each["id"])]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, _dtypes.DType]:
        named = [each for each in _dtypes.ALL if each not in (_dtypes.float16, _dtypes.bfloat16)]  # the standard's
        return {each.name: each for each in named if kind is None or _dtypes.is_of_kind(each, kind)}
