# SPDX-License-Identifier: MIT
"""Progress of long work as a bar of tqdm, where that is installed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import math
import sys
from collections.abc import Iterator
from typing import Any

from ._calls import Observer, Step


def in_notebook() -> bool:
    """Whether this runs in a cell of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


@contextlib.contextmanager
def bar(name: str, wanted: bool | None = None) -> Iterator[Observer | None]:
    """Who is told of progress: a bar, or nobody where none is wanted (None: wanted in notebooks) or tqdm is missing."""
    if not (in_notebook() if wanted is None else wanted):
        yield None
        return
    # Without ipywidgets tqdm.auto warns, and draws where a notebook shows errors.
    plain = in_notebook() and importlib.util.find_spec("ipywidgets") is None
    try:
        if plain:
            from tqdm import tqdm
        else:
            from tqdm.auto import tqdm
    except ImportError:
        yield None
        return
    place = {"file": _Output(), "ncols": 80} if plain else {}
    with tqdm(desc=name, unit="", leave=wanted is True, **place) as shown:

        def tell(step: Step) -> None:
            _show(shown, step)

        yield tell


class _Output:
    """An output of a cell that a line of text is written to again and again, as tqdm writes to a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        display: Any = importlib.import_module("IPython.display").display
        self._shown = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str) -> None:
        line = text.strip()
        if line or text.startswith("\r"):  # the rest ends a line
            self._shown.update({"text/plain": line}, raw=True)

    def flush(self) -> None:
        pass


def _show(shown: Any, step: Step) -> None:
    shown.total = step.total or None
    figures = {}
    if not math.isnan(step.best_score):
        figures["best"] = f"{step.best_score:.4f}"
    if not math.isnan(step.seconds_left):
        figures["left"] = f"{step.seconds_left:.0f} s"
    shown.set_postfix(figures, refresh=False)
    shown.update(step.done - shown.n)  # draws no more often than eyes follow
