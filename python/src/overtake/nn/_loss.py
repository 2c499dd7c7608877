# SPDX-License-Identifier: MIT
"""Losses: functions of outputs and targets, and modules that remember their settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._errors import UsageError
from .._handles import Handle, array_from, called, given_out, settings, shared
from .._library import LossFunction
from ..arrays import _dtypes
from ..arrays._array import Array
from ..arrays._creation import asarray
from ._module import Module

_NONE = "none"


def _given(value: Any, beside: Array, name: str) -> Array | None:
    """A weight as an array where the output is."""
    if value is None or isinstance(value, Array):
        return value
    if isinstance(value, (str, bytes)):
        raise UsageError(f"{name} is {value!r}, expected an array")
    return asarray(value, dtype=_dtypes.float32, device=beside.device)


class LossModule(Module):
    """A loss of the library with its settings; call it with outputs and targets, or give it to a Trainer."""

    _name = ""
    error_rate = _NONE

    def __init__(self, weight: Any, pos_weight: Any, **values: Any) -> None:
        self.reduction = values.get("reduction", "mean")
        self._weights = (weight, pos_weight)
        self._is_weighted = weight is not None or pos_weight is not None
        self._settings = settings(type(self).__name__, values)
        self._made: tuple[str, Handle] | None = None
        self.loss_on("cpu")  # checks the settings

    def loss_on(self, device: str) -> Handle:
        """The library's loss, with weights on a device."""
        if self._made is None or (self._is_weighted and self._made[0] != device):
            weights = [None if each is None else asarray(each, device=device) for each in self._weights]
            weights = [each if each is None else each.astype(_dtypes.float32) for each in weights]
            handles = [None if each is None else each._handle for each in weights]
            made = Handle("loss", "overtake_loss_new", self._name.encode(), self._settings, *handles)
            self._made = (device, made)
        return self._made[1]

    def forward(self, output: Array, target: Array, sample_weight: Any = None) -> Array:
        """The loss, lazily. `sample_weight`: how much each row counts."""
        if not isinstance(output, Array) or not isinstance(target, Array):
            wrong = target if isinstance(output, Array) else output
            raise UsageError(
                f"[{type(self).__name__}] expects overtake.Array, got {type(wrong).__name__}",
                "overtake.asarray() makes one.",
            )
        loss = self.loss_on(output.device if self._is_weighted else "")
        rows = None if sample_weight is None else _given(sample_weight, output, "sample_weight")
        target = self._fitting(output, target)
        rows_handle = None if rows is None else rows._handle
        return array_from("overtake_loss_call", loss.value, output._handle, target._handle, rows_handle)

    def _fitting(self, output: Array, target: Array) -> Array:
        return target

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state["own"]["_made"] = None
        weights = (None if each is None else asarray(each).numpy() for each in self._weights)
        state["own"]["_weights"] = tuple(weights)
        return state


class CrossEntropyLoss(LossModule):
    """-log softmax(output)[target]: outputs (rows, classes) float32, targets (rows,) whole numbers, or probabilities.

    `weight`: of each class. `ignore_index`: rows of this label count for nothing; None: there are none. Other labels that are
    no class are an IndexError on the cpu, elsewhere their rows are NaN. See overtake/nn/loss.hpp for what `mean` divides by.
    """

    _name = "cross_entropy"
    error_rate = "class_error"

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int | None = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        if not 0 <= label_smoothing < 1:
            raise UsageError(f"[CrossEntropyLoss] label_smoothing is {label_smoothing}, expected a number in [0, 1)")
        values = {"reduction": reduction, "label_smoothing": label_smoothing, "ignore_index": ignore_index}
        super().__init__(weight, None, **values)

    def _fitting(self, output: Array, target: Array) -> Array:
        whole = target.dtype is not _dtypes.int32 and "integer" in target.dtype.kind
        return target.astype(_dtypes.int32) if whole else target


