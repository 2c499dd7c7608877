# SPDX-License-Identifier: MIT
"""The Trainer: a whole step of training as one compiled plan."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._calls import run
from ._errors import UsageError
from ._handles import called, check, settings
from ._library import OnEpoch, Training, library
from ._progress import bar
from .arrays import _dtypes
from .arrays._array import Array
from .arrays._creation import asarray
from .arrays._work import precision
from .nn._loss import Loss, LossModule
from .nn._module import Module
from .optim._optimizers import Optimizer
from .optim._schedules import Schedule


class EpochRecord(NamedTuple):
    """What is known of one epoch (counted from 1); figures that do not exist are NaN."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_error: float
    validation_loss: float
    validation_error: float


class Evaluation(NamedTuple):
    """Mean loss, and share of wrong answers (NaN where the loss counts none)."""

    loss: float
    error: float


@dataclass(frozen=True)
class FitReport:
    """What fit() did; overtake/nn/trainer.hpp says what each figure is."""

    epochs: list[EpochRecord]
    epochs_run: int
    resumed_epoch: int
    best_epoch: int
    weights_epoch: int
    mid_epoch: bool
    training: Evaluation
    validation: Evaluation
    stop_reason: str
    message: str
    first_bad_step: int
    seconds: dict[str, float]
    steps: int
    engine: str
    device: str
    parameters: int
    launches_per_step: int
    plan_bytes: int


def _number(value: Any) -> Any:
    return math.nan if value is None else value


def _report(text: str) -> FitReport:
    known: dict[str, Any] = json.loads(text)
    known["epochs"] = [EpochRecord(**{key: _number(value) for key, value in each.items()}) for each in known["epochs"]]
    for name in ("training", "validation"):
        known[name] = Evaluation(**{key: _number(value) for key, value in known[name].items()})
    return FitReport(**{name: known[name] for name in FitReport.__dataclass_fields__})


