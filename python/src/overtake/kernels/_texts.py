# SPDX-License-Identifier: MIT
"""Kernels written in the dialect's C (docs/kernels.md), by CuPy's names: ElementwiseKernel, ReductionKernel, RawKernel."""

from __future__ import annotations

import ctypes
import operator
import re
from collections.abc import Sequence
from typing import Any

import numpy

from .._errors import UsageError
from ..arrays._arguments import operand_of
from ..arrays._array import Array
from ..arrays._creation import get_default_device
from ._given import seconds_of, sizes_of
from ._native import Kernel


def _device_for(values: Sequence[Any], given: Sequence[Array]) -> bytes | None:
    """Numbers alone go to the default device."""
    is_somewhere = any(isinstance(each, Array) for each in values) or any(each.ndim for each in given)
    return None if is_somewhere else str(get_default_device()).encode()


def _declared(parameters: str) -> list[str]:
    """The declarations of a list, which may have C's comments."""
    return re.sub(r"//[^\n]*|/\*.*?(\*/|\Z)", " ", parameters, flags=re.DOTALL).split(",")


class _Texts:
    """What the three kinds share."""

    _kernel: Kernel

    def __init__(self, name: str) -> None:
        self.name = name

    def source(self, device: Any = None) -> str:
        """The text that was compiled last for a device (the default one)."""
        return self._kernel.source(str(device or get_default_device()))

    def print_source(self, device: Any = None) -> None:
        """Prints it."""
        print(self.source(device))

    def _given(self, values: Sequence[Any]) -> list[Array]:
        return [
            operand_of(each.item() if isinstance(each, numpy.generic) else each, self.name, f"argument {i}")
            for i, each in enumerate(values)
        ]


class ElementwiseKernel(_Texts):
    """One value per element, of arrays that broadcast: ``ElementwiseKernel("float32 x", "float32 y", "y = x * x;", "square")``.

    Types: bool, int8 to int64, uint8 to uint64, float32, float64; a capital letter is the type of the arrays given for it;
    ``raw float32 table`` a whole array. The body assigns the outputs, and knows ``i`` and ``size``. Errors name the kernel and
    the line. ``debug``: places outside of raw arrays are found; ``time_limit``: seconds in loops, 0 for any.
    """

    def __init__(
        self,
        inputs: str,
        outputs: str,
        body: str,
        name: str = "kernel",
        *,
        preamble: str = "",
        debug: bool = False,
        time_limit: float | None = None,
    ) -> None:
        super().__init__(name)
        self._count = len(_declared(outputs))
        texts = (inputs, outputs, body, name, preamble)
        self._kernel = Kernel("overtake_kernel_elementwise", texts, self._count, debug, seconds_of(time_limit))

    def __call__(self, *inputs: Any) -> Any:
        """An array, or a tuple of them where there are several outputs. Does not wait."""
        given = self._given(inputs)
        results = self._kernel.call(given, _device_for(inputs, given))
        return results if self._count == 1 else tuple(results)


class ReductionKernel(_Texts):
    """Elements mapped, then joined: ``ReductionKernel("T x", "T y", "x * x", "a + b", "y = sqrt(a)", "0", "l2")``.

    ``map_expr`` of the inputs, ``reduce_expr`` of ``a`` and ``b``, ``post_map_expr`` assigns the output from ``a``, ``identity`` is
    what that gets of no elements, and is joined to none. The order is the same on every device.
    """

    def __init__(  # noqa: PLR0913 -- CuPy's parameters
        self,
        inputs: str,
        output: str,
        map_expr: str,
        reduce_expr: str,
        post_map_expr: str,
        identity: str,
        name: str = "reduction",
        *,
        preamble: str = "",
        debug: bool = False,
        time_limit: float | None = None,
    ) -> None:
        super().__init__(name)
        texts = (inputs, output, map_expr, reduce_expr, post_map_expr, identity, name, preamble)
        self._kernel = Kernel("overtake_kernel_reduction", texts, 1, debug, seconds_of(time_limit))

    def __call__(self, *inputs: Any, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """The reduction over ``axis``: all of them, one, or several."""
        named = axis if isinstance(axis, Sequence) else [axis]
        axes = None if axis is None else [operator.index(each) for each in named if each is not None]
        return self._kernel.reduce(self._given(inputs), axes, keepdims)


class RawKernel(_Texts):
    """The dialect itself: groups, LOCAL memory, SYNC, atomics. ``kernel[groups, size](x, out)`` launches it.

    Parameters: ``"const float32* x, int32* counts, int64 n"``; arrays that are not const get a new value, as by assignment.
    """

    def __init__(
        self,
        parameters: str,
        body: str,
        name: str = "kernel",
        *,
        preamble: str = "",
        debug: bool = False,
        time_limit: float | None = None,
    ) -> None:
        super().__init__(name)
        self._written = [
            i for i, each in enumerate(_declared(parameters)) if "*" in each and "const" not in each.split()
        ]
        self._kernel = Kernel(
            "overtake_kernel_raw", (parameters, body, name, preamble), 0, debug, seconds_of(time_limit)
        )

    def __getitem__(self, sizes: tuple[Any, Any]) -> Any:
        """``kernel[groups, size]``: numbers, or tuples of up to three."""
        groups = (ctypes.c_int64 * 3)(*sizes_of(sizes[0], "groups", least=0))
        size = (ctypes.c_int32 * 3)(*sizes_of(sizes[1], "size"))

        def launch(*arguments: Any) -> None:
            for i in self._written:
                if i < len(arguments) and not isinstance(arguments[i], Array):
                    raise UsageError(
                        f"[{self.name}] writes argument {i}, which is of type {type(arguments[i]).__name__}",
                        "What it writes is an array of overtake: out = overtake.asarray(x).",
                    )
            given = self._given(arguments)
            handles = [each._handle for each in given]
            self._kernel.launch(groups, size, handles, _device_for(arguments, given))

        return launch
