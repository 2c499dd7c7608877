# SPDX-License-Identifier: MIT
"""Searches as batches, beside scikit-learn's own loop over the same forests."""

import os
import pickle
import signal
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import sklearn.model_selection
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import overtake
from overtake.sklearn import (
    ExtraTreesRegressor,
    GridSearchCV,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomizedSearchCV,
)

IRIS = load_iris(return_X_y=True)
GRID = {"max_depth": [None, 1, 2], "n_estimators": [4, 9]}
TIMES = ("fit_time", "score_time")


def both(forest, grid, X, y, fit=None, **settings):
    """The same search as a batch and fit by fit; their cv_results_ must be the same."""
    batch = GridSearchCV(forest, grid, **settings).fit(X, y, **(fit or {}))
    loop = sklearn.model_selection.GridSearchCV(forest, grid, **settings).fit(X, y, **(fit or {}))
    assert list(batch.cv_results_) == list(loop.cv_results_)
    for name, expected in loop.cv_results_.items():
        got = batch.cv_results_[name]
        assert type(got) is type(expected) and getattr(got, "dtype", None) == getattr(expected, "dtype", None), name
        if name.endswith(TIMES):
            assert np.isfinite(got).all() and got.shape == expected.shape
        elif "_test_" in name or "_train_" in name:
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12, err_msg=name)
        else:
            assert np.array_equal(got, expected), name
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        if hasattr(loop, name):
            assert getattr(batch, name) == pytest.approx(getattr(loop, name)), name
    if batch.refit:
        np.testing.assert_array_equal(batch.predict(X), loop.predict(X))
        assert type(batch.scorer_) is type(loop.scorer_)
    return batch


def classifier(**more):
    return RandomForestClassifier(random_state=0, **more)


@pytest.mark.parametrize(
    "scoring", [None, "accuracy", "f1_macro", ["accuracy", "neg_log_loss"], {"a": "accuracy", "b": "roc_auc_ovr"}]
)
def test_scores_of_classes(scoring):
    refit = True if not isinstance(scoring, (list, dict)) else next(iter(scoring))
    batch = both(classifier(), GRID, *IRIS, scoring=scoring, refit=refit, return_train_score=True)
    assert batch.overtake_result_.shape == (6, 5)


@pytest.mark.parametrize(
    "scoring", [None, ["r2", "neg_mean_squared_error"], "neg_mean_absolute_error", "neg_max_error"]
)
def test_scores_of_numbers(scoring):
    X, y = (
        part[:250] for part in load_diabetes(return_X_y=True)
    )  # a bin for each value: they are cut on all rows of a batch
    forest = ExtraTreesRegressor(random_state=1)
    both(
        forest,
        GRID,
        X,
        y,
        scoring=scoring,
        refit="r2" if isinstance(scoring, list) else True,
        return_train_score=True,
        cv=3,
    )


@pytest.mark.parametrize("scoring", ["f1", "roc_auc", "average_precision", "recall"])
@pytest.mark.parametrize("words", [False, True])
def test_scores_of_one_class(scoring, words):
    X, y = load_breast_cancer(return_X_y=True)
    if words:
        y = np.array(["benign", "malignant"])[y]
        scoring = "balanced_accuracy" if scoring == "f1" else make_scorer(accuracy_score)
    both(classifier(), {"max_depth": [1, 3]}, X[:200], y[:200], scoring=scoring)


def test_functions_score_predictions():
    def scoring(estimator, X, y):
        return {"right": np.mean(estimator.predict(X) == y), "sure": estimator.predict_proba(X).max(), "rows": len(X)}

    batch = both(classifier(), GRID, *IRIS, scoring=scoring, refit="right", return_train_score=True)
    assert batch.multimetric_


def test_functions_may_look_at_the_forest_itself():
    both(
        classifier(),
        {"n_estimators": [3, 4]},
        *IRIS,
        scoring=lambda e, X, y: e.feature_importances_[0] + len(e.estimators_),
    )


def test_a_function_may_choose_the_best():
    batch = both(classifier(), GRID, *IRIS, refit=lambda results: int(np.argmin(results["mean_test_score"])))
    assert not hasattr(batch, "best_score_")
    without = both(classifier(), GRID, *IRIS, refit=False)
    assert not hasattr(without, "best_estimator_")


@pytest.mark.parametrize(
    "cv",
    [
        2,
        KFold(3, shuffle=True, random_state=1),
        [([0, 1, 60, 61, 120], [2, 62]), ([0, 60, 121], [5])],
    ],
)
def test_splitters(cv):
    both(classifier(), {"n_estimators": [2, 5]}, *IRIS, cv=cv)


def test_folds_count_in_any_order():
    X, y = IRIS
    splitter = ShuffleSplit(3, random_state=2)
    given = {"param_grid": {"n_estimators": [2, 5]}}
    batch = GridSearchCV(classifier(), cv=splitter, **given).fit(X, y)
    ordered = [(np.sort(train), np.sort(test)) for train, test in splitter.split(X, y)]
    loop = sklearn.model_selection.GridSearchCV(classifier(), cv=ordered, **given).fit(X, y)
    np.testing.assert_array_equal(batch.cv_results_["mean_test_score"], loop.cv_results_["mean_test_score"])


def test_groups_and_weights():
    X, y = IRIS
    groups = np.arange(len(y)) % 7
    both(classifier(), {"n_estimators": [2, 5]}, X, y, cv=GroupKFold(4), fit={"groups": groups})
    both(classifier(), {"n_estimators": [2, 5]}, X, y, fit={"sample_weight": np.linspace(0.5, 2, len(y))})


