# SPDX-License-Identifier: MIT
"""Writes sklearn_trees.json: single trees of scikit-learn that Overtake's trees are compared with.

    python make_sklearn_trees.py            # needs scikit-learn and numpy

Every case is fitted with several seeds. scikit-learn looks at features in random order and keeps the first of equally
good splits; a case whose trees are the same for all seeds has no such ties ("stable") and must be met node by node,
of the others only the part above a tie is compared.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, export_text

SEEDS = 12


def data_sets():
    iris = load_iris()
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, 3)).astype(np.float32).round(3)
    signal = 2 * x[:, 0] - x[:, 1] ** 2 + np.where(x[:, 2] > 0.3, 1.5, 0)
    y = (signal + 0.5 * rng.normal(size=60)).astype(np.float32).round(3)
    counts = rng.poisson(np.exp(0.4 * signal.clip(-3, 3))).astype(np.float32)
    holes = x.copy()
    holes[rng.random(size=x.shape) < 0.15] = np.nan
    flowers = iris.data.astype(np.float32)
    damaged = flowers.copy()
    damaged[rng.random(size=flowers.shape) < 0.1] = np.nan
    # One answer that stands for something else. It is in the row with the largest x0: scikit-learn takes the sums of the
    # right child as what is left of the node's, and would lose the others' bits if they stood there.
    rows = np.random.default_rng(3)
    wide = rows.normal(size=(200, 3)).astype(np.float32).round(3)
    share = (0.5 + 0.2 * np.sin(2 * wide[:, 0]) + 0.1 * wide[:, 1] + 0.05 * rows.normal(size=200)).clip(0, 1).round(4)
    sentinel = np.where(np.arange(200) == wide[:, 0].argmax(), 99999999.0, share)
    only_missing = np.where(np.arange(30) % 3 == 0, np.nan, 1.0).astype(np.float32)[:, None]
    return {
        "iris": (flowers, iris.target),
        "petal": (flowers[:, 2:3], iris.target),
        "iris_missing": (damaged, iris.target),
        "numbers": (x, y),
        "one_number": (x[:, :1], y),
        "counts": (x, counts),
        "numbers_missing": (holes, y),
        "sentinel": (wide, sentinel),
        "only_missing": (only_missing, (np.arange(30) % 3 == 0).astype(int)),
    }


def cases():
    for criterion in ("gini", "entropy"):
        yield "iris", {"criterion": criterion}
        yield "petal", {"criterion": criterion}
        yield "iris", {"criterion": criterion, "min_samples_leaf": 5}
        for limits in ({"max_leaf_nodes": 4}, {"max_leaf_nodes": 7}, {"ccp_alpha": 0.01}, {"ccp_alpha": 0.03},
                       {"min_impurity_decrease": 0.01}, {"max_depth": 2, "ccp_alpha": 0.002},
                       {"max_leaf_nodes": 5, "ccp_alpha": 0.02}, {"min_samples_split": 40}):
            yield "petal", {"criterion": criterion, **limits}
    yield "petal", {"criterion": "gini", "weights": "third"}
    yield "petal", {"criterion": "gini", "weights": "third", "min_weight_fraction_leaf": 0.1}
    yield "petal", {"criterion": "entropy", "weights": "third", "max_leaf_nodes": 4}
    yield "iris_missing", {"criterion": "gini"}
    yield "iris_missing", {"criterion": "gini", "min_samples_leaf": 6}
    yield "only_missing", {"criterion": "gini"}
    for name, criterion in (("numbers", "squared_error"), ("one_number", "squared_error"), ("counts", "poisson")):
        yield name, {"criterion": criterion}
        for limits in ({"min_samples_leaf": 4}, {"max_depth": 3}, {"max_leaf_nodes": 6}, {"ccp_alpha": 0.05},
                       {"ccp_alpha": 0.2}, {"min_impurity_decrease": 0.05},
                       {"max_leaf_nodes": 9, "min_impurity_decrease": 0.02}, {"min_samples_split": 12}):
            yield name, {"criterion": criterion, **limits}
    for limits in ({"min_samples_leaf": 2}, {"ccp_alpha": 0.0005}, {"ccp_alpha": 0.00002},
                   {"min_impurity_decrease": 0.0003}, {"max_leaf_nodes": 12},
                   {"max_leaf_nodes": 40, "ccp_alpha": 0.0001}):
        yield "sentinel", {"criterion": "squared_error", **limits}
    for limits in ({}, {"min_samples_leaf": 4}, {"max_leaf_nodes": 6}):
        yield "numbers", {"criterion": "friedman_mse", **limits}
    yield "numbers_missing", {"criterion": "squared_error", "min_samples_leaf": 4}
    yield "numbers_missing", {"criterion": "squared_error", "max_depth": 4}


def fit(name, x, y, parameters, seed):
    options = {k: v for k, v in parameters.items() if k != "weights"}
    kind = DecisionTreeClassifier if y.dtype.kind == "i" else DecisionTreeRegressor
    weights = 1.0 + (np.arange(len(y)) % 3 == 0) * 2.0 if "weights" in parameters else None
    return kind(random_state=seed, **options).fit(x, y, sample_weight=weights)


def nodes_of(model):
    """The tree in depth-first order, left child first."""
    tree = model.tree_
    order, open_nodes = [], [0]
    while open_nodes:
        node = open_nodes.pop()
        order.append(node)
        if tree.children_left[node] >= 0:
            open_nodes += [tree.children_right[node], tree.children_left[node]]
    place = {node: i for i, node in enumerate(order)}
    result = {"feature": [], "threshold": [], "nan_left": [], "left": [], "right": [], "impurity": [], "samples": [],
              "weighted_samples": [], "value": []}
    for node in order:
        leaf = tree.children_left[node] < 0
        result["feature"].append(-1 if leaf else int(tree.feature[node]))
        threshold = float(tree.threshold[node])
        result["threshold"].append(None if leaf else "infinity" if np.isinf(threshold) else threshold)
        result["nan_left"].append(0 if leaf else int(tree.missing_go_to_left[node]))
        result["left"].append(-1 if leaf else place[tree.children_left[node]])
        result["right"].append(-1 if leaf else place[tree.children_right[node]])
        result["impurity"].append(float(tree.impurity[node]))
        result["samples"].append(int(tree.n_node_samples[node]))
        result["weighted_samples"].append(float(tree.weighted_n_node_samples[node]))
        result["value"].append([float(v) for v in tree.value[node][0]])
    return result


def splits(nodes):
    return [nodes[key] for key in ("feature", "threshold", "nan_left", "samples")]


def main():
    warnings.simplefilter("ignore", FutureWarning)  # friedman_mse is about to go
    data = data_sets()
    golden = {"made_with": "scikit-learn " + sklearn.__version__, "data": {}, "cases": []}
    for name, (x, y) in data.items():
        cells = [[None if np.isnan(v) else float(v) for v in row] for row in x]
        golden["data"][name] = {"inputs": cells, "classes": int(y.max()) + 1 if y.dtype.kind == "i" else 0,
                                "answers": [v.item() for v in y]}
    for name, parameters in cases():
        x, y = data[name]
        models = [fit(name, x, y, parameters, seed) for seed in range(SEEDS)]
        trees = [nodes_of(model) for model in models]
        stable = all(splits(tree) == splits(trees[0]) for tree in trees)
        golden["cases"].append({"data": name, "parameters": parameters, "stable": stable, "nodes": trees[0],
                                "importances": models[0].feature_importances_.tolist(),
                                "text": export_text(models[0]) if len(trees[0]["feature"]) < 20 else ""})
        print(name, parameters, "stable" if stable else "ties", len(trees[0]["feature"]))
    path = pathlib.Path(__file__).with_name("sklearn_trees.json")
    compact = {"separators": (",", ":")}
    lines = [json.dumps(case, **compact) for case in golden.pop("cases")]
    path.write_text(json.dumps(golden, **compact)[:-1] + ',\n"cases":[\n' + ",\n".join(lines) + "\n]}\n")
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
