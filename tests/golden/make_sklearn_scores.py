# SPDX-License-Identifier: MIT
"""Writes sklearn_scores.json and sets/*.csv: what scikit-learn's forests score, and its single trees node by node.

    python make_sklearn_scores.py            # needs scikit-learn and numpy

The inputs are rounded to float32 before anything is trained, so that both see the same numbers. A set's file has the
features first, the answer last; an empty cell is a missing value. digits are in datasets/digits.csv.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.ensemble import (ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

HERE = pathlib.Path(__file__).parent
TREES = 50


def data_sets():
    """name -> (inputs, answers); classes are whole numbers."""
    sets = {name: getattr(datasets, "load_" + name)(return_X_y=True)
            for name in ("iris", "wine", "breast_cancer", "digits")}
    sets["diabetes"] = datasets.load_diabetes(return_X_y=True, scaled=False)
    sets["friedman"] = datasets.make_friedman1(400, 10, noise=1.0, random_state=3)
    sets["generated"] = datasets.make_classification(500, 20, n_informative=6, n_redundant=4, n_classes=3,
                                                     n_clusters_per_class=2, flip_y=0.05, random_state=4)
    rng = np.random.default_rng(5)
    x = rng.normal(size=(500, 6)).round(1)
    sets["counts"] = (x, rng.poisson(np.exp(0.6 * x[:, 0] - 0.4 * x[:, 1] * x[:, 2])).astype(float))
    x, y = datasets.load_wine(return_X_y=True)
    sets["wine_missing"] = (np.where(rng.random(size=x.shape) < 0.2, np.nan, x), y)
    x = rng.normal(size=(200, 4)).round(1)
    sets["rounded"] = (x, (x[:, 0] * x[:, 1] + rng.normal(size=200) > 0).astype(int))
    # Missing values that mean something.
    x, y = datasets.make_friedman1(300, 5, noise=1.0, random_state=6)
    sets["friedman_missing"] = (np.where((rng.random(size=x.shape) < 0.15) | (x > 0.9), np.nan, x), y)
    return {name: (np.round(x, 4).astype(np.float32),
                   y if y.dtype.kind == "i" else np.round(y, 4).astype(np.float32).astype(float))
            for name, (x, y) in sets.items()}


# Data, estimator, parameters, seeds: as many as make the error of the mean small against half a point.
SCORES = [
    ("iris", "random-forest", {}, 40),
    ("wine", "random-forest", {}, 40),
    ("breast_cancer", "random-forest", {}, 10),
    ("digits", "random-forest", {}, 10),
    ("generated", "random-forest", {}, 10),
    ("diabetes", "random-forest", {}, 10),
    ("friedman", "random-forest", {}, 10),
    ("wine", "extra-trees", {}, 40),
    ("generated", "extra-trees", {"max_features": 0.5, "bootstrap": True}, 10),
    ("friedman", "extra-trees", {}, 10),
    ("diabetes", "extra-trees", {"max_features": 4, "min_samples_leaf": 3}, 10),
    ("breast_cancer", "random-forest", {"criterion": "entropy", "max_depth": 3}, 10),
    ("generated", "random-forest", {"max_samples": 0.3, "min_samples_leaf": 4, "class_weight": "balanced"}, 40),
    ("generated", "random-forest", {"class_weight": "balanced_subsample", "max_leaf_nodes": 12}, 100),
    ("generated", "random-forest", {"min_weight_fraction_leaf": 0.05, "max_features": "log2"}, 40),
    ("wine_missing", "random-forest", {}, 40),
    ("wine_missing", "extra-trees", {}, 40),
    ("friedman_missing", "random-forest", {}, 40),
    ("friedman", "random-forest", {"max_features": 3, "ccp_alpha": 0.1}, 10),
    ("friedman", "random-forest", {"min_samples_split": 0.1, "bootstrap": False, "max_features": "sqrt"}, 10),
    ("friedman", "random-forest", {"min_impurity_decrease": 0.1, "max_depth": 6}, 10),
    ("counts", "random-forest", {"criterion": "poisson", "min_samples_leaf": 5}, 40),
]

TREES_OF = [(name, criterion, {}) for name in ("iris", "wine", "generated", "rounded")
            for criterion in ("gini", "entropy")]
TREES_OF += [(name, "squared_error", {}) for name in ("diabetes", "friedman", "counts")]
TREES_OF += [("counts", "poisson", {}), ("diabetes", "poisson", {"min_samples_leaf": 4}),
             ("wine_missing", "gini", {}), ("friedman_missing", "squared_error", {"min_samples_leaf": 2})]


def score(x, y, estimator, parameters, seeds):
    """The mean score over unshuffled folds, of each seed, with as many trees as TREES."""
    of_classes = y.dtype.kind == "i"
    kind = {("random-forest", True): RandomForestClassifier, ("random-forest", False): RandomForestRegressor,
            ("extra-trees", True): ExtraTreesClassifier, ("extra-trees", False): ExtraTreesRegressor}[
                estimator, of_classes]
    folds = StratifiedKFold(5) if of_classes else KFold(5)
    return [float(cross_val_score(kind(n_estimators=TREES, random_state=100 + seed, **parameters), x, y, cv=folds,
                                  n_jobs=2).mean()) for seed in range(seeds)]


def impurity_sum(y, criterion):
    """Rows x impurity, from the left, for every prefix of y (length n: prefixes of 1 .. n rows)."""
    n = np.arange(1, len(y) + 1)
    if criterion in ("gini", "entropy"):
        counts = np.cumsum(np.eye(int(y.max()) + 1)[y.astype(int)], axis=0)
        shares = counts / n[:, None]
        if criterion == "gini":
            return n * (1 - (shares ** 2).sum(axis=1))
        logs = np.log2(shares, where=shares > 0, out=np.zeros_like(shares))
        return -n * (shares * logs).sum(axis=1)
    sums = np.cumsum(y)
    if criterion == "squared_error":
        return np.cumsum(y ** 2) - sums ** 2 / n
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(y > 0, y * np.log(y), 0)
        return np.where(sums > 0, np.cumsum(logs) - sums * np.log(sums / n), np.inf)


def costs_of_splits(x, y, criterion, least):
    """Impurity after each split that may be made, as (cost, rows that go left)."""
    for feature in range(x.shape[1]):
        column = x[:, feature]
        missing = np.isnan(column)
        for missing_left in ((False, True) if missing.any() else (False,)):
            key = np.where(missing, -np.inf if missing_left else np.inf, column)
            order = np.argsort(key, kind="stable")
            sorted_key = key[order]
            left = impurity_sum(y[order], criterion)
            right = impurity_sum(y[order][::-1], criterion)[::-1]
            for i in range(len(y) - 1):
                if sorted_key[i] == sorted_key[i + 1] or min(i + 1, len(y) - i - 1) < least:
                    continue
                if missing_left and i < missing.sum() and sorted_key[i] == -np.inf:
                    continue  # missing left, all else right: the mirror image of the other direction
                cost = left[i] + right[i + 1]
                if np.isfinite(cost):
                    yield cost, frozenset(order[:i + 1].tolist())


def tree_of(x, y, criterion, parameters):
    """The tree in depth-first order. "tie" is 0 where the best split is the only one, 1 where several features make the
    same two groups of rows, 2 where different groups are equally good."""
    kind = DecisionTreeClassifier if y.dtype.kind == "i" else DecisionTreeRegressor
    tree = kind(criterion=criterion, random_state=0, **parameters).fit(x, y).tree_
    result = {key: [] for key in ("feature", "threshold", "missing_left", "impurity", "samples", "tie")}
    open_nodes = [(0, np.arange(len(y)))]
    while open_nodes:
        node, rows = open_nodes.pop()
        leaf = tree.children_left[node] < 0
        threshold = float(tree.threshold[node])
        result["feature"].append(-1 if leaf else int(tree.feature[node]))
        result["threshold"].append(None if leaf or np.isinf(threshold) else threshold)
        result["missing_left"].append(0 if leaf else int(tree.missing_go_to_left[node]))
        result["impurity"].append(float(tree.impurity[node]))
        result["samples"].append(int(tree.n_node_samples[node]))
        tie = 0
        if not leaf:
            column = x[rows, tree.feature[node]]
            goes_left = np.where(np.isnan(column), bool(tree.missing_go_to_left[node]), column <= tree.threshold[node])
            splits = list(costs_of_splits(x[rows], y[rows], criterion, parameters.get("min_samples_leaf", 1)))
            best = min(cost for cost, _ in splits)
            sides = [left if 0 in left else frozenset(range(len(rows))) - left
                     for cost, left in splits if cost <= best + 1e-9 * (1 + abs(best))]
            tie = 0 if len(sides) == 1 else 1 if len(set(sides)) == 1 else 2
            open_nodes += [(tree.children_right[node], rows[~goes_left]), (tree.children_left[node], rows[goes_left])]
        result["tie"].append(tie)
    return result


def write_set(name, x, y):
    lines = []
    for cells, answer in zip(x, y):
        texts = ["" if np.isnan(cell) else repr(float(str(cell))).removesuffix(".0") for cell in cells]
        answer = str(answer) if y.dtype.kind == "i" else repr(float(str(np.float32(answer)))).removesuffix(".0")
        lines.append(",".join(texts + [answer]))
    path = HERE / "sets" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    print(name, x.shape, path.stat().st_size, "bytes")


def main():
    warnings.simplefilter("ignore")
    sets = data_sets()
    for name, (x, y) in sets.items():
        if name != "digits":
            write_set(name, x, y)
    lines = [f'"made_with": "scikit-learn {sklearn.__version__}"', f'"n_estimators": {TREES}']
    lines.append('"classes": ' + json.dumps({name: int(y.max()) + 1 if y.dtype.kind == "i" else 0
                                             for name, (_, y) in sets.items()}))
    scores, trees = [], []
    for name, estimator, parameters, seeds in SCORES:
        scores.append({"data": name, "estimator": estimator, "parameters": parameters,
                       "scores": [round(s, 6) for s in score(*sets[name], estimator, parameters, seeds)]})
        print(name, estimator, parameters, np.mean(scores[-1]["scores"]))
    for name, criterion, parameters in TREES_OF:
        trees.append({"data": name, "criterion": criterion, "parameters": parameters,
                      "nodes": tree_of(*sets[name], criterion, parameters)})
        print(name, criterion, len(trees[-1]["nodes"]["tie"]), "nodes", sum(trees[-1]["nodes"]["tie"]), "ties")
    for key, cases in (("scores", scores), ("trees", trees)):
        lines.append(f'"{key}": [\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]")
    path = HERE / "sklearn_scores.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
