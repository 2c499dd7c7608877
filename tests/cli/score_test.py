# SPDX-License-Identifier: MIT
"""What train and predict print is what `overtake score` computes from the written predictions, and what a plain formula
says of them."""
import csv
import json
import math
import random

from support import IRIS, CliTest, main


def after(text, mark):
    return float(text.split(mark, 1)[1].split()[0].rstrip("%,"))


def column(path, name):
    with open(path, newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def r2(predicted, truth):
    mean = math.fsum(truth) / len(truth)
    return 1 - math.fsum((p - t) ** 2 for p, t in zip(predicted, truth)) / math.fsum((t - mean) ** 2 for t in truth)


class Score(CliTest):
    def far_numbers(self, rows=120):
        """Targets from 1e9 to 1e9 + 100: float32 holds two of them."""
        draw = random.Random(1)
        lines = ["x,z,y"]
        for _ in range(rows):
            x, z = draw.uniform(0, 10), draw.uniform(0, 1)
            lines.append(f"{x:.4f},{z:.4f},{1e9 + 10 * x + 3 * z + draw.gauss(0, 1):.4f}")
        return self.write("d.csv", "\n".join(lines) + "\n")

    def scores(self, predictions, truth, target, *more):
        out, _ = self.overtake("score", predictions, "--truth", truth, "--target", target, "--json", "-", *more)
        return json.loads(out)["scores"]

    def agrees(self, data, target, *train, name, decimals=4):
        """Trains, predicts and scores; returns the exact score."""
        out, _ = self.overtake("train", data, "--target", target, "--device", "cpu", "--save", "m", *train)
        printed, _ = self.overtake("predict", "m", data, "--out", "p.csv")
        score = self.scores("p.csv", data, target)[name]
        if "--estimator" in train:
            self.assertAlmostEqual(after(out, f"training: {name} "), score, delta=0.51 * 10**-decimals)
        share = 100 if name == "accuracy" else 1
        self.assertAlmostEqual(after(printed, f"{name} on column {target}: ") / share, score, delta=6e-4 if share == 100 else 1e-6)
        return score

    def test_forest_of_numbers_far_from_zero(self):
        data = self.far_numbers()
        score = self.agrees(data, "y", "--estimator", "random-forest", "--n-estimators", "20", name="r2")
        self.assertAlmostEqual(score, r2([float(v) for v in column(self.folder / "p.csv", "y")],
                                         [float(v) for v in column(data, "y")]), delta=1e-12)
        self.assertGreater(score, 0.9)

    def test_network_of_numbers_far_from_zero(self):
        data = self.far_numbers()
        score = self.agrees(data, "y", "--epochs", "100", name="r2")
        self.assertAlmostEqual(score, r2([float(v) for v in column(self.folder / "p.csv", "y")],
                                         [float(v) for v in column(data, "y")]), delta=1e-12)
        self.assertGreater(score, 0.9)

    def test_classes(self):
        score = self.agrees(IRIS, "species", "--estimator", "random-forest", "--max-depth", "2", "--n-estimators", "3",
                            name="accuracy")
        truth, guess = column(IRIS, "species"), column(self.folder / "p.csv", "species")
        self.assertEqual(score, sum(t == g for t, g in zip(truth, guess)) / len(truth))
        self.agrees(IRIS, "species", "--epochs", "20", name="accuracy")

    def test_search_scores_what_is_predicted(self):
        """The rows of the fold are trained on in both, so the trees are the same."""
        rows = (self.far_numbers(90)).read_text().splitlines()
        # Twice the same rows: bins, which search makes of all rows, are those of the training rows.
        lines = [rows[0] + ",fold"] + [r + ",-1" for r in rows[1:]] + [r + ",0" for r in rows[1:]]
        both = self.write("both.csv", "\n".join(lines) + "\n")
        common = ("--target", "y", "--device", "cpu", "--seed", "3")
        out, _ = self.overtake("search", both, *common, "--fold", "fold", "--grid", "n_estimators=5", "--scoring", "r2,mse,mae",
                               "--json", "-")
        found = json.loads(out)["cv_results_"]
        train = self.write("train.csv", "\n".join(rows) + "\n")
        self.overtake("train", train, *common, "--estimator", "random-forest", "--n-estimators", "5", "--save", "m")
        self.overtake("predict", "m", train, "--out", "p.csv")
        scores = self.scores("p.csv", train, "y")
        for name in ("r2", "neg_mean_squared_error", "neg_mean_absolute_error"):
            self.assertEqual(found[f"split0_test_{name}"][0], scores[name], name)

    def test_constant_targets_and_single_rows(self):
        data = self.write("c.csv", "x,y\n" + "".join(f"{i},2.5\n" for i in range(30)))
        out, _ = self.overtake("train", data, "--target", "y", "--task", "regression", "--estimator", "random-forest",
                               "--n-estimators", "3", "--oob-score", "--json", "t.json", "--save", "m")
        self.assertNotIn("nan", out)
        self.assertIn("training: r2 1.0000", out)
        self.overtake("predict", "m", self.write("one.csv", "x,y\n1,2.5\n"), "--out", "p.csv")
        out, _ = self.overtake("predict", "m", "one.csv", "--out", "p.csv")
        self.assertIn("r2 on column y: undefined", out)
        self.assertIsNone(self.scores("p.csv", "one.csv", "y", "--task", "regression")["r2"])


if __name__ == "__main__":
    main()
