# SPDX-License-Identifier: MIT
"""Trained models of the library."""

from __future__ import annotations

import ctypes
import functools
import html
import json
import os
from typing import Any

import numpy as np

from ._calls import Observer, run, to_json
from ._data import Array, TrainingData, array_of, as_plain, is_plain, matrix_of
from ._errors import UsageError
from ._library import Tree, library

# Walks of a row through a tree in one call: few enough that Ctrl-C between two calls is answered at once.
_WALKS = 1 << 19


def _bytes_of(path: str | os.PathLike[str]) -> bytes:
    place = os.fsencode(path)
    if b"\0" in place:
        raise ValueError("embedded null byte in the path")
    return place


class Model:
    """A trained model. It never changes, may be used by several threads, is pickled with all it holds.

    Models come from fitted estimators (``estimator.model_``), from searches, and from :func:`overtake.load`.
    """

    def __init__(self, handle: ctypes.c_void_p) -> None:
        loaded = library()
        self._handle = handle
        self._raw = loaded.raw
        self._free = loaded.raw.overtake_model_free

    def __del__(self) -> None:
        if hasattr(self, "_free"):
            self._free(self._handle)

    @functools.cached_property
    def description(self) -> dict[str, Any]:
        """What the model is: "kind", "task", "features", "outputs", "classes", of forests also "parameters", "trees", ..."""
        described: dict[str, Any] = json.loads(library().text_of("overtake_model_describe", self._handle))
        return described

    @functools.cached_property
    def _sizes(self) -> tuple[int, int, int]:
        """Features, outputs, rows that are predicted in one call."""
        described = self.description
        return described["features"], described["outputs"], max(1, _WALKS // (described.get("trees") or 1))

    def predict(self, inputs: Any) -> Array:
        """The share of each class, rows x classes; of a regressor rows x 1 numbers.

        Raises
        ------
        UsageError
            For inputs of another number of features.
        DataError
            For infinite numbers, and such that float32 does not hold.
        """
        return self._answers(self._raw.overtake_model_predict, inputs, self._sizes[1], np.float64)

    def predict_classes(self, inputs: Any) -> Array:
        """The number of the most likely class of each row, the first of equals."""
        return self._answers(self._raw.overtake_model_predict_classes, inputs, 0, np.int32)

    def apply(self, inputs: Any) -> Array:
        """The leaf that each row reaches in each tree of a forest, rows x trees."""
        return self._answers(self._raw.overtake_model_apply, inputs, self.description["trees"], np.int32)

    def _answers(self, function: Any, inputs: Any, columns: int, dtype: Any) -> Array:
        """What `function` answers: rows x `columns`, or one a row where that is 0."""
        array = inputs if is_plain(inputs) else as_plain(inputs)
        rows = len(array)
        answers = np.empty((rows, columns) if columns else rows, dtype)
        most = self._sizes[2]
        if rows <= most:
            status = function(self._handle, matrix_of(array), answers.ctypes.data, answers.size)
            if status:
                raise library().error(status)
            return answers
        for begin in range(0, rows, most):
            part, out = array[begin : begin + most], answers[begin : begin + most]
            library().check(function(self._handle, matrix_of(part), out.ctypes.data, out.size))
        return answers

    def array(self, name: str) -> Array:
        """A copy of "feature_importances" or "oob_prediction" of a forest."""
        return array_of(self._raw.overtake_forest_array, self._handle, name.encode())

    def drawn_rows(self, index: int, rows: int) -> Array:
        """The rows that a tree of a forest drew from `rows` training rows, as often as they were drawn."""
        count = ctypes.c_int64()
        library().check(self._raw.overtake_forest_draws(self._handle, rows, ctypes.byref(count)))
        drawn = np.empty(count.value, np.int32)
        library().check(self._raw.overtake_forest_drawn_rows(self._handle, index, rows, drawn.ctypes.data, drawn.size))
        return drawn

    def tree(self, index: int) -> dict[str, Array]:
        """The arrays of one tree of a forest by their names in overtake_tree, copied."""
        tree = Tree()
        library().check(self._raw.overtake_forest_tree(self._handle, index, ctypes.byref(tree)))
        arrays = {}
        for name, _ in Tree._fields_[1:]:
            shape = (tree.nodes, self._sizes[1]) if name == "value" else (tree.nodes,)
            arrays[name] = np.ctypeslib.as_array(getattr(tree, name), shape).copy()
        return arrays

    def export(self, index: int = 0, format: str = "text") -> str:
        """A tree of a forest as "text" or in Graphviz' language, "dot"."""
        return library().text_of("overtake_forest_export", self._handle, index, format.encode())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file, as ``overtake train --save`` does. It appears complete or not at all."""
        library().check(self._raw.overtake_model_save(self._handle, _bytes_of(path)))

    def __reduce__(self) -> tuple[Any, ...]:
        content = ctypes.c_void_p()
        library().check(self._raw.overtake_model_to_bytes(self._handle, ctypes.byref(content)))
        return _from_bytes, (library().take_bytes(content),)

    def __repr__(self) -> str:
        return f"<overtake.Model: {self.description['description']}>"

    def _repr_html_(self) -> str:
        shown = {
            name: value for name, value in self.description.items() if not isinstance(value, (list, dict, type(None)))
        }
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(str(value))}</td></tr>" for name, value in shown.items()
        )
        return f"<table>{rows}</table>"


def _from_bytes(content: bytes) -> Model:
    handle = ctypes.c_void_p()
    library().check(library().raw.overtake_model_from_bytes(content, len(content), ctypes.byref(handle)))
    return Model(handle)


def load_model(path: str | os.PathLike[str], device: str | None = None) -> Model:
    """Read a model file of :meth:`Model.save` or of the tool; networks compute on `device` (the CPU).

    Raises
    ------
    DataError
        Naming the file and what is wrong with it.
    """
    handle = ctypes.c_void_p()
    name = device.encode() if device else None
    library().check(library().raw.overtake_model_load(_bytes_of(path), name, ctypes.byref(handle)))
    return Model(handle)


def train_forest(
    kind: str,
    parameters: dict[str, Any],
    data: TrainingData,
    settings: dict[str, Any],
    earlier: Model | None = None,
    observer: Observer | None = None,
) -> Model:
    """Train a forest (overtake_forest_train); Ctrl-C raises KeyboardInterrupt within 0.2 s."""
    handle = ctypes.c_void_p()
    try:
        told, chosen = to_json(parameters), to_json(settings)
    except TypeError as error:
        raise UsageError(f"a parameter has a value of no known kind: {error}") from None
    function = library().raw.overtake_forest_train
    before = earlier._handle if earlier is not None else None
    interrupted = run(
        lambda watch: function(
            kind.encode(), told, data.handle, chosen, before, ctypes.byref(watch), ctypes.byref(handle), None
        ),
        observer,
    )
    model = Model(handle)
    if interrupted:
        raise KeyboardInterrupt
    return model
