# SPDX-License-Identifier: MIT
"""Times scikit-learn on the work of bench/forest_bench.cpp and writes the data of the large cases as NPY files.

    python3 bench/peers/forest_peers.py make DIR ROWS          X_ROWS.npy, y_ROWS.npy (28 features, 2 classes)
    python3 bench/peers/forest_peers.py search DATA.csv TARGET [JOBS]
    python3 bench/peers/forest_peers.py fit DIR ROWS TREES DEPTH [JOBS]
"""
import json
import sys
import time

import numpy as np


def make(folder, rows):
    """Two classes from 14 of 28 features by a noisy quadratic rule; fast to make at any size."""
    random = np.random.default_rng(0)
    inputs = np.empty((rows, 28), np.float32)
    for begin in range(0, rows, 1 << 20):
        part = inputs[begin:begin + (1 << 20)]
        part[:] = random.standard_normal(part.shape, np.float32)
    first, second = random.standard_normal((14, 6), np.float32), random.standard_normal(14).astype(np.float32)
    hidden = np.tanh(inputs[:, :14] @ first)
    score = hidden.prod(axis=1) * 4 + (hidden ** 2).sum(axis=1) * 0.4 + inputs[:, :14] @ second * 0.3
    score += 0.3 * random.standard_normal(rows, np.float32)
    labels = (score > np.median(score)).astype(np.int32)
    np.save(f"{folder}/X_{rows}.npy", inputs)
    np.save(f"{folder}/y_{rows}.npy", labels)


def search(path, target, jobs):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV
    lines = [line.strip().split(",") for line in open(path)]
    at = lines[0].index(target)
    inputs = np.array([[float(cell) for i, cell in enumerate(line) if i != at] for line in lines[1:]])
    labels = np.array([line[at] for line in lines[1:]])
    grid = dict(n_estimators=[50, 100, 200], max_depth=[None, 3, 5, 10], min_samples_split=[2, 5, 10],
                criterion=["gini", "entropy"])
    start = time.perf_counter()
    result = GridSearchCV(RandomForestClassifier(random_state=0), grid, cv=5, n_jobs=jobs).fit(inputs, labels)
    print(json.dumps({"case": path, "device": "scikit-learn", "jobs": jobs, "seconds": time.perf_counter() - start,
                      "best": result.best_score_}), flush=True)


def fit(folder, rows, trees, depth, jobs):
    from sklearn.ensemble import RandomForestClassifier
    inputs, labels = np.load(f"{folder}/X_{rows}.npy"), np.load(f"{folder}/y_{rows}.npy")
    start = time.perf_counter()
    forest = RandomForestClassifier(trees, max_depth=depth, n_jobs=jobs, random_state=0).fit(inputs, labels)
    seconds = time.perf_counter() - start
    some = min(rows, 100000)
    print(json.dumps({"case": f"fit {rows}x28", "device": "scikit-learn", "jobs": jobs, "seconds": seconds,
                      "accuracy": forest.score(inputs[:some], labels[:some])}), flush=True)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "make":
        make(rest[0], int(rest[1]))
    elif command == "search":
        search(rest[0], rest[1], int(rest[2]) if len(rest) > 2 else -1)
    else:
        fit(rest[0], int(rest[1]), int(rest[2]), int(rest[3]), int(rest[4]) if len(rest) > 4 else -1)
