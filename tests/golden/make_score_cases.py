# SPDX-License-Identifier: MIT
"""Writes tests/cases/score_*: predictions, truth, and the scores that scikit-learn computes from the two files; and
tests/cases/group_values: scores of the folds that GroupKFold makes of numbers and of words.

    python make_score_cases.py            # needs scikit-learn 1.9 and numpy
"""
import json
import pathlib
import shutil
import warnings

import numpy as np
from sklearn import metrics, model_selection

warnings.simplefilter("ignore")
CASES = pathlib.Path(__file__).resolve().parents[1] / "cases"
RANDOM = np.random.RandomState(0)


def write(name, about, header, predicted, truth, flags, scores, positive):
    folder = CASES / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "p.csv").write_text("\n".join([header, *predicted]) + "\n")
    (folder / "d.csv").write_text("\n".join(["x,y", *(f"{i},{t}" for i, t in enumerate(truth))]) + "\n")
    checks = [{"file": "-", "path": f"scores.{key}",
               **({"equals": None} if np.isnan(value) else {"near": [float(value), 1e-12 * max(1, abs(value))]})}
              for key, value in scores.items()]
    checks += [{"file": "-", "path": "scores", "length": len(scores)}, {"file": "-", "path": "positive_class", "equals": positive}]
    step = {"run": f"score p.csv --truth d.csv --target y --json - {flags}".strip(), "json": checks}
    (folder / "case.json").write_text(json.dumps({"about": about, "steps": [step]}, indent=1) + "\n")


def classes(name, about, labels, rows, flags="", positive=None, probabilities=True, missing=False):
    labels = np.array(labels)
    k = len(labels)
    place = RANDOM.randint(0, k - (1 if missing else 0), size=rows)
    shares = (RANDOM.dirichlet(np.ones(k), size=rows) + np.eye(k)[place]).round(2)
    shares /= shares.sum(axis=1, keepdims=True)
    guess = shares.argmax(axis=1)
    truth, answers = labels[place], labels[guess]
    scores = {"accuracy": metrics.accuracy_score(truth, answers),
              "balanced_accuracy": metrics.balanced_accuracy_score(truth, answers)}
    for average in ("macro", "micro", "weighted"):
        scores[f"f1_{average}"] = metrics.f1_score(truth, answers, average=average, zero_division=0)
    scores["precision_macro"] = metrics.precision_score(truth, answers, average="macro", zero_division=0)
    scores["recall_macro"] = metrics.recall_score(truth, answers, average="macro", zero_division=0)
    about_one = {}
    if k == 2 and positive is not None:
        for key, function in (("f1", metrics.f1_score), ("precision", metrics.precision_score), ("recall", metrics.recall_score)):
            scores[key] = function(truth, answers, pos_label=positive, zero_division=0)
            about_one[key] = str(positive)
    if probabilities:
        scores["neg_log_loss"] = -metrics.log_loss(truth, shares, labels=labels)
        if k == 2:
            scores["roc_auc"] = scores["roc_auc_ovr"] = metrics.roc_auc_score(truth, shares[:, 1])
            about_one["roc_auc"] = flags.split()[-1] if flags else str(labels[1])
        else:
            scores["roc_auc_ovr"] = np.nan if missing else metrics.roc_auc_score(truth, shares, multi_class="ovr")
    header = ",".join(["y", *(f"probability_{label}" for label in labels)] if probabilities else ["y"])
    cells = [",".join([str(a), *(map(repr, map(float, s)) if probabilities else ())]) for a, s in zip(answers, shares)]
    write(name, about, header, cells, truth, flags, scores, about_one)


def numbers(name, about, truth, answers):
    scores = {"r2": metrics.r2_score(truth, answers), "neg_mean_squared_error": -metrics.mean_squared_error(truth, answers),
              "neg_root_mean_squared_error": -metrics.root_mean_squared_error(truth, answers),
              "neg_mean_absolute_error": -metrics.mean_absolute_error(truth, answers)}
    write(name, about, "y", [repr(float(a)) for a in answers], [repr(float(t)) for t in truth], "", scores, {})


def group_values():
    """A tree predicts a number of its own for each fold: c is the only feature and constant."""
    folder = CASES / "group_values"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    y = RANDOM.uniform(0, 64, size=36).round(2)
    steps = []
    groups = {"numbers": np.repeat([100, 20, 3, 7, 11, -5, -40, 1000, 999], 4),
              "words": np.repeat(["g10", "g9", "G9", "b", "\u00e4", "z", "a", "g1", "\U0001f600"], 4)}
    for name, group in groups.items():
        group = group[RANDOM.permutation(36)]
        (folder / f"{name}.csv").write_text("\n".join(["c,g,y", *(f"0,{g},{t}" for g, t in zip(group, y))]) + "\n")
        checks = []
        for f, (train, test) in enumerate(model_selection.GroupKFold(4).split(y, y, group)):
            score = -metrics.mean_absolute_error(y[test], np.full(len(test), y[train].mean()))
            checks.append({"file": "-", "path": f"cv_results_.split{f}_test_score.0", "near": [float(score), 1e-9]})
        steps.append({"run": f"search {name}.csv --target y --group g --cv 4 --grid n_estimators=1 --set bootstrap=false --scoring mae "
                             "--no-refit --device cpu --json -", "json": checks})
    (folder / "case.json").write_text(json.dumps({
        "about": "Groups of one size are dealt out in the order of their values: numbers by value, words by code point.",
        "steps": steps}, indent=1) + "\n")


if __name__ == "__main__":
    classes("score_three_classes", "Every metric of three classes of words.", ["ant", "bee", "cat"], 60)
    classes("score_class_without_rows", "A class that no row has: roc_auc_ovr is undefined, the others are not.",
            ["a", "b", "c"], 40, missing=True)
    classes("score_zero_one", "Of 0 and 1 the positive class is 1.", [0, 1], 50, positive=1)
    classes("score_one_two", "Of 1 and 2 f1 is about 1 and roc_auc about 2, as scikit-learn's scorers.", [1, 2], 50, positive=1)
    classes("score_minus_one_one", "Of -1 and 1 the positive class is 1.", [-1, 1], 50, positive=1)
    classes("score_two_words", "Of two words none is positive: f1, precision and recall are left out.", ["no", "yes"], 50)
    classes("score_positive_class", "Of two words one is named.", ["no", "yes"], 50, flags="--positive-class yes", positive="yes")
    classes("score_labels_only", "Without probabilities roc_auc and log_loss are left out.", ["u", "v", "w"], 30, probabilities=False)
    far = 1e9 + RANDOM.uniform(0, 100, size=80)
    numbers("score_far_numbers", "Numbers from 1e9 to 1e9 + 100 are compared in double.", far, far + RANDOM.normal(size=80))
    numbers("score_constant", "Equal truths: r2 is 0 where a prediction misses.", np.full(9, 2.5), np.full(9, 2.5) + 0.25)
    group_values()
