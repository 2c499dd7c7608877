# SPDX-License-Identifier: MIT
"""Limits on gradients, between backward() and an optimiser's step()."""

from __future__ import annotations

from collections.abc import Iterable

from .._handles import array_from, check, handles_of
from .._library import library
from ..arrays._array import Array
from ._parameter import Parameter


def clip_grad_norm(parameters: Iterable[Parameter], max_norm: float, norm_type: float = 2.0) -> Array:
    """Scales all gradients so that together, as one vector, they are no longer than max_norm; returns the norm before."""
    owners = [each._owner for each in parameters]
    return array_from("overtake_clip_grad_norm", handles_of(owners), len(owners), float(max_norm), float(norm_type))


def clip_grad_value(parameters: Iterable[Parameter], clip_value: float) -> None:
    """Brings every value of the gradients into [-clip_value, clip_value]."""
    owners = [each._owner for each in parameters]
    check(library().raw.overtake_clip_grad_value(handles_of(owners), len(owners), float(clip_value)))
