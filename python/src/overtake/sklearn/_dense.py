# SPDX-License-Identifier: MIT
"""Tables of other libraries as arrays."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._errors import DeviceError


class TooLarge(DeviceError):
    """A sparse matrix that memory does not hold when it is dense."""


def _free_bytes() -> int | None:
    """Memory that the computer could still give, where the system tells."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def dense(values: Any) -> Any:
    """What scikit-learn can check: a sparse matrix as a dense one, of float32 unless it is of float64, where there is room; a
    table of Arrow's interface with the names of its columns; anything else as it is.

    Raises
    ------
    DeviceError
        Naming need and room of a sparse matrix, before memory is taken.
    """
    if not issparse(values):
        arrow = hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")
        if arrow and type(values).__module__.partition(".")[0] not in ("pandas", "polars"):
            return importlib.import_module("pyarrow").table(values)
        return values
    if values.dtype.kind not in "fiub":
        raise ValueError(f"a sparse matrix of {values.dtype} has no numbers; expected floating-point or whole numbers")
    kept = values if values.dtype == np.float64 else values.astype(np.float32)
    need, room = kept.shape[0] * kept.shape[1] * kept.dtype.itemsize, _free_bytes()
    if room is not None and need > room:
        raise TooLarge(
            f"the sparse matrix of {values.shape[0]} x {values.shape[1]} takes {need >> 20} MiB when dense, "
            f"and the computer has {room >> 20} MiB left",
            "Forests of Overtake read dense tables: choose fewer columns, or use scikit-learn's own class.",
        )
    return kept.toarray()