class Trainer:
    """Trains a model on the device it is on: data goes up once, and a step is one compiled plan.

    Parameters
    ----------
    model : Module
        Its forward() is called a few times, with arrays that hold no values yet, to see what a step is.
    loss : a loss of overtake.nn, overtake.nn.Loss, or a function of (output, target)
        A function gives one loss a row, or their mean.
    optimizer : Optimizer
        Any of overtake.optim but LBFGS, with parameters of the model.
    epochs, batch_size, shuffle, seed, ... :
        TrainerOptions of overtake/nn/trainer.hpp. A last smaller batch is trained on, too.
    validation_data : (inputs, targets)
        Instead of `validation_fraction`. With either, training ends with the weights of the best epoch (`restore_best`),
        and after `patience` epochs (0: never) without a loss lower by more than `min_delta`.
    precision : str, optional
        "fp32", "tf32" or "bf16": what products and convolutions are computed in; parameters, the optimiser's state and the
        loss stay float32. Unless given that of :class:`overtake.precision` round ``fit()``.
    accumulate : int, optional
        Parts in which a step computes its batch, whose gradients are added up: activations take the memory of a part.
    on_epoch : function of an EpochRecord
        Called after each epoch that is read back (`report_every`). It may set the optimiser's rate.
    progress : bool, optional
        A bar of tqdm; unless given, in notebooks.

    Raises
    ------
    UsageError, DataError, DeviceError
        For options out of range; those of fit(): shapes and types that do not fit, NaN in the data, labels outside of
        the classes; a precision that the device has no units for.
    """

    def __init__(
        self,
        model: Module,
        loss: Any,
        optimizer: Optimizer,
        *,
        epochs: int = 100,
        batch_size: int = 100,
        validation_data: tuple[Any, Any] | None = None,
        schedule: Schedule | None = None,
        on_epoch: Callable[[EpochRecord], Any] | None = None,
        progress: bool | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(model, Module):
            raise UsageError(f"[Trainer] the model is {type(model).__name__}, expected an overtake.nn.Module")
        if not isinstance(optimizer, Optimizer):
            raise UsageError(
                f"[Trainer] the optimizer is {type(optimizer).__name__}", "Expected one of overtake.optim: SGD(...)."
            )
        if not isinstance(loss, (LossModule, Loss)) and not callable(loss):
            raise UsageError(
                f"[Trainer] the loss is {type(loss).__name__}", "Expected one of overtake.nn or a function."
            )
        self.model, self.optimizer = model, optimizer
        self.loss: LossModule | Loss = loss if isinstance(loss, (LossModule, Loss)) else Loss(loss)
        self.report: FitReport | None = None
        self._validation, self._schedule = validation_data, schedule
        self._on_epoch, self._progress = on_epoch, progress
        self._precision: str | None = options.get("precision")
        self._settings = settings("Trainer", {"epochs": epochs, "batch_size": batch_size, **options})

    def fit(self, inputs: Any, targets: Any) -> FitReport:
        """Trains on (rows, features) inputs and (rows,) labels or targets of the output's shape.

        Arrays of ours or NumPy's; floating types become float32, labels int32. Ctrl-C raises KeyboardInterrupt once the step
        in progress has ended; the model then has the weights of the best epoch (with validation data) or those reached, and
        `trainer.report` says which.
        """
        data = self._data(inputs, targets)
        checked = self._data(*self._validation) if self._validation is not None else (None, None)
        handles = [None if each is None else each._handle for each in (*data, *checked)]
        schedule = None if self._schedule is None else self._schedule._json
        told = OnEpoch(self._tell) if self._on_epoch is not None else OnEpoch()
        training = Training(*handles, self._settings, schedule, told, None)
        loss = self.loss.loss_on(self.model.device)
        text = ctypes.c_void_p()

        def call(watch: Any) -> int:
            check(
                library().raw.overtake_train(
                    self.model._handle.value,
                    loss.value,
                    self.optimizer._handle.value,
                    ctypes.byref(training),
                    ctypes.byref(watch),
                    ctypes.byref(text),
                )
            )
            return 0

        with bar("Trainer", self._progress) as observer:
            interrupted = run(call, observer)
        self.report = _report(library().take_text(text))
        if interrupted:
            raise KeyboardInterrupt
        return self.report

    def evaluate(self, inputs: Any, targets: Any) -> Evaluation:
        """Mean loss and error in evaluation mode."""
        given = self._data(inputs, targets)
        function = self.loss.loss_on(self.model.device)
        loss, error = ctypes.c_double(), ctypes.c_double()
        with nullcontext() if self._precision is None else precision(self._precision):
            check(
                library().raw.overtake_evaluate(
                    self.model._handle.value,
                    function.value,
                    self.optimizer._handle.value,
                    given[0]._handle,
                    given[1]._handle,
                    ctypes.byref(loss),
                    ctypes.byref(error),
                )
            )
        return Evaluation(loss.value, error.value)

    def _data(self, inputs: Any, targets: Any) -> tuple[Array, Array]:
        kind = _dtypes.int32 if self.loss.error_rate == "class_error" else _dtypes.float32
        wanted = ((inputs, _dtypes.float32), (targets, kind))
        made = [(each if isinstance(each, Array) else asarray(each), dtype) for each, dtype in wanted]
        fitting = [
            each if each.dtype is dtype or not _goes(each, dtype) else each.astype(dtype) for each, dtype in made
        ]
        return fitting[0], fitting[1]

    def _tell(self, _context: Any, epoch: Any) -> int:
        def work() -> None:
            now = epoch.contents
            assert self._on_epoch is not None
            self._on_epoch(EpochRecord(*(getattr(now, name) for name in EpochRecord._fields)))

        return called(work)


def _goes(array: Array, dtype: _dtypes.DType) -> bool:
    """Whether converting loses nothing that matters: no halves become labels."""
    return dtype is _dtypes.float32 or array.dtype.kind != "real floating"
