# SPDX-License-Identifier: MIT
"""Learning rates that change: schedules for a Trainer, schedulers for loops by hand."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from .._handles import Handle, check, settings
from .._library import library
from ._optimizers import Optimizer


class Schedule:
    """The learning rate of each epoch as a formula (epochs count from 0). Made by its class methods."""

    def __init__(self, **members: Any) -> None:
        self._members = members
        self._json = settings("Schedule", members)
        self._text = library().text_of("overtake_schedule_text", self._json)  # checks it

    @classmethod
    def constant(cls) -> Schedule:
        """The same rate in every epoch."""
        return cls(kind="constant")

    @classmethod
    def step_lr(cls, step_size: int, gamma: float = 0.1) -> Schedule:
        """``base * gamma^(epoch // step_size)``."""
        return cls(kind="step", period=step_size, gamma=gamma)

    @classmethod
    def multi_step_lr(cls, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
        """``base * gamma^(milestones so far)``."""
        return cls(kind="multi_step", milestones=list(milestones), gamma=gamma)

    @classmethod
    def cosine_annealing_lr(cls, t_max: int, minimum: float = 0.0) -> Schedule:
        """``minimum + (base - minimum) (1 + cos(pi epoch / t_max)) / 2``."""
        return cls(kind="cosine", period=t_max, minimum=minimum)

    @classmethod
    def exponential_lr(cls, gamma: float) -> Schedule:
        """``base * gamma^epoch``."""
        return cls(kind="exponential", gamma=gamma)

    @classmethod
    def linear_lr(cls, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5) -> Schedule:
        """From ``base * start_factor`` to ``base * end_factor`` in total_iters epochs."""
        return cls(kind="linear", start_factor=start_factor, end_factor=end_factor, period=total_iters)

    def after_warmup(self, epochs: int, start: float = 1 / 3) -> Schedule:
        """The same schedule after a linear warm-up of some epochs, from ``base * start``."""
        return Schedule(**{**self._members, "warmup_epochs": epochs, "warmup_factor": start})

    def at(self, base: float, epoch: int) -> float:
        """The rate of an epoch."""
        rate = ctypes.c_double()
        check(library().raw.overtake_schedule_at(self._json, float(base), epoch, ctypes.byref(rate)))
        return rate.value

    def __repr__(self) -> str:
        return self._text


class LRScheduler:
    """Follows a Schedule in a loop by hand: call step() once after each epoch."""

    def __init__(self, optimizer: Optimizer, schedule: Schedule) -> None:
        self.optimizer, self.schedule = optimizer, schedule
        self._handle = Handle("scheduler", "overtake_scheduler_new", optimizer._handle.value, schedule._json)

    def step(self) -> None:
        """Goes on to the next epoch and sets its rate."""
        check(library().raw.overtake_scheduler_step(self._handle.value, 0.0))

    @property
    def last_lr(self) -> float:
        """The rate as it was set last."""
        return self.optimizer.lr

    @property
    def last_epoch(self) -> int:
        """The epoch whose rate is set, from 0."""
        epoch = ctypes.c_int64()
        check(library().raw.overtake_scheduler_now(self._handle.value, ctypes.byref(epoch), None))
        return epoch.value


class StepLR(LRScheduler):
    """``LRScheduler(optimizer, Schedule.step_lr(...))``, by PyTorch's name, as those below."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        super().__init__(optimizer, Schedule.step_lr(step_size, gamma))


class MultiStepLR(LRScheduler):
    """``Schedule.multi_step_lr``."""

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        super().__init__(optimizer, Schedule.multi_step_lr(milestones, gamma))


class CosineAnnealingLR(LRScheduler):
    """``Schedule.cosine_annealing_lr``."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        super().__init__(optimizer, Schedule.cosine_annealing_lr(T_max, eta_min))


class ExponentialLR(LRScheduler):
    """``Schedule.exponential_lr``."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        super().__init__(optimizer, Schedule.exponential_lr(gamma))


class LinearLR(LRScheduler):
    """``Schedule.linear_lr``."""

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
    ) -> None:
        super().__init__(optimizer, Schedule.linear_lr(start_factor, end_factor, total_iters))


class ReduceLROnPlateau:
    """Lowers the rate when a metric has stopped improving: call ``step(metric)`` after each epoch."""

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        *,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        values = {"mode": mode, "factor": factor, "patience": patience, "threshold": threshold}
        values |= {"threshold_mode": threshold_mode, "cooldown": cooldown, "min_lr": min_lr, "eps": eps}
        told = settings("ReduceLROnPlateau", values)
        self.optimizer = optimizer
        self._handle = Handle("scheduler", "overtake_plateau_new", optimizer._handle.value, told)

    def step(self, metric: Any) -> None:
        """Takes the metric of an epoch, a validation loss say, and lowers the rate if it is time."""
        check(library().raw.overtake_scheduler_step(self._handle.value, float(metric)))

    @property
    def last_lr(self) -> float:
        """The rate as it was set last."""
        return self.optimizer.lr

    @property
    def best(self) -> float:
        """The best metric so far; infinite before the first."""
        best = ctypes.c_double()
        check(library().raw.overtake_scheduler_now(self._handle.value, None, ctypes.byref(best)))
        return best.value
