# SPDX-License-Identifier: MIT
"""What only kernels know: names for their authors, which raise an error anywhere else."""

from __future__ import annotations

from typing import Any, NoReturn

from ._errors import KernelError


def _elsewhere(name: str) -> NoReturn:
    raise KernelError(
        f"{name}() was called outside of a kernel",
        "It belongs in a function that is decorated with overtake.jit, which is launched as function[groups, size](...).",
    )


def local_id(axis: int = 0) -> int:
    """The place of this work-item in its group along an axis."""
    _elsewhere("local_id")


def group_id(axis: int = 0) -> int:
    """The place of this work-item's group along an axis."""
    _elsewhere("group_id")


def local_size(axis: int = 0) -> int:
    """How many work-items a group has along an axis."""
    _elsewhere("local_size")


def num_groups(axis: int = 0) -> int:
    """How many groups there are along an axis."""
    _elsewhere("num_groups")


def global_id(axis: int = 0) -> int:
    """The place of this work-item among all along an axis: ``group_id(axis) * local_size(axis) + local_id(axis)``."""
    _elsewhere("global_id")


def global_size(axis: int = 0) -> int:
    """How many work-items there are along an axis."""
    _elsewhere("global_size")


def shared(dtype: Any, shape: int | tuple[int, ...]) -> Any:
    """Memory that the work-items of a group share; what is in it at first is not defined.

    It is made at the top of a kernel, not in a branch or a loop; its shape is known when the kernel is compiled.
    """
    _elsewhere("shared")


def sync() -> None:
    """A barrier: all work-items of the group come here before one goes on, and see what the others wrote.

    It stands at the top of a kernel or in the body of a loop, never in a branch or after an early return.
    """
    _elsewhere("sync")


def atomic_add(array: Any, index: Any, value: Any) -> Any:
    """Adds to an element of an int32 array, or of a float32 array that is not shared, undivided; gives the old value.

    The order of arrival decides how float32 sums are rounded.
    """
    _elsewhere("atomic_add")


def atomic_min(array: Any, index: Any, value: Any) -> Any:
    """Keeps the smaller of an element of an int32 array and a value; gives the old one."""
    _elsewhere("atomic_min")


def atomic_max(array: Any, index: Any, value: Any) -> Any:
    """Keeps the larger of an element of an int32 array and a value; gives the old one."""
    _elsewhere("atomic_max")


def uniform(seed: Any, counter: Any) -> Any:
    """A random float32 in [0, 1), a function of its two whole numbers alone (Philox): that of
    ``overtake.random.uniform((n,), seed=seed)[counter]``.
    """
    _elsewhere("kernels.uniform")
