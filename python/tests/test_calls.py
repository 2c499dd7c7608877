# SPDX-License-Identifier: MIT
"""Threads, Ctrl-C, what small calls leave out."""

import os
import signal
import subprocess
import sys
import threading
import time

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris, make_classification

import overtake
from overtake import _calls, _data, _model
from overtake._calls import Step
from overtake._data import TrainingData
from overtake._model import train_forest
from overtake.sklearn import RandomForestClassifier, _forests
from overtake.sklearn._threads import threads_of

X, Y = load_iris(return_X_y=True)
LARGE = make_classification(20000, 40, random_state=0)


def interrupt_after(seconds):
    sent = []

    def send():
        sent.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(seconds, send)
    timer.start()
    return timer, sent


def seconds_to_answer(work):
    timer, sent = interrupt_after(0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        return time.perf_counter() - sent[0]
    finally:
        timer.cancel()
        timer.join()


def test_ctrl_c_stops_a_fit():
    forest = RandomForestClassifier(n_estimators=100000, device="cpu")
    assert seconds_to_answer(lambda: forest.fit(*LARGE)) < 0.2
    assert not hasattr(forest, "model_")


def test_ctrl_c_stops_predictions():
    forest = RandomForestClassifier(n_estimators=300, device="cpu").fit(*LARGE)
    rows = np.tile(LARGE[0].astype(np.float32), (30, 1))
    assert seconds_to_answer(lambda: forest.predict(rows)) < 0.5


def test_other_handlers_of_signals_are_heard():
    def handler(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(TimeoutError):
            RandomForestClassifier(n_estimators=100000, device="cpu").fit(*LARGE)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_observer_is_told_and_may_end_the_work():
    steps = []

    def tell(step):
        steps.append(step)
        if len(steps) == 3:
            raise LookupError

    data = TrainingData(X, labels=Y, classes=3)
    with pytest.raises(LookupError):
        train_forest("random-forest", {"n_estimators": 2000}, data, {"device": "cpu"}, observer=tell)
    assert len(steps) == 3 and isinstance(steps[0], Step) and steps[2].total == 2000


def test_python_goes_on_while_the_library_works():
    counted = []
    running = threading.Event()

    def count():
        while not running.is_set():
            counted.append(0)
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    RandomForestClassifier(n_estimators=30, device="cpu").fit(*LARGE)
    running.set()
    thread.join()
    assert len(counted) > 20


def test_many_threads_of_python_at_once():
    forest = RandomForestClassifier(n_estimators=20, random_state=0).fit(X, Y)
    expected = forest.predict_proba(X)
    wrong = []

    def work(seed):
        for _ in range(20):
            again = RandomForestClassifier(n_estimators=20, random_state=0, n_jobs=1 + seed % 2).fit(X, Y)
            if not (
                np.array_equal(again.predict_proba(X), expected) and np.array_equal(forest.predict_proba(X), expected)
            ):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_n_jobs_are_threads():
    assert threads_of(None) is None
    assert threads_of(3) == 3
    assert threads_of(-1) == 0
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(threads_of)(n) for n in (None, 2)) == [1, 2]
    assert joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(threads_of)(n) for n in (None, 2)) == [1, 2]
    before = overtake.threads()
    used = {}

    def at_work(count):
        with _calls.threads(count):
            barrier.wait()
            used[count] = overtake.threads()
            barrier.wait()

    barrier = threading.Barrier(3)
    workers = [threading.Thread(target=at_work, args=(count,)) for count in (1, 3)]
    for worker in workers:
        worker.start()
    barrier.wait()
    assert overtake.threads() == before  # other threads of Python keep theirs
    barrier.wait()
    for worker in workers:
        worker.join()
    assert used == {1: 1, 3: 3}
    with _calls.threads(1), _calls.threads(2):
        _calls.run(lambda _: used.setdefault("long", overtake.threads()) and 0)
    assert used["long"] == 2
    RandomForestClassifier(n_estimators=2, n_jobs=1).fit(X, Y)
    assert overtake.threads() == before
    with pytest.raises(ValueError, match="n_jobs == 0"):
        RandomForestClassifier(n_jobs=0).fit(X, Y)


def test_workers_of_joblib_fit_and_predict():
    def work(seed):
        return RandomForestClassifier(n_estimators=5, random_state=seed).fit(X, Y).predict(X)

    for answers, seed in zip(
        joblib.Parallel(n_jobs=2)(joblib.delayed(work)(s) for s in range(4)), range(4), strict=True
    ):
        np.testing.assert_array_equal(answers, work(seed))


def test_small_predictions_copy_nothing_and_start_no_thread(monkeypatch):
    """What makes them cheap; bench/python.py measures."""
    forest = RandomForestClassifier(n_estimators=100, device="cpu").fit(X, Y)
    rows = X[::2, ::-1]  # no layout of NumPy's own: its place and strides are enough
    forest.predict(rows)
    given = []

    def matrix_of(array):
        given.append(array)
        return _data.matrix_of(array)

    def no_thread(*_):
        raise AssertionError("a thread")

    monkeypatch.setattr(_model, "matrix_of", matrix_of)
    monkeypatch.setattr(_calls._thread, "start_new_thread", no_thread)
    before = set(os.listdir("/proc/self/task"))
    forest.predict(rows)
    forest.predict_proba(rows)
    assert set(os.listdir("/proc/self/task")) <= before
    assert len(given) == 2 and all(array is rows for array in given)
    place = _data.matrix_of(rows)
    assert (place.data, place.row_stride, place.column_stride) == (rows.ctypes.data, *rows.strides)


def test_a_small_fit_checks_plain_arrays_once(monkeypatch):
    """The library looks at every number itself."""

    def no_check(*_, **__):
        raise AssertionError("scikit-learn's checks")

    monkeypatch.setattr(_forests, "validate_data", no_check)
    RandomForestClassifier(n_estimators=2, device="cpu").fit(X, Y)
    with pytest.raises(AssertionError):
        RandomForestClassifier(n_estimators=2, device="cpu").fit(X.tolist(), Y)


INTERRUPTED = """
import os, signal, sys, threading, time
import overtake as ot
x = ot.random.uniform((1 << 22,)).eval()
y = x
for _ in range(400):
    y = ot.sin(y) * 1.01
at = [0.0]
def kill():
    time.sleep(0.3)
    at[0] = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
thread = threading.Thread(target=kill)
thread.start()
try:
    y.eval()
except KeyboardInterrupt:
    seconds = time.monotonic() - at[0]
else:
    sys.exit("not interrupted")
thread.join()
assert seconds < 2, seconds
assert (x + 1)[:2].shape == (2,) and float((x[:2] * 0 + 1).sum()) == 2
seen = []
def handler(*_):
    try:
        seen.append(float(ot.ones(3).sum()))
    except ot.UsageError as error:
        seen.append(error)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.2)
(y[: 1 << 20] + 1).eval()
assert len(seen) == 1, seen
"""


def test_ctrl_c_ends_a_computation():
    subprocess.run([sys.executable, "-c", INTERRUPTED], check=True, timeout=200)
