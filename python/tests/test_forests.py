# SPDX-License-Identifier: MIT
"""The four forests beside scikit-learn's."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import sklearn.ensemble
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import overtake
import overtake.sklearn
from overtake.sklearn import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

# Before 1.9 scikit-learn keeps the names of pandas' columns alone.
NAMES_OF_ALL = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
IRIS = load_iris(return_X_y=True)
CLASSIFIERS = ("RandomForestClassifier", "ExtraTreesClassifier")
REGRESSORS = ("RandomForestRegressor", "ExtraTreesRegressor")


def data_of(name):
    return IRIS if name in CLASSIFIERS else load_diabetes(return_X_y=True)


def with_gaps(X):
    gaps = X.copy()
    gaps[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return gaps


@pytest.mark.parametrize("name", CLASSIFIERS + REGRESSORS)
@pytest.mark.parametrize("gaps", [False, True])
def test_the_forest_of_scikit_learn_predicts_the_same_bits(name, gaps):
    X, y = data_of(name)
    X = with_gaps(X) if gaps else X
    forest = getattr(overtake.sklearn, name)(n_estimators=20, random_state=3).fit(X, y)
    theirs = forest.as_sklearn()
    assert type(theirs) is getattr(sklearn.ensemble, name)
    np.testing.assert_array_equal(forest.predict(X), theirs.predict(X))
    np.testing.assert_array_equal(forest.apply(X), theirs.apply(X))
    np.testing.assert_allclose(forest.feature_importances_, theirs.feature_importances_, rtol=1e-12)
    for ours, other in zip(forest.decision_path(X), theirs.decision_path(X), strict=True):
        assert (ours != other).sum() == 0
    if name in CLASSIFIERS:
        np.testing.assert_array_equal(forest.predict_proba(X), theirs.predict_proba(X))
        np.testing.assert_array_equal(forest.predict_log_proba(X), theirs.predict_log_proba(X))


@pytest.mark.parametrize("name", CLASSIFIERS + REGRESSORS)
def test_scores_are_those_of_scikit_learn(name):
    X, y = load_digits(return_X_y=True) if name in CLASSIFIERS else load_diabetes(return_X_y=True)
    ours, theirs = (
        cross_val_score(getattr(module, name)(random_state=0), X, y).mean()
        for module in (overtake.sklearn, sklearn.ensemble)
    )
    assert ours == pytest.approx(theirs, abs=0.02)


@pytest.mark.parametrize("keep", [lambda f: pickle.loads(pickle.dumps(f)), copy.deepcopy])
def test_kept_forests_predict_the_same(keep):
    X, y = IRIS
    forest = RandomForestClassifier(n_estimators=7, oob_score=True, random_state=0).fit(X, y)
    kept = keep(forest)
    np.testing.assert_array_equal(kept.predict_proba(X), forest.predict_proba(X))
    np.testing.assert_array_equal(kept.estimators_[6].tree_.threshold, forest.estimators_[6].tree_.threshold)
    assert kept.oob_score_ == forest.oob_score_


def test_joblib_and_files_keep_forests(tmp_path):
    X, y = IRIS
    forest = RandomForestClassifier(n_estimators=7, random_state=0).fit(X, y)
    joblib.dump(forest, tmp_path / "forest.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "forest.joblib").predict(X), forest.predict(X))
    forest.save(tmp_path / "forest.overtake")
    np.testing.assert_array_equal(overtake.load(tmp_path / "forest.overtake").predict(X), forest.predict_proba(X))
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(overtake.DataError, match="nothing"):
        overtake.load(tmp_path / "nothing")


def test_a_clone_has_all_parameters():
    made = RandomForestClassifier(n_estimators=3, max_depth=2, device="cpu", max_bins=16)
    copied = clone(made)
    assert copied.get_params() == made.get_params()
    assert copied.fit(*IRIS).model_.description["parameters"]["max_bins"] == 16


def test_labels_may_be_words_and_names_of_columns_are_kept():
    X, y = load_iris(return_X_y=True, as_frame=True)
    words = y.map({0: "setosa", 1: "versicolor", 2: "virginica"})
    forest = make_pipeline(StandardScaler().set_output(transform="pandas"), RandomForestClassifier(n_estimators=9)).fit(
        X, words
    )
    assert set(forest.predict(X)) == {"setosa", "versicolor", "virginica"}
    assert list(forest[-1].feature_names_in_) == list(X.columns)
    assert forest[-1].model_.description["class_names"] == ["setosa", "versicolor", "virginica"]


def test_layouts_and_types_do_not_matter():
    X, y = IRIS
    X = X.astype(np.float32)
    expected = RandomForestClassifier(n_estimators=9, random_state=1).fit(X, y)
    wide = np.zeros((300, 9))
    wide[::2, 1::2] = X
    frame = pd.DataFrame(X).set_axis(list("abcd"), axis=1)
    others = [
        X.astype(float),
        np.asfortranarray(X),
        wide[::2, 1::2],
        X[::-1][::-1],
        X.tolist(),
        sparse.csr_array(X),
        frame,
    ]
    for other in others:
        forest = RandomForestClassifier(n_estimators=9, random_state=1).fit(other, y)
        np.testing.assert_array_equal(forest.predict_proba(other), expected.predict_proba(X))
    read_only = X.copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(expected.predict(read_only), expected.predict(X))


class OnlyArrow:
    """A table of which only Arrow's interface is known."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def test_tables_of_other_libraries():
    frame, y = load_iris(return_X_y=True, as_frame=True)
    expected = RandomForestClassifier(n_estimators=5, random_state=0).fit(frame.to_numpy(), y.to_numpy())
    table = pyarrow.Table.from_pandas(frame)
    for other in (frame.convert_dtypes(), polars.from_pandas(frame), table, table.to_batches()[0], OnlyArrow(table)):
        forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(other, y)
        np.testing.assert_array_equal(forest.predict_proba(other), expected.predict_proba(frame.to_numpy()))
        if NAMES_OF_ALL or isinstance(other, pd.DataFrame):
            assert list(forest.feature_names_in_) == list(frame.columns)


