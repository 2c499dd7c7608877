# SPDX-License-Identifier: MIT
"""Functions that kernels know: those of overtake, numpy, math and Python, by the objects that they are."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

from . import _markers

# Of floats: C's function of the same name, in every dialect.
FLOAT_ONE = frozenset(
    ("sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh",
     "tanh", "asinh", "acosh", "atanh", "erf")
)  # fmt: skip
FLOAT_TWO = frozenset(["atan2", "hypot", "copysign", "nextafter", "fmod"])
# Of floats and whole numbers, which they leave as they are.
ROUNDING = {"floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint"}
# Operators that have a name.
OPERATOR_NAMES = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "floor_divide": "//", "remainder": "%", "power": "**",
    "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^", "bitwise_left_shift": "<<", "bitwise_right_shift": ">>",
    "equal": "==", "not_equal": "!=", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
}  # fmt: skip
# How many arguments the rest takes.
OTHERS = {
    "abs": 1, "fabs": 1, "sign": 1, "square": 1, "reciprocal": 1, "negative": 1, "positive": 1, "sigmoid": 1, "relu": 1,
    "silu": 1, "gelu": 1, "exp2": 1, "radians": 1, "degrees": 1, "isnan": 1, "isinf": 1, "isfinite": 1, "signbit": 1,
    "bitwise_invert": 1, "logical_not": 1, "logical_and": 2, "logical_or": 2, "logical_xor": 2, "maximum": 2,
    "minimum": 2, "logaddexp": 2, "where": 3, "clip": 3, "whole_floor": 1, "whole_ceil": 1, "whole_trunc": 1,
    "whole_round": 1, "uniform": 2,
}  # fmt: skip
IDS = frozenset(["local_id", "group_id", "local_size", "num_groups", "global_id", "global_size"])
ATOMICS = frozenset(["atomic_add", "atomic_min", "atomic_max"])

_OURS = [*FLOAT_ONE, *ROUNDING, *OPERATOR_NAMES, "atan2", "hypot", "copysign", "nextafter"]
_OURS += [
    each for each in OTHERS if each not in ("fabs", "exp2", "radians", "degrees", "uniform") and "whole" not in each
]
_NUMPY = {
    "absolute": "abs", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "true_divide": "divide", "mod": "remainder", "float_power": "power",
    "rint": "round", "invert": "bitwise_invert", "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift", "deg2rad": "radians", "rad2deg": "degrees", "fmod": "fmod",
}  # fmt: skip
_MATH = {
    "floor": "whole_floor", "ceil": "whole_ceil", "trunc": "whole_trunc", "pow": "power", "fabs": "fabs", "fmod": "fmod",
    "atan2": "atan2", "hypot": "hypot", "copysign": "copysign", "nextafter": "nextafter", "isnan": "isnan",
    "isinf": "isinf", "isfinite": "isfinite", "radians": "radians", "degrees": "degrees", "exp2": "exp2",
}  # fmt: skip
_PYTHON = {
    "abs": "abs",
    "pow": "power",
    "round": "whole_round",
    "min": "min",
    "max": "max",
    "len": "len",
    "range": "range",
}


@functools.cache
def _table() -> dict[int, str]:
    import overtake

    found: dict[int, str] = {id(getattr(builtins, python)): ours for python, ours in _PYTHON.items()}
    for name in _OURS:
        found[id(getattr(overtake, "pow" if name == "power" else name))] = name
    for name, ours in [*_MATH.items(), *((each, each) for each in FLOAT_ONE)]:
        if hasattr(math, name):
            found[id(getattr(math, name))] = ours
    for name in (*IDS, *ATOMICS, "sync", "shared", "uniform"):
        found[id(getattr(_markers, name))] = name
    return found | _numpy_table()


def _numpy_table() -> dict[int, str]:
    import numpy

    found: dict[int, str] = {}
    for name in (*_OURS, *_NUMPY):
        function = getattr(numpy, name, None)
        if isinstance(function, numpy.ufunc) or name in ("where", "clip", "round"):
            found[id(function)] = _NUMPY.get(name, name)
    return found


def known(function: Any) -> str | None:
    """The name under which kernels know a function; None where they do not."""
    return _table().get(id(function))


def names_of_overtake() -> list[str]:
    """For errors: what there is."""
    return sorted([*_OURS, *IDS, *ATOMICS, "sync", "shared"])


_FOLDED: dict[str, Callable[..., Any]] = {
    name: getattr(math, name) for name in (*FLOAT_ONE, *FLOAT_TWO) if hasattr(math, name)
} | {"abs": abs, "fabs": math.fabs, "min": min, "max": max, "whole_floor": math.floor, "whole_ceil": math.ceil,
     "whole_trunc": math.trunc, "whole_round": round, "radians": math.radians, "degrees": math.degrees}  # fmt: skip


def folded(name: str) -> Callable[..., Any] | None:
    """The function of Python that computes a call on plain numbers while compiling."""
    return _FOLDED.get(name)
