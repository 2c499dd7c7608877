# SPDX-License-Identifier: MIT
"""Writes sklearn_search.json: the rows of scikit-learn's splits, its metrics and scorers, its ranks and its grid order.

    python make_sklearn_search.py            # needs scikit-learn 1.9 and numpy

The inputs (labels, groups, probabilities) are in the file too, so that the test needs no generator of its own.
"""
import json
import pathlib
import warnings

import numpy as np
import sklearn
from sklearn import metrics, model_selection
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection._search import BaseSearchCV

warnings.simplefilter("ignore")


def rows(splits):
    """Training and test rows of each fold."""
    return [{"train": train.tolist(), "test": test.tolist()} for train, test in splits]


def label_sets():
    random = np.random.RandomState(0)
    yield "sorted", np.repeat([0, 1, 2], [20, 20, 20])
    yield "uneven", random.choice(4, size=53, p=[0.5, 0.3, 0.15, 0.05])
    yield "descending", np.repeat([2, 1, 0], [7, 12, 9])
    yield "rare", np.concatenate([np.zeros(20, int), [1, 1], np.full(9, 2)])
    yield "two", random.randint(0, 2, size=37)
    yield "one", np.zeros(11, int)
    yield "odd", np.array([3, 1, 3, 0, 1, 1, 3, 0, 3, 1, 1])
    yield "many", random.permutation(np.repeat(np.arange(12), 6))


def folds():
    cases = []
    for name, y in label_sets():
        x = np.zeros((len(y), 1))
        groups = np.random.RandomState(len(y)).randint(-3, 9, size=len(y))
        for n in (2, 3, 5, 10):
            split = {"k_fold": model_selection.KFold(n).split(x)}
            if np.bincount(y).max() >= n:
                split["stratified"] = model_selection.StratifiedKFold(n).split(x, y)
            if len(np.unique(groups)) >= n:
                split["group"] = model_selection.GroupKFold(n).split(x, y, groups)
            split["time_series"] = model_selection.TimeSeriesSplit(n).split(x)
            for kind, parts in split.items():
                cases.append({"data": name, "kind": kind, "n_splits": n, "labels": y.tolist(),
                              "groups": groups.tolist() if kind == "group" else [], "folds": rows(parts)})
        column = np.random.RandomState(len(y) + 1).choice([-1, 0, 2, 7], size=len(y))
        cases.append({"data": name, "kind": "predefined", "n_splits": 5, "labels": y.tolist(), "groups": column.tolist(),
                      "folds": rows(model_selection.PredefinedSplit(column).split())})
    # More groups than the sort of small arrays takes, most of them of one size.
    for rows_in_all, groups_in_all in ((40, 40), (70, 33), (25, 6)):
        y = np.arange(rows_in_all) % 2
        groups = np.random.RandomState(rows_in_all).permutation(np.arange(rows_in_all) % groups_in_all) * 7 - 50
        for n in (2, 4, 6):
            splits = model_selection.GroupKFold(n).split(np.zeros((rows_in_all, 1)), y, groups)
            cases.append({"data": f"{groups_in_all} groups", "kind": "group", "n_splits": n, "labels": y.tolist(),
                          "groups": groups.tolist(), "folds": rows(splits)})
    return cases


def number(value):
    return None if np.isnan(value) else float(value)


