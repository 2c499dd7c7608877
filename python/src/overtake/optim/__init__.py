# SPDX-License-Identifier: MIT
"""Optimisers, schedules and schedulers with PyTorch's names (overtake/optim.hpp)."""

from . import lr_scheduler
from ._optimizers import LBFGS, SGD, Adam, AdamW, Optimizer, RMSprop
from ._schedules import LRScheduler, ReduceLROnPlateau, Schedule

__all__ = [
    "LBFGS",
    "SGD",
    "Adam",
    "AdamW",
    "LRScheduler",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "Schedule",
    "lr_scheduler",
]
