# SPDX-License-Identifier: MIT
"""What the computer has, can do, and where a GPU overtakes its CPU."""

from __future__ import annotations

import ctypes
import html
import json
import pathlib
from collections.abc import Iterable
from typing import Any

from ._calls import Observer, run, to_json
from ._library import library
from ._progress import bar


def version() -> str:
    """The library's version, "0.1.0"."""
    return str(library().raw.overtake_version().decode())


def threads() -> int:
    """Threads of the CPU that work uses."""
    return int(library().raw.overtake_threads())


def set_threads(count: int) -> None:
    """Let work that starts from now on use `count` threads in the whole process; 0: OVERTAKE_THREADS, or all cores."""
    library().check(library().raw.overtake_set_threads(count))


class Devices(list[dict[str, Any]]):
    """Processors as :func:`devices` lists them; a table in a notebook."""

    def _repr_html_(self) -> str:
        # Words would stand to the right in a notebook's table, and a long reason would make it as wide as it is.
        def line(tag: str, cells: Iterable[str]) -> str:
            *short, last = (html.escape(text) for text in cells)
            begin = "".join(f'<{tag} style="text-align:left">{text}</{tag}>' for text in short)
            return f'<tr>{begin}<{tag} style="text-align:left;white-space:normal">{last}</{tag}></tr>'

        head = line("th", ("device", "kind", "name", "driver", "memory", "usable"))
        return f"<table>{head}{''.join(line('td', _cells(device)) for device in self)}</table>"

    def __repr__(self) -> str:
        return "\n".join(f"{d['id']}: {d['name'] if d['usable'] else d.get('reason', '')}" for d in self)


def _cells(device: dict[str, Any]) -> tuple[str, ...]:
    memory = device.get("memory_bytes") or 0
    why_not = ". ".join(filter(None, (device.get("reason"), device.get("hint"))))
    return (
        device["id"],
        device.get("kind") or "",
        device.get("name") or "",
        device.get("driver") or "",
        f"{memory / 2**30:.1f} GiB" if memory else "",
        "yes" if device["usable"] else f"no: {why_not}",
    )


def devices() -> Devices:
    """Every processor, usable or not, with the reason and the cure where it is not. Opens the drivers."""
    return Devices(json.loads(library().text_of("overtake_devices")))


class Report(dict[str, Any]):
    """The figures of a race or a check-up (docs/cli.md has the schema), and their page, which needs no network.

    Attributes
    ----------
    html : str
        The page.
    """

    def __init__(self, figures: dict[str, Any], page: str) -> None:
        super().__init__(figures)
        self.html = page

    def save(self, path: str) -> None:
        """Write the page."""
        pathlib.Path(path).write_text(self.html, encoding="utf-8")

    def show(self, path: str) -> None:
        """Write the page and open it in the browser."""
        import webbrowser

        self.save(path)
        webbrowser.open(pathlib.Path(path).resolve().as_uri())

    def plot(self) -> Report:
        """The report itself, as the last expression of a notebook's cell: its page has the plots."""
        return self

    def _repr_html_(self) -> str:
        return framed(self.html)

    def __repr__(self) -> str:
        return f"<overtake.Report: {self.get('schema', '')}>"


def framed(page: str, height: int = 640) -> str:
    """A whole page as one element of another."""
    source = html.escape(page, quote=True)
    return f'<iframe srcdoc="{source}" style="width:100%;height:{height}px;border:0" sandbox="allow-scripts"></iframe>'


def _report(name: str, settings: dict[str, Any], observer: Observer | None) -> Report:
    raw = library().raw
    text, page = ctypes.c_void_p(), ctypes.c_void_p()
    told = to_json({key: value for key, value in settings.items() if value is not None})
    function = getattr(raw, name)
    run(lambda watch: function(told, ctypes.byref(watch), ctypes.byref(text), ctypes.byref(page)), observer)
    figures, shown = library().take_text(text), library().take_text(page)
    return Report(json.loads(figures), shown)


def doctor(
    devices: Iterable[str] | None = None, *, measure: bool | None = None, progress: bool | None = None
) -> Report:
    """Have each device do real work in a process of its own: findings with cause and cure, rates against peaks.

    Parameters
    ----------
    devices : names of devices or backends, default all
    measure : bool, optional
        Whether rates are measured.
    progress : bool, optional
        A bar while it runs; by default in notebooks only.
    """
    settings = {"devices": list(devices) if devices is not None else None, "measure": measure}
    with bar("doctor", progress) as observer:
        return _report("overtake_doctor", settings, observer)


def race(layers: Iterable[int] | None = None, *, progress: bool | None = None, **settings: Any) -> Report:
    """Train one network of growing size on every processor: the crossover, and a page.

    Parameters
    ----------
    layers : iterable of int, optional
        Sizes.
    progress : bool, optional
        A bar while it runs; by default in notebooks only.
    **settings
        "epochs", "batch", "samples", "devices", "repeat", "seed", "learning_rate", "memory_limit", "host_memory_limit",
        "budget_seconds": as of ``overtake race``, whose defaults hold.

    Returns
    -------
    Report
        Ctrl-C gives what was measured so far.
    """
    if layers is not None:
        settings["layers"] = list(layers)
    with bar("race", progress) as observer:
        return _report("overtake_race", settings, observer)