def test_large_sparse_tables_are_refused_before_memory_is_taken():
    huge = sparse.csr_array((np.ones(2), ([0, 1], [0, 1])), shape=(2, 10**12))
    with pytest.raises(overtake.DeviceError, match=r"2 x 1000000000000 takes \d+ MiB"):
        RandomForestClassifier().fit(huge, [0, 1])


def test_weights_and_classes_count():
    X, y = IRIS
    weights = np.where(y == 2, 0.0, 1.0)
    forest = ExtraTreesClassifier(random_state=0).fit(X, y, sample_weight=weights)
    assert set(forest.predict(X)) == {0, 1}
    heavy = ExtraTreesClassifier(random_state=0, max_depth=1, class_weight={2: 1000}).fit(X, y)
    assert np.mean(heavy.predict(X) == 2) > 0.6


@pytest.mark.parametrize("name", ["RandomForestClassifier", "RandomForestRegressor"])
def test_out_of_bag_scores(name):
    X, y = data_of(name)
    forest = getattr(overtake.sklearn, name)(oob_score=True, random_state=0).fit(X, y)
    theirs = getattr(sklearn.ensemble, name)(oob_score=True, random_state=0).fit(X, y)
    assert forest.oob_score_ == pytest.approx(theirs.oob_score_, abs=0.03)
    shape = "oob_decision_function_" if name in CLASSIFIERS else "oob_prediction_"
    assert getattr(forest, shape).shape == getattr(theirs, shape).shape
    own = getattr(overtake.sklearn, name)(oob_score=lambda truth, guess: len(truth) + len(guess), random_state=0).fit(
        X, y
    )
    assert own.oob_score_ == 2 * len(X)


def test_few_trees_warn_of_rows_that_none_judges():
    with pytest.warns(UserWarning, match="do not have OOB scores"):
        forest = RandomForestClassifier(n_estimators=1, oob_score=True).fit(*IRIS)
    assert np.isnan(forest.oob_decision_function_).any()


@pytest.mark.parametrize("kind", [RandomForestClassifier, RandomForestRegressor])
def test_a_warm_start_gives_the_larger_forest(kind):
    X, y = IRIS
    forest = kind(n_estimators=4, warm_start=True, random_state=np.random.RandomState(5)).fit(X, y)
    seed = forest.seed_
    forest.set_params(n_estimators=11).fit(X, y)
    whole = kind(n_estimators=11, random_state=seed).fit(X, y)
    assert len(forest.estimators_) == 11
    np.testing.assert_array_equal(forest.apply(X), whole.apply(X))


def test_trees_are_views():
    X, y = IRIS
    forest = RandomForestClassifier(n_estimators=5, max_depth=3, random_state=0).fit(X, y)
    assert len(forest) == len(forest.estimators_) == 5
    assert forest.estimators_[-1] is forest.estimators_[4]
    assert all(tree.get_depth() <= 3 for tree in forest)
    shares = np.mean([tree.predict_proba(X) for tree in forest.estimators_], axis=0)
    np.testing.assert_allclose(shares, forest.predict_proba(X), rtol=1e-12)
    assert "feature_3" in sklearn.tree.export_text(forest.estimators_[0])
    with pytest.raises(IndexError):
        forest.estimators_[5]


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("drawn", [{"bootstrap": True}, {"bootstrap": True, "max_samples": 0.3}, {"bootstrap": False}])
def test_the_rows_that_trees_drew(name, drawn):
    X, y = IRIS
    forest = getattr(overtake.sklearn, name)(5, random_state=3, **drawn).fit(X, y)
    samples = forest.estimators_samples_
    assert len(samples) == 5
    for tree, rows in enumerate(samples):
        assert len(rows) == (45 if "max_samples" in drawn else len(X))
        arrays = forest.model_.tree(tree)
        assert arrays["samples"][0] == len(np.unique(rows))
        assert arrays["weighted_samples"][0] == len(rows)
        np.testing.assert_allclose(arrays["value"][0], np.bincount(y[rows]) / len(rows), rtol=1e-12)
    with pytest.raises(overtake.UsageError, match="tree 5 does not exist; the forest has 5 trees"):
        forest.model_.drawn_rows(5, len(X))