def classification(name, classes, y, p):
    guess = p.argmax(axis=1)
    labels = np.arange(classes)
    scores = {
        "accuracy": metrics.accuracy_score(y, guess),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, guess),
        "neg_log_loss": -metrics.log_loss(y, p, labels=labels),
    }
    for average in ("macro", "micro", "weighted"):
        scores[f"f1_{average}"] = metrics.f1_score(y, guess, average=average, zero_division=0)
    scores["precision_macro"] = metrics.precision_score(y, guess, average="macro", zero_division=0)
    scores["recall_macro"] = metrics.recall_score(y, guess, average="macro", zero_division=0)
    if classes == 2:
        scores["f1"] = metrics.f1_score(y, guess, zero_division=0)
        scores["precision"] = metrics.precision_score(y, guess, zero_division=0)
        scores["recall"] = metrics.recall_score(y, guess, zero_division=0)
        scores["roc_auc"] = scores["roc_auc_ovr"] = metrics.roc_auc_score(y, p[:, 1])
    elif len(np.unique(y)) == classes:
        scores["roc_auc_ovr"] = metrics.roc_auc_score(y, p, multi_class="ovr")
    else:
        scores["roc_auc_ovr"] = np.nan  # what its search records where the score cannot be computed
    return {"name": name, "task": "classification", "classes": classes, "labels": y.tolist(),
            "confusion": metrics.confusion_matrix(y, guess, labels=labels).ravel().tolist(),
            "probabilities": p.ravel().tolist(), "scores": {k: number(v) for k, v in scores.items()}}


def regression(name, y, guess):
    scores = {
        "r2": metrics.r2_score(y, guess) if len(y) > 1 else np.nan,
        "neg_mean_squared_error": -metrics.mean_squared_error(y, guess),
        "neg_root_mean_squared_error": -metrics.root_mean_squared_error(y, guess),
        "neg_mean_absolute_error": -metrics.mean_absolute_error(y, guess),
    }
    return {"name": name, "task": "regression", "targets": y.tolist(),
            "squared_error": float(((y - guess) ** 2).sum()),
            "absolute_error": float(np.abs(y - guess).sum()),
            "scores": {k: number(v) for k, v in scores.items()}}


def scores():
    random = np.random.RandomState(1)

    def shares(n, classes, trees):
        """Votes of a small forest: ties, zeros and ones."""
        votes = random.multinomial(trees, random.dirichlet(np.ones(classes)), size=n) if trees else None
        return votes / trees if trees else random.dirichlet(np.ones(classes), size=n)

    def truth(p, noise):
        y = p.argmax(axis=1)
        wrong = random.uniform(size=len(y)) < noise
        return np.where(wrong, random.randint(0, p.shape[1], size=len(y)), y)

    cases = []
    for n, classes, trees, noise in ((60, 3, 0, 0.3), (41, 3, 5, 0.5), (50, 2, 0, 0.3), (37, 2, 4, 0.4), (80, 7, 10, 0.4),
                                     (10, 2, 1, 0.0)):
        p = shares(n, classes, trees)
        cases.append(classification(f"{n} rows, {classes} classes, {trees} trees", classes, truth(p, noise), p))
    p = shares(30, 4, 10)
    cases.append(classification("class 3 has no rows", 4, truth(p, 0.4) % 3, p))
    p = np.zeros((12, 4))
    p[np.arange(12), random.randint(0, 2, size=12)] = 1
    cases.append(classification("classes nobody predicts, sure and wrong", 4, random.randint(0, 3, size=12), p))
    p = np.column_stack([np.full(9, 0.75), np.full(9, 0.25)])
    cases.append(classification("all tied", 2, np.array([0, 1, 0, 0, 1, 1, 0, 0, 0]), p))
    p = shares(8, 2, 5)
    cases.append(classification("only class 0", 2, np.zeros(8, int), p))
    for n in (2, 17, 200):
        y = random.normal(size=n)
        cases.append(regression(f"{n} rows", y, y + random.normal(size=n) * 0.3))
    y = 1e9 + random.uniform(0, 100, size=60)
    cases.append(regression("far from 0", y, y + random.normal(size=60)))
    cases.append(regression("tiny", y * 1e-20, y * 1e-20 + random.normal(size=60) * 1e-20))
    cases.append(regression("one row", np.array([1.5]), np.array([1.0])))
    cases.append(regression("constant, missed", np.full(5, 2.0), np.full(5, 2.5)))
    cases.append(regression("constant, hit", np.full(5, 2.0), np.full(5, 2.0)))
    return cases


