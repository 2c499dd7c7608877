# SPDX-License-Identifier: MIT
"""What a stranger found wrong: mostly answers that differed from scikit-learn's without a word."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import sklearn.ensemble
import sklearn.model_selection
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.metrics import make_scorer
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, TargetEncoder

import overtake
import overtake.sklearn
from overtake.sklearn import GridSearchCV, RandomForestClassifier, RandomForestRegressor

X, Y = load_iris(return_X_y=True)


def test_a_candidate_may_set_the_last_step_of_a_pipeline():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", RandomForestClassifier(20, random_state=0))])
    dummy = DummyClassifier()
    search = GridSearchCV(pipeline, {"clf": [RandomForestClassifier(20, random_state=0), dummy]}, cv=3).fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] > 0.9 and scores[1] < 0.4
    assert "clf" in search.best_params_ and isinstance(search.best_estimator_[-1], RandomForestClassifier)


def test_steps_see_the_rows_of_each_part_alone():
    data, answers = load_diabetes(return_X_y=True)
    seen = []

    def centred(rows):
        seen.append(len(rows))
        return rows - rows.mean(axis=0)

    pipeline = make_pipeline(FunctionTransformer(centred), RandomForestRegressor(10, random_state=0))
    GridSearchCV(pipeline, {"randomforestregressor__max_depth": [3]}, cv=3, refit=False).fit(data, answers)
    assert seen == [294, 148, 295, 147, 295, 147]


@pytest.mark.parametrize("train_scores", [False, True])
def test_steps_that_transform_rows_to_train_on_in_another_way(train_scores):
    random = np.random.default_rng(0)
    words = random.integers(0, 200, (600, 1)).astype(str).astype(object)
    answers = random.integers(0, 2, 600)
    scores = []
    for search, forest in ((sklearn.model_selection, sklearn.ensemble), (overtake.sklearn, overtake.sklearn)):
        model = forest.RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
        grid = {"randomforestclassifier__max_depth": [None]}
        found = search.GridSearchCV(
            make_pipeline(TargetEncoder(random_state=0), model),
            grid,
            scoring="roc_auc",
            return_train_score=train_scores,
            refit=False,
        ).fit(words, answers)
        scores.append([values[0] for name, values in found.cv_results_.items() if name.startswith("mean_t")])
    np.testing.assert_allclose(scores[0], scores[1], atol=0.06)


def test_methods_of_derived_forests_count():
    data, answers = load_breast_cancer(return_X_y=True)

    class Zeros(RandomForestClassifier):
        def predict(self, X):
            return np.zeros(len(X), int)

    class Scored(RandomForestClassifier):
        def score(self, X, y, sample_weight=None):
            return 42.0

    for kind, score in ((Zeros, np.mean(answers == 0)), (Scored, 42.0)):
        found = GridSearchCV(kind(5, random_state=0), {"max_depth": [2]}, cv=3).fit(data, answers)
        assert found.cv_results_["mean_test_score"][0] == pytest.approx(score, abs=0.01)
        assert found.overtake_result_ is None


def test_derived_searches_try_their_own_candidates():
    class Rounds(GridSearchCV):
        def _run_search(self, evaluate_candidates):
            evaluate_candidates([{"max_depth": 1}])
            evaluate_candidates([{"max_depth": 2}, {"max_depth": 3}])

    found = Rounds(RandomForestClassifier(5), {"max_depth": [None]}, cv=2).fit(X, Y)
    assert [candidate["max_depth"] for candidate in found.cv_results_["params"]] == [1, 2, 3]


def test_trees_cannot_be_exchanged_in_silence():
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    with pytest.raises(overtake.UsageError, match=r"(?s)views of the trees.*as_sklearn"):
        forest.estimators_ = forest.estimators_[:1]


def test_scorers_see_a_forest_with_the_weights_of_the_rows():
    random = np.random.default_rng(0)
    data, answers = random.random((300, 3)), random.integers(0, 2, 300)
    weights = np.where(answers == 0, 1.0, 0.001)
    zeros = make_scorer(lambda y, predicted, sample_weight=None: float((predicted == 0).mean()))
    found = GridSearchCV(
        RandomForestClassifier(30, random_state=0),
        {"max_depth": [4]},
        cv=3,
        scoring={"zeros": zeros},
        refit=False,
        return_train_score=True,
    ).fit(data, answers, sample_weight=weights)
    assert found.cv_results_["mean_train_zeros"][0] > 0.9


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "neg_log_loss", make_scorer(lambda y, p: (y == p).mean())])
def test_folds_that_train_without_a_class_are_scored_as_by_scikit_learn(scoring):
    answers = np.repeat([0, 1, 2], 60)
    data = np.random.default_rng(0).normal(answers[:, None], 0.1, (180, 2))
    scores = []
    for search, forest in ((sklearn.model_selection, sklearn.ensemble), (overtake.sklearn, overtake.sklearn)):
        with np.errstate(all="ignore"), pytest.warns() if scoring == "neg_log_loss" else contextlib.nullcontext():
            found = search.GridSearchCV(
                forest.RandomForestClassifier(20, random_state=0),
                {"max_depth": [4]},
                cv=LeaveOneGroupOut(),
                scoring=scoring,
                refit=False,
                return_train_score=True,
            ).fit(data, answers, groups=answers)
        scores.append([v[0] for name, v in found.cv_results_.items() if name.endswith(("_test_score", "_train_score"))])
    np.testing.assert_allclose(scores[0], scores[1], atol=0.1)


def test_a_fit_that_fails_leaves_what_was_fitted():
    names = np.array(["a", "b", "c"])[Y]
    forest = RandomForestClassifier(10, random_state=0).fit(X, names)
    expected = forest.predict(X)
    forest.set_params(min_samples_leaf=-1)
    for rows, answers in ((X, np.array(["z", "y", "x"])[Y]), (X[:, :2], names)):
        with pytest.raises(ValueError, match="min_samples_leaf"):
            forest.fit(rows, answers)
        np.testing.assert_array_equal(forest.predict(X), expected)
    assert list(forest.classes_) == ["a", "b", "c"]


def test_categories_are_matched_by_place_as_columns_without_names_are():
    words = np.random.default_rng(0).choice(list("bac"), 300)
    table = pd.DataFrame({0: pd.Categorical(words), 1: np.arange(300.0)})
    forest = RandomForestClassifier(20, random_state=0).fit(table, words == "a")
    assert forest.score(table.set_axis([5, 6], axis=1), words == "a") == 1.0
    with pytest.raises(overtake.UsageError, match="column 1 holds numbers, and the forest learned the categories"):
        forest.predict(table[[1, 0]])


def test_columns_of_words_in_every_form():
    words, answers = ["a", "b", "c"] * 20, [0, 1, 0] * 20
    forest = RandomForestClassifier(5, random_state=0).fit(pd.DataFrame({"w": pd.Categorical(words)}), answers)
    empty = [
        polars.DataFrame({"w": [None] * 3}),
        pd.DataFrame({"w": pd.Series([np.nan] * 3).astype("category")}),
        pyarrow.table({"w": pyarrow.nulls(3)}),
    ]
    missing = forest.predict_proba(pd.DataFrame({"w": pd.Categorical([None] * 3, categories=["a"])}))
    for table in empty:
        np.testing.assert_array_equal(forest.predict_proba(table), missing)
    text = pd.DataFrame({"w": pd.Series(words).astype(pd.ArrowDtype(pyarrow.string()))})
    assert forest.score(text, answers) == 1.0
    dictionary = pyarrow.table({"w": pyarrow.array(words).dictionary_encode()})
    assert RandomForestClassifier(5).fit(dictionary.to_pandas(types_mapper=pd.ArrowDtype), answers).categories_ == [
        ["a", "b", "c"]
    ]
    null_inside = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0, 1, 2] * 20), pyarrow.array(["a", None, "b"]))
    assert RandomForestClassifier(5).fit(pyarrow.table({"w": null_inside}), answers).categories_ == [["a", "b"]]
    twice = pd.DataFrame({"w": pd.Series([1, "1", 2] * 20, dtype=object).astype("category")})
    with pytest.raises(overtake.UsageError, match="column 'w' has two categories that are '1' as text"):
        RandomForestClassifier(5).fit(twice, answers)


def test_parameters_that_the_library_does_not_see_are_checked():
    for given in ({"oob_score": "yes"}, {"random_state": 2**40}, {"verbose": -1}):
        with pytest.raises(ValueError, match=next(iter(given))):
            RandomForestClassifier(5, **given).fit(X, Y)
    with pytest.raises(ValueError, match="there is no class"):
        RandomForestClassifier(5, class_weight={"0": 2.0}).fit(X, Y)
    RandomForestClassifier(5, class_weight={}).fit(X, Y)


def test_a_search_leaves_the_random_state_of_the_caller_alone():
    state = np.random.RandomState(3)
    before = state.get_state()[1].copy(), state.get_state()[2]
    GridSearchCV(RandomForestClassifier(5, random_state=state), {"max_depth": [1]}, cv=2, refit=False).fit(X, Y)
    assert np.array_equal(state.get_state()[1], before[0]) and state.get_state()[2] == before[1]


def test_the_report_is_shown_where_it_ranks_as_the_search_does():
    forest, grid = RandomForestClassifier(5, random_state=0), {"max_depth": [1, None]}
    named = GridSearchCV(forest, grid, cv=2).fit(X, Y)
    worst = GridSearchCV(forest, grid, cv=2, scoring=lambda forest, X, y: -forest.score(X, y)).fit(X, Y)
    assert "<iframe" in named._repr_html_()
    assert worst.best_params_ == {"max_depth": 1} and "<iframe" not in worst._repr_html_()


def test_ctrl_c_ends_all_folds_of_a_pipeline():
    data = np.random.default_rng(0).random((40000, 20))
    answers = (data[:, 0] + data[:, 1] > 1).astype(int)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(300, random_state=0))
    grid = {"randomforestclassifier__max_depth": [3, 9, None], "standardscaler__with_mean": [True, False]}
    asked = []

    def interrupt():
        time.sleep(0.5)
        asked.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(pipeline, grid, cv=5).fit(data, answers)
    assert time.monotonic() - asked[0] < 3  # a search that went on would begin 29 more batches


def test_paths_of_every_kind(tmp_path):
    forest = RandomForestClassifier(5, random_state=0).fit(X, Y)
    forest.save(os.fsencode(tmp_path / "bytes.overtake"))
    assert overtake.load(os.fsencode(tmp_path / "bytes.overtake")).description["trees"] == 5
    with pytest.raises(ValueError, match="null byte"):
        forest.save(str(tmp_path / "a\0b"))


def test_derived_classes_are_not_exchanged_under_patch():
    script = """
import overtake.sklearn
overtake.sklearn.patch()
from sklearn.ensemble import RandomForestRegressor
class Mine(RandomForestRegressor):
    def predict(self, X):
        return super().predict(X) * 0 + 7
mine = Mine(n_estimators=3).fit([[0.0], [1.0]] * 5, [0.0, 1.0] * 5)
assert list(mine.predict([[0.0]])) == [7]
try:
    mine.set_params(criterion="absolute_error").fit([[0.0], [1.0]] * 5, [0.0, 1.0] * 5)
except ValueError as error:
    assert "Mine, which is derived from Overtake's class" in str(error), error
else:
    raise SystemExit("exchanged in silence")
assert list(mine.predict([[0.0]])) == [7]
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_script_from_a_pipe_runs():
    run = subprocess.run(
        [sys.executable, "-m", "overtake", "/dev/stdin"],
        input="print('ran')",
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "ran\n"
