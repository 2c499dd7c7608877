# SPDX-License-Identifier: MIT
"""Columns of categories of pandas, polars and Arrow."""

import pickle

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
import sklearn

import overtake
from overtake.sklearn import GridSearchCV, RandomForestClassifier, RandomForestRegressor

# Before 1.9 scikit-learn keeps the names of pandas' columns alone.
NAMES_OF_ALL = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)
COLORS = ["red", "green", "blue", "\u00c9meraude", None]


def frame_of(rows=200, seed=0):
    """Colours whose order among the categories is not that of bytes; the answer hangs on them."""
    random = np.random.default_rng(seed)
    colors = [COLORS[i] for i in random.integers(len(COLORS), size=rows)]
    kinds = pd.CategoricalDtype(["red", "never", "\u00c9meraude", "green", "blue"])
    frame = pd.DataFrame({"size": random.random(rows), "color": pd.Categorical(colors, dtype=kinds)})
    answers = np.array([color in ("blue", "red") for color in colors]) ^ (frame["size"].to_numpy() > 0.8)
    return frame, answers.astype(int)


def encoded(frame):
    """The same by hand: the place among the sorted texts that are there."""
    places = {"blue": 0.0, "green": 1.0, "red": 2.0, "\u00c9meraude": 3.0}
    return np.column_stack([frame["size"], [places.get(color, np.nan) for color in frame["color"]]])


def others_of(frame):
    """The same table in other libraries."""
    table = pyarrow.Table.from_pandas(frame)
    halves = pyarrow.concat_tables([pyarrow.Table.from_pandas(half) for half in (frame[:50], frame[50:])])
    return [frame, polars.from_pandas(frame), table, halves, table.to_batches()[0]]


def test_categories_are_places_among_the_sorted_texts_in_every_library():
    frame, y = frame_of()
    expected = RandomForestClassifier(9, random_state=0).fit(encoded(frame), y)
    for table in others_of(frame):
        forest = RandomForestClassifier(9, random_state=0).fit(table, y)
        assert forest.categories_ == [None, ["blue", "green", "red", "\u00c9meraude"]]
        if NAMES_OF_ALL or isinstance(table, pd.DataFrame):
            assert list(forest.feature_names_in_) == ["size", "color"]
        np.testing.assert_array_equal(forest.predict_proba(table), expected.predict_proba(encoded(frame)))
        np.testing.assert_array_equal(forest.encode(table).astype(np.float32), encoded(frame).astype(np.float32))
        numbers = pd.DataFrame(forest.encode(table), columns=frame.columns)
        np.testing.assert_array_equal(forest.as_sklearn().predict_proba(numbers), forest.predict_proba(table))
        assert forest.score(table, y) > 0.95


def test_any_library_predicts_what_another_learned():
    frame, y = frame_of()
    forest = pickle.loads(pickle.dumps(RandomForestClassifier(9, random_state=0).fit(frame, y)))
    new, _ = frame_of(40, seed=1)
    expected = forest.predict_proba(new)
    text = new.assign(color=new["color"].astype(object))
    renamed = new.assign(color=new["color"].cat.reorder_categories(["blue", "green", "red", "\u00c9meraude", "never"]))
    for table in [*others_of(new), text, renamed, polars.from_pandas(text), pyarrow.Table.from_pandas(text)]:
        np.testing.assert_array_equal(forest.predict_proba(table), expected)
    numbers = forest.encode(new)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(forest.predict_proba(numbers), expected)


def test_a_category_that_nobody_learned_is_missing():
    frame, y = frame_of()
    forest = RandomForestClassifier(9, random_state=0).fit(frame, y)
    unseen = pd.DataFrame({"size": [0.5, 0.5], "color": pd.Categorical(["never", "mauve"])})
    missing = pd.DataFrame({"size": [0.5, 0.5], "color": pd.Categorical([None, None], categories=["red"])})
    np.testing.assert_array_equal(forest.predict_proba(unseen), forest.predict_proba(missing))


def test_the_order_of_ordered_categories_is_kept():
    levels = ["low", "middle", "high"]
    column = pd.Categorical(np.array(levels)[np.arange(90) % 3], categories=levels, ordered=True)
    y = (column.codes >= 1).astype(float)
    enum = polars.DataFrame({"level": polars.Series(list(column), dtype=polars.Enum(levels))})
    for table in (pd.DataFrame({"level": column}), enum):
        stump = RandomForestRegressor(1, max_depth=1, bootstrap=False).fit(table, y)
        assert stump.categories_ == [levels]
        assert stump.score(table, y) == 1.0


def test_models_keep_the_categories(tmp_path):
    frame, y = frame_of()
    forest = RandomForestClassifier(9, random_state=0).fit(frame, y)
    forest.save(tmp_path / "forest.overtake")
    described = overtake.load(tmp_path / "forest.overtake").description
    assert described["categories"] == [None, ["blue", "green", "red", "\u00c9meraude"]]


@pytest.mark.parametrize("scoring", [None, lambda forest, X, y: forest.score(X, y)])
def test_searches_take_categories(scoring):
    frame, y = frame_of()
    grid = {"max_depth": [1, 2, 4]}
    for table, X in ((frame, encoded(frame)), (polars.from_pandas(frame), encoded(frame))):
        searches = [
            GridSearchCV(RandomForestClassifier(9, random_state=0), grid, scoring=scoring).fit(rows, y)
            for rows in (table, X)
        ]
        assert searches[0].overtake_result_ is not None
        scores = [search.cv_results_["mean_test_score"] for search in searches]
        np.testing.assert_array_equal(*scores)
        np.testing.assert_array_equal(searches[0].predict(table), searches[1].predict(X))


def test_what_is_wrong_with_columns_is_said_by_name():
    frame, y = frame_of()
    forest = RandomForestClassifier(3).fit(frame, y)
    with pytest.raises(
        overtake.UsageError, match=r"column 'color' holds numbers, and the forest learned the categories"
    ):
        forest.predict(frame.assign(color=1.0))
    with pytest.raises(overtake.UsageError, match=r"column 'size' holds categories, and the forest learned numbers"):
        forest.predict(frame.assign(size=frame["color"]))
    text = frame.assign(color=frame["color"].astype(object).fillna("none"))
    for table in (text, polars.from_pandas(text)):
        with pytest.raises(ValueError, match=r"(?s)could not convert string.*columns hold text: 'color'.*category"):
            RandomForestClassifier(3).fit(table, y)
    many = pd.DataFrame({"id": pd.Categorical([f"n{i}" for i in range(5000)])})
    with pytest.raises(overtake.DataError, match="5000 categories, expected at most 4096"):
        RandomForestClassifier(3).fit(many, np.arange(5000) % 2)


def test_numbers_declared_as_categories_stay_numbers():
    frame = pd.DataFrame({"grade": pd.Categorical([3, 1, 2] * 20)})
    y = np.array([1, 0, 0] * 20)
    forest = RandomForestClassifier(5, random_state=0).fit(frame, y)
    assert forest.categories_ == []
    assert forest.score(frame, y) == 1.0
