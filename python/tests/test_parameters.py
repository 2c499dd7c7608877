# SPDX-License-Identifier: MIT
"""Every parameter of the constructors is honoured or refused by name; docs/python.md has the table.

After a change: python3 python/tests/test_parameters.py writes the table anew.
"""

import inspect
import pathlib
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris

import overtake
import overtake.sklearn
from overtake.sklearn._forests import CORE_PARAMETERS

X, Y = load_iris(return_X_y=True)
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "python.md"
BEGIN, END = "<!-- parameters: written by python/tests/test_parameters.py -->", "<!-- end of parameters -->"
KINDS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")


def mean_square(truth, guess):
    return float(np.mean((truth - guess) ** 2))


# Values to try beside the default, and what else they need.
VALUES = {
    "n_estimators": [3],
    "criterion": [
        "gini",
        "entropy",
        "log_loss",
        "squared_error",
        "friedman_mse",
        "poisson",
        "absolute_error",
    ],
    "max_depth": [None, 2],
    "min_samples_split": [5, 0.1],
    "min_samples_leaf": [5, 0.1],
    "min_weight_fraction_leaf": [0.1],
    "max_features": ["sqrt", "log2", None, 2, 0.5],
    "max_leaf_nodes": [None, 4],
    "min_impurity_decrease": [0.01],
    "bootstrap": [True, False],
    "oob_score": [True, mean_square],
    "n_jobs": [None, 2, -1],
    "random_state": [None, 7, np.random.RandomState(7)],
    "verbose": [0, 1],
    "warm_start": [True],
    "class_weight": ["balanced", "balanced_subsample", {0: 2.0, 1: 1.0}, [{0: 1}]],
    "ccp_alpha": [0.01],
    "max_samples": [None, 50, 0.5],
    "monotonic_cst": [None, [1, 0, 0, 0]],
    "device": [None, "cpu"],
    "max_bins": [None, 16],
}
NEEDS = {"oob_score": {"bootstrap": True}, "max_samples": {"bootstrap": True}}
# The library tells these by other names; scikit-learn turns friedman_mse into squared_error from 1.9 on.
SAME = {
    ("criterion", "log_loss"): ["entropy"],
    ("criterion", "friedman_mse"): ["squared_error", "friedman_mse"],
    ("max_features", None): [1.0],
}


def shown(value):
    if isinstance(value, np.random.RandomState):
        return "RandomState"
    return "a function" if callable(value) else repr(value)


def is_honoured(kind, name, value):
    """True, or the error with which it is refused."""
    estimator = getattr(overtake.sklearn, kind)
    given = {"n_estimators": 4, **NEEDS.get(name, {}), name: value}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = estimator(**given).fit(X, Y)
        except overtake.UsageError as error:
            assert name in error.message, f"the refusal does not name {name}: {error}"
            return error
    if name in CORE_PARAMETERS or name == "class_weight":
        kept = fitted.model_.description["parameters"][name]
        if isinstance(value, dict):
            return len(kept) > 0
        assert kept in SAME.get((name, value), [value]), (name, value, kept)
    return True


def table():
    rows = ["| parameter | honoured | refused by name |", "| --- | --- | --- |"]
    for name, values in VALUES.items():
        owners = [kind for kind in KINDS if name in inspect.signature(getattr(overtake.sklearn, kind)).parameters]
        accepted, refused = [], []
        for value in values:
            outcomes = {kind: is_honoured(kind, name, value) is True for kind in owners}
            good = [kind for kind, outcome in outcomes.items() if outcome]
            (accepted if good else refused).append(f"`{shown(value)}`" + note(good, owners))
        rows.append(f"| `{name}`{note(owners, KINDS)} | {', '.join(accepted)} | {', '.join(refused)} |")
    return "\n".join(rows)


def note(some, of_all):
    """ " (classifiers)" where only those are among `some`."""
    if not some or len(some) == len(of_all):
        return ""
    for end in ("Classifier", "Regressor"):
        if all(kind.endswith(end) for kind in some):
            return f" ({end.lower()}s)"
    return f" ({', '.join(some)})"


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_tried(kind):
    assert set(inspect.signature(getattr(overtake.sklearn, kind)).parameters) <= set(VALUES)


def test_the_page_has_the_table():
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip() == table()


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_those_of_scikit_learn(kind):
    ours = inspect.signature(getattr(overtake.sklearn, kind)).parameters
    theirs = inspect.signature(base_of(kind)).parameters
    assert {name: parameter.default for name, parameter in ours.items() if name not in ("device", "max_bins")} == {
        name: parameter.default for name, parameter in theirs.items()
    }


def base_of(kind):
    return next(c for c in getattr(overtake.sklearn, kind).__mro__ if c.__module__.startswith("sklearn.ensemble"))


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        text[: text.index(BEGIN) + len(BEGIN)] + "\n" + table() + "\n" + text[text.index(END) :], encoding="utf-8"
    )
