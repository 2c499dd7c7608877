# SPDX-License-Identifier: MIT
"""Mistakes get one clear error: its class, its words, what to do."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

import overtake
from overtake.sklearn import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor, Unsupported

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    ("estimator", "kind", "words"),
    [
        (
            RandomForestClassifier(n_estimators=0),
            ValueError,
            "n_estimators: 0 is not accepted; expected a whole number",
        ),
        (RandomForestClassifier(n_estimators="many"), TypeError, "n_estimators: many is not accepted"),
        (RandomForestClassifier(max_depth=object()), TypeError, "a parameter has a value of no known kind"),
        (RandomForestClassifier(criterion="gain"), overtake.UsageError, "criterion: gain is not accepted"),
        (
            RandomForestRegressor(criterion="absolute_error"),
            overtake.UsageError,
            "(?s)absolute_error .*hint: .*squared_error",
        ),
        (RandomForestRegressor(monotonic_cst=[0, 0, 1, 0]), Unsupported, "monotonic_cst"),
        (RandomForestClassifier(class_weight=[{0: 1}]), Unsupported, "class_weight"),
        (RandomForestClassifier(class_weight={"7": 1}), overtake.UsageError, "no class \"'7'\""),
        (ExtraTreesClassifier(oob_score=True), overtake.UsageError, "oob_score.*bootstrap"),
        (RandomForestClassifier(max_samples=500), overtake.DataError, "only 150 rows"),
        (RandomForestClassifier(n_jobs=2.5), overtake.UsageError, "n_jobs: 2.5"),
        (RandomForestClassifier(max_bins=1), overtake.UsageError, "max_bins: 1"),
        (RandomForestClassifier(device="cudo"), overtake.UsageError, "(?s)unknown device 'cudo'.*Did you mean cuda"),
        (RandomForestClassifier(device="opencl:77"), overtake.DeviceError, "opencl:77"),
    ],
)
def test_parameters(estimator, kind, words):
    with pytest.raises(kind, match=words):
        estimator.fit(X, Y)


@pytest.mark.parametrize(
    ("inputs", "answers", "kind", "words"),
    [
        (np.where(X > 7, np.inf, X), Y, overtake.DataError, "inf in row 102, column 0"),
        (np.where(X > 7, 1e300, X), Y, overtake.DataError, "too large for float32"),
        (X, np.where(Y == 1, np.nan, Y), ValueError, "Input y contains NaN"),
        (X, Y[:-1], ValueError, "inconsistent numbers of samples"),
        (X[0], Y[:1], ValueError, "Expected 2D array"),
        (X, np.column_stack([Y, Y]), Unsupported, "y has 2 columns"),
        (X[:0], Y[:0], ValueError, "0 sample"),
        (np.full((3, 2), "word"), [0, 1, 0], ValueError, "could not convert string to float"),
    ],
)
def test_data(inputs, answers, kind, words):
    with pytest.raises(kind, match=words):
        RandomForestRegressor(n_estimators=2).fit(inputs, answers)


def test_predictions():
    forest = RandomForestClassifier(n_estimators=2)
    with pytest.raises(NotFittedError):
        forest.predict(X)
    with pytest.raises(NotFittedError):
        _ = forest.feature_importances_
    assert not hasattr(forest, "estimators_")
    forest.fit(X, Y)
    with pytest.raises(ValueError, match="X has 3 features"):
        forest.predict(X[:, :3])
    with pytest.raises(overtake.DataError, match="infinity"):
        forest.predict_proba(np.where(X > 7, np.inf, X))
    with pytest.raises(overtake.UsageError):
        forest.model_.predict(X[:, :3])


def test_message_and_hint_are_apart():
    with pytest.raises(overtake.OvertakeError) as caught:
        ExtraTreesClassifier(max_samples=0.5).fit(X, Y)
    assert caught.value.message.startswith("max_samples: 0.5")
    assert caught.value.hint.startswith("Set bootstrap=true")
    assert str(caught.value) == f"{caught.value.message}\nhint: {caught.value.hint}"


@pytest.mark.parametrize(
    ("library", "words"),
    [("/nowhere/libovertake.so.0", "does not exist"), (sys.executable, "cannot be used")],
)
def test_a_library_that_cannot_be_loaded(library, words):
    run = subprocess.run(
        [sys.executable, "-c", "import overtake; overtake.version()"],
        env={"OVERTAKE_LIBRARY": library, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "ImportError" in run.stderr and words in run.stderr and "hint: " in run.stderr
