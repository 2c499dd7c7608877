# SPDX-License-Identifier: MIT
"""What calls of vectorize and jit are given: numbers, sizes, objects of methods."""

from __future__ import annotations

import functools
import math
import operator
import re
from typing import TYPE_CHECKING, Any

import numpy

from .._errors import UsageError
from ..arrays._array import Array
from ..arrays._dtypes import DType
from ..arrays._scalars import require_fit, scalar
from ._errors import KernelError
from ._source import Source
from ._types import holds, is_float

if TYPE_CHECKING:
    from ._functions import KernelFunction


class Method:
    """A decorated method of an object, which may not be called."""

    def __init__(self, function: KernelFunction, owner: str) -> None:
        self._what = f"{function.__name__}() is a method of {owner}, and methods are no kernels"  # type: ignore[attr-defined]

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        raise KernelError(self._what, "Make it a function of the module, and give it the numbers of self as arguments.")

    __getitem__ = __call__


def check_limit(source: Source, place: int, value: int, dtype: DType) -> None:
    """OverflowError where a plain int does not fit what the function makes of it."""
    if not is_float(dtype):
        require_fit(source.name, value, dtype)
    elif not holds(dtype, value):
        raise OverflowError(f"[{source.name}] {source.parameters[place]} becomes {dtype}, which cannot hold {value}")


def placed(error: UsageError, source: Source, name: str) -> UsageError:
    """What went wrong in a kernel that is called `name` in C, with the function's own name and the file of its line."""
    head = f"[{name}]"
    if not error.message.startswith(head):
        return error
    rest = error.message.removeprefix(head)
    line = re.match(r" line ([0-9]+)", rest)
    if line is not None and source.tree.lineno <= int(line[1]) <= (source.tree.end_lineno or 0):
        rest = f"{line[0]} of {source.file}{rest[line.end() :]}"
    return type(error)(f"[{source.name}]{rest}", error.hint)


@functools.lru_cache(maxsize=4096, typed=True)
def kept(value: Any) -> Array:
    """A number as an argument, kept: calls in a loop have the same ones."""
    return scalar(value)


def number(value: Any) -> Array:
    """A number as an argument."""
    return kept(value) if value else scalar(value)  # 0.0 and -0.0 are one key


def plain(given: Any) -> Any:
    """NumPy's numbers, and subclasses of Python's, as Python's."""
    given = given.item() if isinstance(given, numpy.generic) else given
    return next((kind(given) for kind in (bool, int, float) if isinstance(given, kind)), given)


def seconds_of(time_limit: Any) -> float:
    """A time limit; 0 for none."""
    if time_limit is None:
        return 0.0
    if not isinstance(time_limit, (int, float, numpy.number)):
        raise UsageError(f"time_limit: {time_limit!r} is no number", "Give seconds, or None for no limit.")
    try:
        return float(time_limit)
    except OverflowError:
        return math.inf if time_limit > 0 else -math.inf


def sizes_of(given: Any, what: str, least: int = 1) -> tuple[int, int, int]:
    """Groups (none where an array is empty), or work-items of a group, along three axes."""
    sizes = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    sizes = tuple(operator.index(each) if hasattr(each, "__index__") else -1 for each in sizes)
    if not 1 <= len(sizes) <= 3 or min(sizes) < least:
        raise KernelError(f"{what}: {given!r} is no size", f"Give a number from {least} on, or a tuple of up to three.")
    one, two, three = (*sizes, 1, 1)[:3]
    return one, two, three
