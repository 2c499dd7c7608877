# SPDX-License-Identifier: MIT
"""Searches of the library: every candidate on every fold, as one batch."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._calls import Observer, run, to_json
from ._data import Array, TrainingData, array_of
from ._library import Folds, library
from ._model import Model


class SearchResult:
    """What a search found. Pickled, it keeps its figures and its page."""

    def __init__(self, handle: ctypes.c_void_p, candidates: int, folds: int) -> None:
        self._handle = handle
        self._raw = library().raw
        self._free = library().raw.overtake_search_result_free
        self.shape = (candidates, folds)

    def __del__(self) -> None:
        if hasattr(self, "_free"):
            self._free(self._handle)

    def figures(self) -> dict[str, Any]:
        """The schema "overtake.search/1" (docs/cli.md)."""
        found: dict[str, Any] = json.loads(library().text_of("overtake_search_json", self._handle))
        return found

    def html(self, title: str = "") -> str:
        """The report as one page that needs no network."""
        return library().text_of("overtake_search_html", self._handle, title.encode())

    def scores(self, metric: str, of_training: bool = False) -> Array:
        """Candidates x folds; NaN where there is none."""
        found = array_of(self._raw.overtake_search_scores, self._handle, metric.encode(), int(of_training))
        return found.reshape(self.shape)

    def predictions(self, candidate: int, fold: int, of_training: bool = False) -> Array:
        """What a candidate predicted of the rows of a fold, flat, in ascending order of the rows; empty: nothing was kept."""
        return array_of(self._raw.overtake_search_predictions, self._handle, candidate, fold, int(of_training))

    def best(self) -> Model:
        """The best candidate, trained on all rows."""
        handle = ctypes.c_void_p()
        library().check(self._raw.overtake_search_best(self._handle, ctypes.byref(handle)))
        return Model(handle)

    def __reduce__(self) -> tuple[Any, ...]:
        return KeptResult, (self.figures(), self.html())


class KeptResult:
    """What a pickle keeps of a SearchResult."""

    def __init__(self, figures: dict[str, Any], page: str) -> None:
        self._figures, self._page = figures, page

    def figures(self) -> dict[str, Any]:
        """As of SearchResult."""
        return self._figures

    def html(self, title: str = "") -> str:
        """As of SearchResult."""
        return self._page


def _starts(parts: Sequence[Array]) -> Array:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def search(
    data: TrainingData,
    candidates: Sequence[dict[str, Any]],
    folds: Sequence[tuple[Array, Array]],
    settings: dict[str, Any],
    observer: Observer | None = None,
) -> tuple[SearchResult, bool]:
    """Search (overtake_search).

    Parameters
    ----------
    folds : sequence of (train, test)
        Row indices of each fold, int32 and ascending.

    Returns
    -------
    SearchResult, bool
        What was found, and whether Ctrl-C ended the search before all was scored.
    """
    function = library().raw.overtake_search
    train, test = [fold[0] for fold in folds], [fold[1] for fold in folds]
    arrays = (np.concatenate(train), _starts(train), np.concatenate(test), _starts(test))
    given = Folds(len(folds), *(array.ctypes.data for array in arrays))
    handle = ctypes.c_void_p()
    listed, chosen = to_json(list(candidates)), to_json(settings)
    interrupted = run(
        lambda watch: function(
            data.handle, listed, ctypes.byref(given), chosen, ctypes.byref(watch), ctypes.byref(handle)
        ),
        observer,
    )
    return SearchResult(handle, len(candidates), len(folds)), interrupted
