# SPDX-License-Identifier: MIT
"""Arrays of NumPy as the library sees them: where they lie, without a copy where their layout allows."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._calls import to_json
from ._library import Matrix, library

Array = NDArray[Any]
_DTYPES = {np.dtype(np.float32): 0, np.dtype(np.float64): 1}


def is_plain(values: object) -> bool:
    """Whether `values` is an array that the library reads as it is: two dimensions of float32 or float64."""
    return type(values) is np.ndarray and values.ndim == 2 and values.dtype in _DTYPES


def matrix_of(values: Array) -> Matrix:
    """The place of an array for which is_plain() holds. The array must outlive the call that is given it."""
    rows, columns = values.shape
    row_stride, column_stride = values.strides
    return Matrix(values.ctypes.data, _DTYPES[values.dtype], rows, columns, row_stride, column_stride)


def as_plain(values: Any) -> Array:
    """`values` as an array for which is_plain() holds; copied only where it is none yet."""
    if is_plain(values):
        array: Array = values
        return array
    array = np.asarray(values)
    if array.dtype not in _DTYPES:
        array = array.astype(np.float64 if array.dtype.kind == "O" else np.float32)
    if array.ndim != 2:
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead")
    return array


def array_of(function: Any, *arguments: object) -> Array:
    """A copy of the doubles that `function` shows of what it was given."""
    values, count = ctypes.POINTER(ctypes.c_double)(), ctypes.c_int64()
    library().check(function(*arguments, ctypes.byref(values), ctypes.byref(count)))
    return np.ctypeslib.as_array(values, (count.value,)).copy() if count.value else np.empty(0)


class TrainingData:
    """Rows to train on, copied into the library.

    Parameters
    ----------
    inputs : ndarray of shape (rows, features)
        For which is_plain() holds; NaN: missing.
    labels, classes : ndarray of int32, int
        The class of each row, and how many classes there are.
    targets : ndarray of float64
        Numbers to learn, in place of labels.
    weights : ndarray of float32, optional
        How much each row counts.
    feature_names, class_names : sequence of str, optional
    categories : mapping of int to (sequence of str, bool), optional
        By feature: the texts that its numbers are places among, and whether their order says something.
    """

    def __init__(
        self,
        inputs: Array,
        *,
        labels: Array | None = None,
        classes: int = 0,
        targets: Array | None = None,
        weights: Array | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        categories: Mapping[int, tuple[Sequence[str], bool]] | None = None,
    ) -> None:
        loaded = library()
        raw, check = loaded.raw, loaded.check
        handle = ctypes.c_void_p()
        matrix = matrix_of(inputs)
        check(raw.overtake_data_new(ctypes.byref(matrix), ctypes.byref(handle)))
        self.handle = handle
        self._free = raw.overtake_data_free
        if labels is not None:
            labels = np.ascontiguousarray(labels, dtype=np.int32)
            check(raw.overtake_data_set_labels(handle, labels.ctypes.data, labels.size, classes))
        if targets is not None:
            targets = np.ascontiguousarray(targets, dtype=np.float64)
            check(raw.overtake_data_set_targets(handle, targets.ctypes.data, targets.size))
        if weights is not None:
            weights = np.ascontiguousarray(weights, dtype=np.float32)
            check(raw.overtake_data_set_weights(handle, weights.ctypes.data, weights.size))
        if feature_names is not None:
            check(raw.overtake_data_set_feature_names(handle, to_json(list(feature_names))))
        if class_names is not None:
            check(raw.overtake_data_set_class_names(handle, to_json(list(class_names))))

        for feature, (names, ordered) in (categories or {}).items():
            check(raw.overtake_data_set_categories(handle, feature, to_json(list(names)), int(ordered)))

    def categories(self) -> list[list[str] | None]:
        """Of each feature: the texts that the forest is given the places of; None: numbers."""
        found: list[list[str] | None] = json.loads(library().text_of("overtake_data_categories", self.handle))
        return found

    def __del__(self) -> None:
        if hasattr(self, "_free"):
            self._free(self.handle)
