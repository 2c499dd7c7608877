# SPDX-License-Identifier: MIT
"""Overtake: random forests and hyper-parameter searches on any processor.

``overtake.sklearn`` has scikit-learn's estimators; this module has what belongs to no estimator: the machine's processors,
model files, errors. Importing it loads no library and opens no driver.
"""

from ._errors import DataError, DeviceError, InternalError, OvertakeError, UsageError
from ._machine import Devices, Report, devices, doctor, race, set_threads, threads, version
from ._model import Model, load

__all__ = [
    "DataError",
    "DeviceError",
    "Devices",
    "InternalError",
    "Model",
    "OvertakeError",
    "Report",
    "UsageError",
    "devices",
    "doctor",
    "load",
    "race",
    "set_threads",
    "threads",
    "version",
]


def __getattr__(name: str) -> str:
    if name == "__version__":
        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