class Answers(ClassifierMixin, BaseEstimator):
    """What a scorer asks of an estimator, from given labels and shares."""
    def __init__(self, labels=(), guess=(), shares=()):
        self.classes_, self.guess, self.shares = np.unique(labels), guess, shares

    def predict(self, x):
        return self.guess

    def predict_proba(self, x):
        return self.shares


def scorers():
    """The scorers of one class, for every kind of two labels: which one is positive, and where none is."""
    random = np.random.RandomState(3)
    cases = []
    for labels in ([0, 1], [1, 2], [-1, 1], [0, 2], ["a", "b"], [False, True], [0.0, 1.0], [1, 10]):
        place = random.randint(0, 2, size=40)
        shares = random.dirichlet(np.ones(2), size=40) * 0.7 + 0.3 * np.eye(2)[place]
        guess = shares.argmax(axis=1)
        estimator = Answers(labels, np.array(labels)[guess], shares)
        scores = {}
        for name in ("f1", "precision", "recall", "roc_auc"):
            try:
                scores[name] = float(metrics.get_scorer(name)(estimator, np.zeros((40, 1)), np.array(labels)[place]))
            except ValueError as error:
                assert "pos_label=1 is not a valid label" in str(error), error
                scores[name] = None
        cases.append({"names": [str(label) for label in labels], "truth": place.tolist(), "guess": guess.tolist(),
                      "shares": shares.ravel().tolist(), "scores": scores})
    return cases


def tables():
    """Means, spreads and ranks as the search of scikit-learn makes them from scores of folds."""
    random = np.random.RandomState(2)
    cases = []
    for candidates, splits in ((6, 3), (12, 5), (9, 10), (5, 130), (4, 300)):
        table = random.randint(24, 31, size=(candidates, splits)) / 30
        table[1] = table[0][::-1]
        table[3] = table[0]
        if splits == 5:
            table[2, 4] = np.nan
            table[7] = np.nan
        cases.append(table)
    cases.append(np.full((3, 4), np.nan))
    return [{"scores": [[number(v) for v in row] for row in table], **formatted(table)} for table in cases]


def formatted(table):
    candidates, splits = table.shape
    out = [{"fit_time": 0.0, "score_time": 0.0, "test_scores": {"score": v}, "n_test_samples": 1,
            "fit_error": None} for v in table.ravel()]
    search = model_selection.GridSearchCV(None, {})
    results = BaseSearchCV._format_results(search, [{"a": i} for i in range(candidates)], splits, out)
    # Ranks of the means without the last digits, which depend on the order in which folds are added up.
    rounded = [{**one, "test_scores": {"score": float(f"{mean:.12g}")}}
               for one, mean in zip(out[::splits], results["mean_test_score"])]
    ranks = BaseSearchCV._format_results(search, [{"a": i} for i in range(candidates)], 1, rounded)["rank_test_score"]
    return {"mean": [number(v) for v in results["mean_test_score"]], "std": [number(v) for v in results["std_test_score"]],
            "rank": ranks.tolist()}


def grids():
    grid = {"n_estimators": [50, 100], "max_depth": [None, 3, 5], "criterion": ["gini", "entropy"], "ccp_alpha": [0.0, 0.5]}
    return [{"grid": grid, "candidates": list(model_selection.ParameterGrid(grid))}]


def write_line_by_line(path, content):
    """One case a line: readable differences without a line for every number."""
    lines = [f'"sklearn": {json.dumps(content["sklearn"])}']
    for key in ("folds", "scores", "scorers", "tables", "grids"):
        lines.append(f'"{key}": [\n' + ",\n".join(json.dumps(case) for case in content[key]) + "\n]")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write_line_by_line(pathlib.Path(__file__).with_name("sklearn_search.json"),
                       {"sklearn": sklearn.__version__, "folds": folds(), "scores": scores(), "scorers": scorers(),
                        "tables": tables(), "grids": grids()})
