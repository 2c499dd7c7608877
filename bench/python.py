#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a call from Python costs, beside scikit-learn in the same run: medians, one JSON object a line.

    OVERTAKE_LIBRARY=build/release/src/libovertake.so.0 PYTHONPATH=python/src .venv/python/bin/python bench/python.py
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import sklearn.ensemble
from sklearn.datasets import load_iris
from sklearn.model_selection import ParameterGrid, StratifiedKFold

import overtake.sklearn
from overtake._data import TrainingData
from overtake._search import search

X, Y = load_iris(return_X_y=True)
GRID = {"n_estimators": [50, 100, 200], "max_depth": [None, 3, 5, 10], "min_samples_split": [2, 5, 10], "criterion": ["gini", "entropy"]}
DIGITS = """
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
X, y = load_digits(return_X_y=True)
grid = {"n_estimators": [50, 100, 200], "max_depth": [None, 5, 10, 20], "min_samples_split": [2, 5]}
GridSearchCV(RandomForestClassifier(random_state=0), grid, cv=5, n_jobs=2).fit(X, y)
"""


def median(work, times):
    work()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def row(work, **seconds):
    print(json.dumps({"work": work, **{name: float(f"{value:.3g}") for name, value in seconds.items()}}), flush=True)


def fits_and_rows():
    ours = overtake.sklearn.RandomForestClassifier(device="cpu", random_state=0)
    theirs = sklearn.ensemble.RandomForestClassifier(random_state=0, n_jobs=2)
    row("fit, 100 trees, 150 x 4", overtake=median(lambda: ours.fit(X, Y), 50), sklearn=median(lambda: theirs.fit(X, Y), 5))
    one = X[:1].copy()
    row("predict one row, 100 trees", overtake=median(lambda: ours.predict(one), 1000), sklearn=median(lambda: theirs.predict(one), 20))


def iris_grid():
    folds = [tuple(part.astype(np.int32) for part in split) for split in StratifiedKFold(5).split(X, Y)]
    data = TrainingData(X, labels=Y, classes=3)
    candidates = list(ParameterGrid(GRID))
    settings = {"device": "cpu", "seed": 0}
    forest = overtake.sklearn.RandomForestClassifier(device="cpu", random_state=0)
    python = overtake.sklearn.GridSearchCV(forest, GRID, cv=5)
    within, calls = [], []
    for _ in range(15):  # alternately, so that both meet the same machine
        for taken, work in ((within, lambda: search(data, candidates, folds, settings)), (calls, lambda: python.fit(X, Y))):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    row("iris grid, 72 x 5", overtake=statistics.median(calls), library=statistics.median(within))


def digits_script():
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "digits.py"
        script.write_text(DIGITS)
        seconds = {}
        for name, how in (("overtake", ["-m", "overtake"]), ("sklearn", [])):
            begin = time.perf_counter()
            subprocess.run([sys.executable, *how, script], check=True, stderr=subprocess.DEVNULL)
            seconds[name] = time.perf_counter() - begin
    row("a script of the digits grid, 24 x 5, 2 jobs", **seconds)


if __name__ == "__main__":
    fits_and_rows()
    iris_grid()
    digits_script()
