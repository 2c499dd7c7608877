# SPDX-License-Identifier: MIT
"""Kernels from the author's own Python: ``overtake.vectorize`` and ``overtake.jit`` (docs/python-kernels.md)."""

from ._errors import KernelError, KernelSyntaxError
from ._functions import Jit, KernelFunction, Launch, Vectorized, jit, vectorize
from ._markers import (
    atomic_add,
    atomic_max,
    atomic_min,
    global_id,
    global_size,
    group_id,
    local_id,
    local_size,
    num_groups,
    shared,
    sync,
    uniform,
)
from ._texts import ElementwiseKernel, RawKernel, ReductionKernel

__all__ = [
    "ElementwiseKernel",
    "Jit",
    "KernelError",
    "KernelFunction",
    "KernelSyntaxError",
    "Launch",
    "RawKernel",
    "ReductionKernel",
    "Vectorized",
    "atomic_add",
    "atomic_max",
    "atomic_min",
    "global_id",
    "global_size",
    "group_id",
    "jit",
    "local_id",
    "local_size",
    "num_groups",
    "shared",
    "sync",
    "uniform",
    "vectorize",
]
