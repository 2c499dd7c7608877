# SPDX-License-Identifier: MIT
"""Trees of Overtake as trees of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.tree._tree import Tree

from .._model import Model

# Our names of the columns that scikit-learn's table of nodes has.
_COLUMNS = {
    "left_child": "left",
    "right_child": "right",
    "feature": "feature",
    "threshold": "threshold",
    "impurity": "impurity",
    "n_node_samples": "samples",
    "weighted_n_node_samples": "weighted_samples",
    "missing_go_to_left": "missing_go_left",
}
_OF_LEAVES = -2  # what scikit-learn writes as the feature and threshold of a leaf


def _depth(left: Any, right: Any) -> int:
    """Edges from the root, node 0, to the deepest leaf."""
    depths = np.zeros(len(left), dtype=np.intp)
    for node in np.flatnonzero(left >= 0):  # children come after their parents
        depths[left[node]] = depths[right[node]] = depths[node] + 1
    return int(depths.max())


def sklearn_tree(model: Model, index: int, features: int, classes: int) -> Any:
    """The ``tree_`` of one tree of `model`; `classes`: 1 of regressors."""
    arrays = model.tree(index)
    tree = Tree(features, np.array([classes], dtype=np.intp), 1)
    nodes = np.zeros(len(arrays["left"]), dtype=tree.__getstate__()["nodes"].dtype)
    for theirs, ours in _COLUMNS.items():
        nodes[theirs] = arrays[ours]
    leaves = arrays["left"] < 0
    nodes["feature"][leaves] = nodes["threshold"][leaves] = _OF_LEAVES
    tree.__setstate__(
        {
            "max_depth": _depth(arrays["left"], arrays["right"]),
            "node_count": len(nodes),
            "nodes": nodes,
            "values": np.ascontiguousarray(arrays["value"][:, np.newaxis, :]),
        }
    )
    return tree


def _estimator_of(forest: Any, index: int) -> Any:
    estimator = type(forest.estimator)(
        **{name: getattr(forest, name) for name in forest.estimator_params if name != "random_state"}
    )
    classes = getattr(forest, "n_classes_", 1)
    estimator.tree_ = sklearn_tree(forest.model_, index, forest.n_features_in_, classes)
    estimator.n_features_in_ = forest.n_features_in_
    estimator.n_outputs_ = 1
    if hasattr(forest, "classes_"):
        estimator.classes_ = np.arange(
            classes, dtype=np.float64
        )  # as within scikit-learn's forests: labels are numbers
        estimator.n_classes_ = classes
    return estimator


class Trees(Sequence[Any]):
    """A forest's trees as scikit-learn's decision trees, each made when it is asked for first."""

    def __init__(self, forest: Any) -> None:
        self._forest = forest
        self._made: list[Any] = [None] * forest.model_.description["trees"]

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        if self._made[index] is None:
            self._made[index] = _estimator_of(self._forest, index)
        return self._made[index]

    def __repr__(self) -> str:
        return f"<{len(self)} trees>"


def sklearn_forest(forest: Any) -> Any:
    """A forest of scikit-learn's own class with the trees of `forest`."""
    kind: Any = next(base for base in type(forest).__mro__ if base.__module__.startswith("sklearn.ensemble"))
    accepted = kind._get_param_names()
    made = kind(**{name: value for name, value in forest.get_params(deep=False).items() if name in accepted})
    made._validate_estimator()
    made.estimators_ = list(forest.estimators_)
    copied = ("n_features_in_", "n_outputs_", "classes_", "n_classes_", "feature_names_in_", "_n_samples")
    scores = ("oob_score_", "oob_decision_function_", "oob_prediction_")
    for name in (*copied, *scores):
        if name in forest.__dict__:
            setattr(made, name, getattr(forest, name))
    return made