class MSELoss(LossModule):
    """(output - target)^2. float32 of one shape; `weight`: of each element."""

    _name = "mse"

    def __init__(self, reduction: str = "mean", weight: Any = None) -> None:
        super().__init__(weight, None, reduction=reduction)


class L1Loss(LossModule):
    """|output - target|."""

    _name = "l1"

    def __init__(self, reduction: str = "mean", weight: Any = None) -> None:
        super().__init__(weight, None, reduction=reduction)


class HuberLoss(LossModule):
    """d^2/2 where |d| <= delta, else delta (|d| - delta/2), with d = output - target."""

    _name = "huber"

    def __init__(self, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> None:
        super().__init__(weight, None, reduction=reduction, delta=delta)


class SmoothL1Loss(LossModule):
    """HuberLoss(delta=beta) / beta; L1Loss for beta = 0."""

    _name = "smooth_l1"

    def __init__(self, reduction: str = "mean", beta: float = 1.0, weight: Any = None) -> None:
        super().__init__(weight, None, reduction=reduction, beta=beta)


class BCEWithLogitsLoss(LossModule):
    """-t log s(x) - (1-t) log(1 - s(x)) with the sigmoid s, without overflow; targets in [0, 1].

    `weight`: of each element; `pos_weight`: of the first term.
    """

    _name = "binary_cross_entropy_with_logits"
    error_rate = "binary_error"

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, pos_weight, reduction=reduction)


class Loss:
    """A loss of one's own for a Trainer: ``function(output, target)`` gives one loss a row, or their mean.

    `error_rate`: "class_error" (targets are int32 labels) or "binary_error" count wrong answers, too.
    """

    def __init__(self, function: Callable[[Array, Array], Array], name: str = "loss", error_rate: str = _NONE) -> None:
        self.function, self.name, self.error_rate = function, name, error_rate

        def losses(_context: Any, output: int, target: int, result: Any) -> int:
            def work() -> None:
                value = function(shared(output), shared(target))
                result[0] = given_out(value, f"the loss {name}")

            return called(work)

        self._called = LossFunction(losses)
        values = {"name": name, "error_rate": error_rate}
        self._loss = Handle("loss", "overtake_loss_of_function", self._called, None, settings("Loss", values))

    def loss_on(self, device: str) -> Handle:
        """The library's loss."""
        return self._loss

    def __call__(self, output: Array, target: Array) -> Array:
        """What the function gives."""
        return self.function(output, target)


def cross_entropy(output: Array, target: Array, *, sample_weight: Any = None, **options: Any) -> Array:
    """``CrossEntropyLoss(**options)(output, target, sample_weight)``."""
    return CrossEntropyLoss(**options).forward(output, target, sample_weight)


def mse_loss(output: Array, target: Array, *, sample_weight: Any = None, **options: Any) -> Array:
    """``MSELoss(**options)(output, target, sample_weight)``."""
    return MSELoss(**options).forward(output, target, sample_weight)


def l1_loss(output: Array, target: Array, *, sample_weight: Any = None, **options: Any) -> Array:
    """``L1Loss(**options)(output, target, sample_weight)``."""
    return L1Loss(**options).forward(output, target, sample_weight)


def huber_loss(output: Array, target: Array, *, sample_weight: Any = None, **options: Any) -> Array:
    """``HuberLoss(**options)(output, target, sample_weight)``."""
    return HuberLoss(**options).forward(output, target, sample_weight)


def smooth_l1_loss(output: Array, target: Array, *, sample_weight: Any = None, **options: Any) -> Array:
    """``SmoothL1Loss(**options)(output, target, sample_weight)``."""
    return SmoothL1Loss(**options).forward(output, target, sample_weight)


def binary_cross_entropy_with_logits(
    output: Array, target: Array, *, sample_weight: Any = None, **options: Any
) -> Array:
    """``BCEWithLogitsLoss(**options)(output, target, sample_weight)``."""
    return BCEWithLogitsLoss(**options).forward(output, target, sample_weight)
