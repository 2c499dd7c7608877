# SPDX-License-Identifier: MIT
"""When work is done, and without gradients."""

from __future__ import annotations

from typing import Any

from .._calls import set_precision
from .._library import library
from ._arguments import array_of
from ._handle import handles_of


def eval(*arrays: Any) -> None:
    """Computes arrays in one plan, without waiting for a GPU."""
    held = [array_of(each, "eval")._handle for each in arrays]  # until the call is over
    library().check(library().raw.overtake_array_eval(handles_of(held), len(held)))


def synchronize(device: str = "cpu") -> None:
    """Waits until a device has finished everything that was asked of it."""
    library().check(library().raw.overtake_synchronize(str(device).encode()))


class no_grad:
    """``with overtake.no_grad():`` arrays made inside do not require gradients."""

    def __enter__(self) -> None:
        library().check(library().raw.overtake_array_no_grad(1))

    def __exit__(self, *exception: object) -> None:
        library().check(library().raw.overtake_array_no_grad(-1))


class precision:
    """``with overtake.precision("bf16"):`` products, convolutions and layers written down inside are of that precision.

    "fp32": true float32, the default. "tf32": operands may be rounded to 10 bits of mantissa where the device has units
    for that. "bf16": operands are rounded to bfloat16 and added up in float32; parameters stay float32. Of this thread
    alone; a Trainer's ``fit()`` inside trains so.
    """

    def __init__(self, name: str) -> None:
        self._name, self._before = str(name), list[bytes]()

    def __enter__(self) -> None:
        self._before.append(set_precision(self._name.encode()))

    def __exit__(self, *exception: object) -> None:
        set_precision(self._before.pop())
