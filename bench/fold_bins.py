#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the scores of a search move because its bins come from all rows, test rows included (ADR 0005)?

For each data set and seed: the five scores of `overtake search` (bins of all rows), and those of five models that
`overtake train` made of the training rows alone (bins of these rows) and `overtake score` judged on the test rows. The
random draws differ too, so the difference is to be seen beside its standard error over seeds.

    bench/fold_bins.py OVERTAKE [SEEDS]        # needs scikit-learn for its data; prints a table, then JSON
"""
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy
from sklearn import datasets, model_selection

import record

FOREST = ["--estimator", "random-forest", "--device", "cpu"]


def sets():
    x, y = datasets.load_breast_cancer(return_X_y=True)
    yield "breast cancer, 569 x 30", x, y, "accuracy"
    x, y = datasets.load_wine(return_X_y=True)
    yield "wine, 178 x 13", x, y, "accuracy"
    x, y = datasets.load_diabetes(return_X_y=True)
    yield "diabetes, 442 x 10", x, y, "r2"
    x, y = datasets.make_friedman1(3000, 10, noise=1.0, random_state=0)
    yield "friedman, 3,000 x 10", x, y, "r2"
    x, y = datasets.make_classification(3000, 20, n_informative=6, random_state=1)
    yield "generated, 3,000 x 20", x, y, "accuracy"
    rng = numpy.random.default_rng(2)
    x = rng.lognormal(0, 3, (3000, 5))  # far tails: most of the range belongs to a few rows
    yield "log-normal, 3,000 x 5", x, numpy.log(x[:, 0]) + numpy.sin(numpy.log(x[:, 1])) + rng.normal(0, 0.3, 3000), "r2"


def write(path, x, y, fold=None):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"x{i}" for i in range(x.shape[1])] + ["y"] + ([] if fold is None else ["fold"]))
        for i in range(len(y)):
            writer.writerow([repr(float(v)) for v in x[i]] + [y[i].item()] + ([] if fold is None else [fold[i]]))


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def scores_of(overtake, folder, x, y, metric, seed, bins):
    kind = model_selection.StratifiedKFold if metric == "accuracy" else model_selection.KFold
    fold = numpy.zeros(len(y), int)
    parts = list(kind(5, shuffle=True, random_state=seed).split(x, y))
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    task = "classification" if metric == "accuracy" else "regression"
    write(folder / "all.csv", x, y, fold)
    run(overtake, "search", folder / "all.csv", "--target", "y", "--fold", "fold", "--task", task, *FOREST, "--grid", "n_estimators=100",
        "--grid", f"max_bins={bins}", "--scoring", metric, "--seed", seed, "--no-refit", "--json", folder / "search.json")
    together = json.loads((folder / "search.json").read_text())["cv_results_"]["mean_test_score"][0]
    alone = []
    for train, test in parts:
        write(folder / "train.csv", x[train], y[train])
        write(folder / "test.csv", x[test], y[test])
        run(overtake, "train", folder / "train.csv", "--target", "y", "--task", task, *FOREST, "--set", "n_estimators=100",
            "--set", f"max_bins={bins}", "--seed", seed, "--save", folder / "model")
        run(overtake, "predict", folder / "model", folder / "test.csv", "--out", folder / "p.csv")
        run(overtake, "score", folder / "p.csv", "--truth", folder / "test.csv", "--target", "y", "--task", task, "--json",
            folder / "score.json")
        alone.append(json.loads((folder / "score.json").read_text())["scores"][metric])
        for name in ("model", "p.csv"):
            (folder / name).unlink()
    return together, statistics.mean(alone)


def main():
    overtake = pathlib.Path(sys.argv[1]).resolve()
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    rows = []
    for name, x, y, metric in sets():
        for bins in (256, 32):
            with tempfile.TemporaryDirectory() as folder:
                pairs = [scores_of(overtake, pathlib.Path(folder), x, y, metric, seed, bins) for seed in range(seeds)]
            differences = [a - b for a, b in pairs]
            rows.append({"data": name, "metric": metric, "max_bins": bins, "seeds": seeds,
                         "bins_of_all_rows": statistics.mean(a for a, _ in pairs),
                         "bins_of_training_rows": statistics.mean(b for _, b in pairs),
                         "difference": statistics.mean(differences),
                         "standard_error": statistics.stdev(differences) / len(differences) ** 0.5})
            print("| {data} | {metric} | {max_bins} | {bins_of_all_rows:.4f} | {bins_of_training_rows:.4f} | {difference:+.4f} | "
                  "{standard_error:.4f} |".format(**rows[-1]), flush=True)
    print(json.dumps({**record.head(sys.argv), "rows": rows}))


if __name__ == "__main__":
    main()
