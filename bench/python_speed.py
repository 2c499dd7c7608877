#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a call from Python costs, beside scikit-learn in the same process.

    bench/record.py OUT.json bench/python_speed.py [--repeat 30]

Needs overtake-ml and scikit-learn. A line of JSON a case: medians of both in seconds, and how
many times faster. Searches run where overtake.sklearn has them.
"""
import argparse
import json
import statistics
import time

import numpy as np
import overtake.sklearn as ours
import sklearn.ensemble as theirs
import sklearn.model_selection as selection
from sklearn.datasets import load_digits, load_iris

IRIS = load_iris(return_X_y=True)
DIGITS = load_digits(return_X_y=True)
IRIS_GRID = {"n_estimators": [50, 100, 200], "max_depth": [None, 3, 5, 10], "criterion": ["gini", "entropy"],
             "max_features": ["sqrt", "log2", None]}
DIGITS_GRID = {"n_estimators": [50, 100], "max_depth": [None, 5, 10], "max_features": ["sqrt", "log2"]}


def median(work, repeat, seconds=20):
    """Of at most `repeat` calls behind one that warms up, for about `seconds`."""
    work()
    times = []
    end = time.perf_counter() + seconds
    while len(times) < repeat and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def row_of(classifier):
    forest = classifier(n_estimators=100, random_state=0).fit(*IRIS)
    row = np.ascontiguousarray(IRIS[0][70:71])
    return lambda: forest.predict(row)


def search_of(module, classifier, grid, data):
    return lambda: module.GridSearchCV(classifier(random_state=0), grid, cv=5, n_jobs=-1).fit(*data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=30)
    repeat = parser.parse_args().repeat
    fit = lambda classifier: lambda: classifier(n_estimators=100, random_state=0, n_jobs=-1).fit(*IRIS)
    cases = [
        ("fit 100 trees on 150 x 4", fit(ours.RandomForestClassifier), fit(theirs.RandomForestClassifier)),
        ("predict one row, 100 trees", row_of(ours.RandomForestClassifier), row_of(theirs.RandomForestClassifier)),
    ]
    if hasattr(ours, "GridSearchCV"):
        for name, grid, data in (("iris grid, 72 x 5", IRIS_GRID, IRIS), ("digits grid, 12 x 5", DIGITS_GRID, DIGITS)):
            cases.append((name, search_of(ours, ours.RandomForestClassifier, grid, data),
                          search_of(selection, theirs.RandomForestClassifier, grid, data)))
    for name, own, other in cases:
        seconds, sklearn_seconds = median(own, repeat), median(other, repeat)
        print(json.dumps({"case": name, "overtake": seconds, "scikit-learn": sklearn_seconds,
                          "times": sklearn_seconds / seconds}), flush=True)


if __name__ == "__main__":
    main()
