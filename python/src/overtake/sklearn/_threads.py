# SPDX-License-Identifier: MIT
"""n_jobs: threads of the CPU."""

from __future__ import annotations

import numbers
import sys

import joblib
from joblib.parallel import get_active_backend

from .._errors import UsageError


def _in_worker() -> bool:
    """Whether somebody else already divides the cores: a worker of joblib or of Dask."""
    backend, _ = get_active_backend()
    if backend.nesting_level:
        return True
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


def threads_of(n_jobs: int | None) -> int | None:
    """What n_jobs asks for; None: nothing is changed, which means all cores, but one in a worker of joblib or Dask."""
    if n_jobs is None:
        return 1 if _in_worker() else None
    if not isinstance(n_jobs, numbers.Integral):
        raise UsageError(f"n_jobs: {n_jobs!r} is not accepted; expected None or a whole number other than 0")
    if n_jobs > 0:
        return int(n_jobs)
    if n_jobs == -1:
        return 0
    return int(joblib.effective_n_jobs(n_jobs))
