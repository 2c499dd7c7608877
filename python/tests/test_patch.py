# SPDX-License-Identifier: MIT
"""Scripts of scikit-learn that nobody changed."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import sklearn.ensemble
import sklearn.model_selection
from sklearn.datasets import load_iris

import overtake.sklearn
from overtake.sklearn import patch, unpatch
from overtake.sklearn._forests import OvertakeForest
from overtake.sklearn._ran import counts

X, Y = load_iris(return_X_y=True)
THEIRS = (sklearn.ensemble.RandomForestClassifier,)  # a name of this module would be patched, too


@pytest.fixture
def patched():
    patch()
    counts.clear()
    yield
    unpatch()
    assert sklearn.ensemble.RandomForestClassifier is THEIRS[0]


def test_names_lead_here_and_back(patched):
    from sklearn.ensemble import RandomForestClassifier as imported_later

    assert imported_later is sklearn.ensemble.RandomForestClassifier is not THEIRS[0]
    assert issubclass(imported_later, THEIRS[0])
    forest = imported_later(n_estimators=3, random_state=0)
    assert forest.get_params() == THEIRS[0](n_estimators=3, random_state=0).get_params()
    assert isinstance(forest.fit(X, Y), OvertakeForest)
    same = overtake.sklearn.RandomForestClassifier(n_estimators=3, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(forest.predict_proba(X), same.predict_proba(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(forest)).predict(X), forest.predict(X))
    assert type(forest.as_sklearn()) is THEIRS[0]


def test_what_overtake_has_not_scikit_learn_does(patched):
    y = np.column_stack([Y, Y[::-1]])
    forest = sklearn.ensemble.RandomForestClassifier(n_estimators=3, random_state=0)
    forest.fit(X, y)
    assert forest.predict(X).shape == (150, 2) and len(forest.estimators_) == 3
    kept = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(kept.predict(X), forest.predict(X))
    assert isinstance(forest, sklearn.ensemble.RandomForestClassifier)
    forest.fit(X, Y)
    assert "model_" in vars(forest) and forest.predict(X).shape == (150,)
    median = sklearn.ensemble.ExtraTreesRegressor(n_estimators=2, criterion="absolute_error").fit(X, Y)
    assert median.feature_importances_.shape == (4,)
    line = overtake.sklearn.summary()
    assert "ran 1 x RandomForestClassifier" in line
    assert "y has 2 columns" in line and "criterion: absolute_error" in line


def test_errors_are_scikit_learns(patched):
    with pytest.raises(ValueError, match="The 'n_estimators' parameter of RandomForestClassifier must be"):
        sklearn.ensemble.RandomForestClassifier(n_estimators=0).fit(X, Y)


def test_searches_with_candidates_that_overtake_has_not(patched):
    grid = {"criterion": ["squared_error", "absolute_error"], "n_estimators": [2]}
    search = sklearn.model_selection.GridSearchCV(sklearn.ensemble.RandomForestRegressor(random_state=0), grid, cv=2)
    search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    reasons = {reason.split(":")[0] for name, reason in counts if name == "GridSearchCV"}
    assert reasons == {"criterion"}


SCRIPT = """
import sys
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
import helper

if __name__ == "__main__":
    X, y = load_iris(return_X_y=True)
    GridSearchCV(RandomForestClassifier(), {"max_depth": [1, 2]}).fit(X, y)
    GridSearchCV(SVC(), {"C": [1.0]}).fit(X, y)
    print(sys.argv, helper.NAME)
    sys.exit(3 if sys.argv[1:] == ["fail"] else 0)
"""


def run(arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "overtake", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "helper.py").write_text("NAME = 'helper'\n")
    return tmp_path


@pytest.mark.parametrize("how", [["script.py"], ["-m", "script"]])
def test_a_script_runs_unchanged(script, how):
    done = run([*how, "a", "b"], script)
    assert done.returncode == 0, done.stderr
    assert "'a', 'b'] helper" in done.stdout
    assert done.stderr.splitlines()[-1] == (
        "overtake: ran 1 x RandomForestClassifier, 1 x GridSearchCV; "
        "scikit-learn ran 1 x GridSearchCV (SVC is scikit-learn's)"
    )


def test_exit_codes_and_mistakes(script):
    assert run(["script.py", "fail"], script).returncode == 3
    missing = run(["nothing.py"], script)
    assert missing.returncode == 2 and "error: nothing.py does not exist" in missing.stderr
    assert run([], script).returncode == 2
    assert "usage: " in run(["--help"], script).stdout


def test_a_package_of_the_same_name_says_so(tmp_path):
    """Where a stranger's module took the name, our subpackage is found and says what happened."""
    package = tmp_path / "overtake"
    package.mkdir()
    (package / "__init__.py").write_text("overload = None\n")
    (package / "sklearn").symlink_to(overtake.sklearn.__path__[0])
    done = subprocess.run(
        [sys.executable, "-c", "import overtake.sklearn"],
        env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ImportError" in done.stderr and "is another package of this name" in done.stderr
