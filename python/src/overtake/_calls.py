# SPDX-License-Identifier: MIT
"""Long calls: told how far they are, stopped by Ctrl-C; the threads they use."""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ._library import OnProgress, Progress, Watch, library


class Step(NamedTuple):
    """How far long work is."""

    done: int
    total: int
    seconds: float
    seconds_left: float
    best_score: float
    what: str


# Seconds after which the thread that waits looks for signals: some libraries (polars) let no signal wake it.
_GLANCE = 0.05

Observer = Callable[[Step], None]


def to_json(value: object) -> bytes:
    """`value` as the library reads it; numbers of NumPy are as good as Python's."""
    return json.dumps(value, default=_plain).encode()


def _plain(value: Any) -> object:
    if hasattr(value, "tolist"):  # scalars and arrays of NumPy
        return value.tolist()
    raise TypeError(f"{value!r} is neither a number, a text, true, false nor none")


class _Watched:
    """What a call is given: the means to stop it, and who is told of its progress."""

    def __init__(self, observer: Observer | None) -> None:
        self._raw = library().raw
        self._stop = ctypes.c_void_p()
        library().check(self._raw.overtake_stop_new(ctypes.byref(self._stop)))
        self._observer = observer
        self.failure: BaseException | None = None
        told = OnProgress(self._tell) if observer else OnProgress()
        self.watch = Watch(self._stop, told, None)

    def _tell(self, _context: object, progress: Any) -> None:
        if self.failure is not None:
            return
        now: Progress = progress.contents
        what = (now.what or b"").decode(errors="replace")
        try:
            assert self._observer is not None
            self._observer(Step(now.done, now.total, now.seconds, now.seconds_left, now.best_score, what))
        except BaseException as error:  # it may not pass through the library
            self.failure = error
            self.request_stop()

    def request_stop(self) -> None:
        self._raw.overtake_stop_request(self._stop)

    def close(self) -> None:
        self._raw.overtake_stop_free(self._stop)


def run(call: Callable[[Any], int], observer: Observer | None = None) -> bool:
    """Make a long call, `call(watch)`, which returns a status.

    Python handles signals on the main thread between two steps of Python, so there the call is made on another thread while
    the main one waits: Ctrl-C stops the work at once.

    Returns
    -------
    bool
        True where Ctrl-C stopped the work; the call has ended with what there is then.

    Raises
    ------
    OvertakeError
        What the call reports.
    BaseException
        What `observer`, or a handler of a signal, raised.
    """
    watched = _Watched(observer)
    try:
        if threading.current_thread() is not threading.main_thread():
            library().check(call(watched.watch))
            interrupted = False
        else:
            interrupted = _run_beside(call, watched)
    finally:
        watched.close()
    if watched.failure is not None and not isinstance(watched.failure, KeyboardInterrupt):
        raise watched.failure
    return interrupted or watched.failure is not None


def _run_beside(call: Callable[[Any], int], watched: _Watched) -> bool:
    errors: list[BaseException] = []
    ended = _thread.allocate_lock()
    ended.acquire()
    count, precision = _threads_here(), set_precision(None)

    def work() -> None:
        try:
            if count:
                _set_threads_here(count)
            set_precision(precision)
            library().check(call(watched.watch))
        except BaseException as error:  # raised again on the thread that waits
            errors.append(error)
        finally:
            ended.release()

    raised: BaseException | None = None
    _thread.start_new_thread(work, ())
    while True:
        try:
            while not ended.acquire(timeout=_GLANCE):
                pass
            break
        except BaseException as error:  # a handler of a signal raised it: the work must end before anything is freed
            raised = raised or error
            watched.request_stop()
    if raised is not None and not isinstance(raised, KeyboardInterrupt):
        raise raised
    if errors and raised is None:
        raise errors[0]
    if errors:
        raise KeyboardInterrupt from errors[0]
    return raised is not None


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Let calls of this thread within use `count` threads of the CPU (0: what the process has; None: as it stands)."""
    if count is None:
        yield
        return
    before = _threads_here()
    _set_threads_here(count)
    try:
        yield
    finally:
        _set_threads_here(before)


_here = threading.local()


def _threads_here() -> int:
    count: int = getattr(_here, "count", 0)
    return count


def _set_threads_here(count: int) -> None:
    """For this thread of Python alone: other threads' calls keep theirs."""
    library().check(library().raw.overtake_set_threads_here(count))
    _here.count = count


def set_precision(name: bytes | None) -> bytes:
    """Sets the precision of this thread (None leaves it); the one until now."""
    before = ctypes.c_char_p()
    library().check(library().raw.overtake_set_precision(name, ctypes.byref(before)))
    return before.value or b""