def test_tables_words_and_weights_of_classes():
    frame, y = load_iris(return_X_y=True, as_frame=True)
    words = y.map({0: "a", 1: "b", 2: "c"})
    batch = both(
        classifier(),
        {"class_weight": [None, "balanced", {"a": 5.0}], "max_features": ["sqrt", 0.5]},
        frame,
        words,
        cv=3,
    )
    assert list(batch.feature_names_in_) == list(frame.columns)
    assert isinstance(batch.best_estimator_, RandomForestClassifier)


def test_candidates_that_fail():
    grid = {"max_features": [2, 9], "n_estimators": [3]}
    with pytest.warns(FitFailedWarning, match="max_features=9"):
        both(classifier(), grid, *IRIS, error_score=-7.0)
    with pytest.raises(overtake.UsageError, match="max_features=9"):
        GridSearchCV(classifier(), grid, error_score="raise").fit(*IRIS)
    with pytest.raises(ValueError, match="All the 5 fits failed"):
        GridSearchCV(classifier(), {"max_features": [9]}).fit(*IRIS)
    with pytest.raises(ValueError, match="Invalid parameter 'max_dept'"):
        GridSearchCV(classifier(), {"max_dept": [9]}).fit(*IRIS)


def test_pipelines_fit_their_steps_once_a_fold():
    class Counting(StandardScaler):
        fits = 0

        def fit(self, X, y=None, sample_weight=None):
            Counting.fits += 1
            return super().fit(X, y, sample_weight)

    pipeline = Pipeline([("scale", Counting()), ("pca", PCA(random_state=0)), ("forest", classifier())])
    grid = {"pca__n_components": [2, 3], "forest__max_depth": [1, 2, None], "forest__n_estimators": [3, 5]}
    GridSearchCV(pipeline, grid, cv=3, refit=False).fit(*IRIS)
    assert Counting.fits == 2 * 3
    batch = both(pipeline, grid, *IRIS, cv=3, scoring=["accuracy", "average_precision"][0], return_train_score=True)
    assert batch.best_estimator_.predict(IRIS[0]).shape == (150,)
    both(pipeline, {"forest__n_estimators": [2]}, *IRIS, cv=3, scoring=make_scorer(accuracy_score))


def test_random_searches_draw_what_scikit_learn_draws():
    draws = {"max_depth": scipy.stats.randint(1, 6), "min_impurity_decrease": scipy.stats.loguniform(1e-4, 1e-1)}
    given = {"n_iter": 7, "random_state": 3, "cv": 3}
    batch = RandomizedSearchCV(classifier(n_estimators=5), draws, **given).fit(*IRIS)
    loop = sklearn.model_selection.RandomizedSearchCV(classifier(n_estimators=5), draws, **given).fit(*IRIS)
    assert batch.cv_results_["params"] == loop.cv_results_["params"]
    np.testing.assert_array_equal(batch.cv_results_["mean_test_score"], loop.cv_results_["mean_test_score"])


def test_other_estimators_run_as_scikit_learn_runs_them():
    search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0]}).fit(*IRIS)
    assert search.overtake_result_ is None and search.best_score_ > 0.9
    with pytest.raises(overtake.UsageError, match="journal"):
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1]}, journal="j.db").fit(*IRIS)


def test_what_no_batch_can_do_runs_as_scikit_learn_runs_it():
    twice = [([0, 0, 1, 60, 120], [1, 61])]
    search = GridSearchCV(classifier(), {"n_estimators": [2, 3]}, cv=twice).fit(*IRIS)
    assert search.overtake_result_ is None
    search = GridSearchCV(classifier(), {"n_jobs": [1, 2], "device": [None]}).fit(*IRIS)
    assert search.overtake_result_ is None
    with pytest.raises(ValueError, match="Input y contains NaN"):
        GridSearchCV(RandomForestRegressor(), {"n_estimators": [2]}, cv=3).fit(IRIS[0], np.full(150, np.nan))


def test_a_journal_continues(tmp_path):
    given = {"cv": 3, "journal": str(tmp_path / "search.db")}
    first = GridSearchCV(classifier(), GRID, **given).fit(*IRIS)
    again = GridSearchCV(classifier(), GRID, **given).fit(*IRIS)
    assert again.overtake_result_.figures()["resumed_jobs"] == 18
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], first.cv_results_["mean_test_score"])


def test_ctrl_c_returns_what_is_there():
    X, y = load_breast_cancer(return_X_y=True)
    grid = {"n_estimators": [3], "max_features": [1, 2, 3]}
    slow = {"n_estimators": [30000], "max_features": [3, 4, 5, 6]}
    search = GridSearchCV(classifier(device="cpu"), [grid, slow], cv=2, memory_limit=40 << 20)
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            search.fit(np.tile(X, (4, 1)), np.tile(y, 4))
        assert any("interrupted: " in str(warning.message) for warning in caught)
        assert np.isnan(search.cv_results_["mean_test_score"]).any()
        assert search.best_params_["n_estimators"] == 3
    except KeyboardInterrupt:
        pass  # nothing was scored yet: there is nothing to return
    finally:
        timer.join()


def test_the_report_is_the_cell(tmp_path):
    search = GridSearchCV(classifier(), GRID).fit(*IRIS)
    page = search._repr_html_()
    assert page.startswith("<iframe srcdoc=") and "max_depth" in page
    kept = pickle.loads(pickle.dumps(search))
    assert kept.overtake_result_.figures()["best_index_"] == search.best_index_
    assert "max_depth" in kept._repr_html_()
    assert pd.DataFrame(search.cv_results_).shape[0] == 6
