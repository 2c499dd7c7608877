# SPDX-License-Identifier: MIT
"""overtake train and predict with forests: parameters, columns, exports, more trees, predictions."""
import hashlib
import math
import signal

from search_support import SearchTest, noisy_csv, rows_of
from support import IRIS, main

PARAMETERS = {
    "n_estimators": 7, "criterion": "entropy", "max_depth": 4, "min_samples_split": 5, "min_samples_leaf": 2,
    "min_weight_fraction_leaf": 0.01, "max_features": 2, "max_leaf_nodes": 9, "min_impurity_decrease": 0.001, "bootstrap": True,
    "oob_score": True, "class_weight": "balanced", "ccp_alpha": 0.002, "max_samples": 0.8, "max_bins": 30,
}


class Train(SearchTest):
    def train(self, *flags, data=IRIS, target="species", estimator="random-forest"):
        out, _ = self.overtake("train", data, "--target", target, "--estimator", estimator, "--device", "cpu", "--json", "t.json",
                               *flags)
        return out, self.json_of("t.json")

    def digest(self, name):
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()

    def test_iris(self):
        out, data = self.train("--n-estimators", "200", "--oob-score", "--save", "forest.overtake")
        self.assertIn("150 rows, 4 features, 3 classes of species", out)
        self.assertIn("200 trees", out)
        self.assertRegex(out, r"\(prepare .+, upload .+, compute .+, finish .+\)")
        self.assertRegex(out, r"(?m)^petal_(length|width) +0\.\d+$")
        self.assertIn("saved forest.overtake", out)
        self.assertEqual(data["schema"], "overtake.train-forest/1")
        self.assertEqual((data["rows"], data["features"], data["classes"], data["trees"]), (150, 4, 3, 200))
        self.assertEqual(data["training_score"], 1.0)
        self.assertTrue(0.93 <= data["oob_score"] < 1)
        self.assertIn(f"out of bag: accuracy {data['oob_score']:.4f}", out)
        self.assertAlmostEqual(sum(data["feature_importances"].values()), 1, 9)
        self.assertGreater(data["feature_importances"]["petal_width"], data["feature_importances"]["sepal_width"])

        out, _ = self.overtake("predict", "forest.overtake", IRIS, "--proba", "--out", "p.csv")
        self.assertIn("accuracy on column species: 100 % (150 of 150)", out)
        for row in rows_of(self.folder / "p.csv"):
            shares = {name: float(row[f"probability_{name}"]) for name in ("setosa", "versicolor", "virginica")}
            self.assertAlmostEqual(sum(shares.values()), 1, 9)
            self.assertEqual(max(shares, key=shares.get), row["species"])

    def test_every_parameter_has_a_flag(self):
        flags = []
        for name, value in PARAMETERS.items():
            flags.append("--" + name.replace("_", "-"))
            if name != "oob_score":
                flags.append(str(value).lower())
        _, data = self.train(*flags, "--seed", "11", "--save", "flags")
        for name, value in {**PARAMETERS, "random_state": 11}.items():
            self.assertEqual(data["parameters"][name], value, name)
        # The same by scikit-learn's names; and each value has an effect of its own on the forest.
        sets = {name: [f for n, v in PARAMETERS.items() if n != name for f in ("--set", f"{n}={str(v).lower()}")]
                for name in (None, *PARAMETERS)}
        self.train(*sets[None], "--seed", "11", "--save", "sets")
        self.assertEqual(self.digest("flags"), self.digest("sets"))
        for name in PARAMETERS:
            if name in ("bootstrap",):  # true is the default
                continue
            self.train(*sets[name], "--seed", "11", "--save", "other")
            self.assertNotEqual(self.digest("flags"), self.digest("other"), name)
        self.train("--bootstrap", "false", "--save", "bag")
        self.train("--save", "default")
        self.assertNotEqual(self.digest("bag"), self.digest("default"))

    def test_extra_trees_and_class_weights(self):
        _, data = self.train("--n-estimators", "20", "--class-weight", "setosa:1,virginica:2.5", estimator="extra-trees")
        self.assertEqual(data["estimator"], "extra-trees")
        self.assertFalse(data["parameters"]["bootstrap"])
        self.assertEqual(data["parameters"]["class_weight"], "setosa:1,virginica:2.5")
        self.fails(2, "train", IRIS, "--target", "species", "--estimator", "extra-trees", "--class-weight", "setosaa:1",
                   says=("setosaa", "Did you mean setosa?"))

    def test_more_trees_give_the_forest_of_one_go(self):
        flags = ("--max-depth", "3", "--seed", "4")
        self.train(*flags, "--n-estimators", "20", "--save", "small")
        self.train(*flags, "--n-estimators", "50", "--save", "large")
        _, data = self.train("--n-estimators", "50", "--more-trees", "small", "--save", "grown")
        self.assertEqual(data["trees"], 50)
        self.assertEqual(self.digest("grown"), self.digest("large"))
        for flags, code, says in ((("--n-estimators", "10"), 2, ("20",)), (("--n-estimators", "60", "--max-depth", "4"), 2, ()),
                                  (("--n-estimators", "60", "--seed", "5"), 2, ("--seed 4",))):
            self.fails(code, "train", IRIS, "--target", "species", "--estimator", "random-forest", "--more-trees", "small", *flags,
                       says=says)

    def test_exports(self):
        self.train("--n-estimators", "3", "--max-depth", "2", "--export-text", "t.txt", "--export-dot", "t.dot", "--tree", "2")
        text = (self.folder / "t.txt").read_text()
        self.assertRegex(text, r"^\|--- \w+ <= \d")
        self.assertRegex(text, r"class: (setosa|versicolor|virginica)")
        self.assertTrue((self.folder / "t.dot").read_text().startswith("digraph"))
        out, _ = self.overtake("train", IRIS, "--target", "species", "--estimator", "random-forest", "--n-estimators", "1",
                               "--export-text", "-")
        self.assertTrue(out.startswith("|--- "), out)
        self.fails(2, "train", IRIS, "--target", "species", "--estimator", "random-forest", "--n-estimators", "3", "--export-text",
                   "x.txt", "--tree", "3", says=("--tree 3", "0 to 2"))

    def test_regression(self):
        lines = ["x,y"] + [f"{i / 40},{math.sin(i / 40) * 100:.4f}" for i in range(400)]
        self.write("d.csv", "\n".join(lines) + "\n")
        out, data = self.train("--n-estimators", "50", "--oob-score", "--save", "m", data="d.csv", target="y")
        self.assertEqual((data["task"], data["classes"]), ("regression", 0))
        self.assertGreater(data["oob_score"], 0.99)
        self.assertIn("training: r2 0.99", out)
        out, _ = self.overtake("predict", "m", "d.csv", "--out", "p.csv")
        self.assertRegex(out, r"r2 on column y: 0\.99")
        worst = max(abs(float(p["y"]) - float(t["y"])) for p, t in
                    zip(rows_of(self.folder / "p.csv"), rows_of(self.folder / "d.csv")))
        self.assertLess(worst, 10)
        self.fails(2, "predict", "m", "d.csv", "--out", "q.csv", "--proba", says=("--proba",))

    def test_text_missing_and_unseen(self):
        lines = ["colour,size,y"]
        for i in range(90):
            colour = ("red", "green", "blue")[i % 3]
            size = "" if i % 5 == 0 else i % 3
            lines.append(f"{colour},{size},{'a' if i % 3 == 0 else 'b'}")
        self.write("d.csv", "\n".join(lines) + "\n")
        _, data = self.train("--n-estimators", "30", "--save", "m", data="d.csv", target="y")
        self.assertEqual(list(data["feature_importances"]), ["colour", "size"])
        self.assertEqual(data["training_score"], 1.0)
        # Columns in another order, without the target, with a missing and an unseen colour.
        self.write("new.csv", "size,colour\n0,red\n1,green\n,blue\n1,\n0,violet\n")
        out, _ = self.overtake("predict", "m", "new.csv")
        self.assertEqual(out.splitlines()[:4], ["y", "a", "b", "b"])
        self.assertEqual(len(out.splitlines()), 6)

    def test_predictions_on_standard_output_follow_what_is_there(self):
        self.train("--n-estimators", "2", "--save", "m")
        path = self.write("all.txt", "before\n")
        with open(path, "a") as file:
            process = self.start("predict", "m", IRIS)
            file.write(process.communicate()[0])
        self.assertEqual(process.returncode, 0)
        lines = path.read_text().splitlines()
        self.assertEqual((lines[0], lines[1], len(lines)), ("before", "species", 152))

    def test_apply(self):
        self.train("--n-estimators", "3", "--max-depth", "1", "--save", "m")
        self.overtake("predict", "m", IRIS, "--apply", "--out", "p.csv")
        rows = rows_of(self.folder / "p.csv")
        self.assertEqual(sorted(rows[0]), ["leaf_0", "leaf_1", "leaf_2", "species"])
        for tree in range(3):  # one split: the root is node 0, its children are 1 and 2
            self.assertEqual({r[f"leaf_{tree}"] for r in rows}, {"1", "2"})

    def test_blank_targets_are_what_is_wanted(self):
        self.train("--n-estimators", "5", "--save", "m")
        rows = [dict(r, species="") for r in rows_of(IRIS)[:3]]
        self.write("new.csv", "\n".join([",".join(rows[0])] + [",".join(r.values()) for r in rows]) + "\n")
        out, _ = self.overtake("predict", "m", "new.csv", "--out", "p.csv")
        self.assertNotIn("accuracy", out)
        self.assertEqual(len(rows_of(self.folder / "p.csv")), 3)

    def test_interrupt_keeps_the_trees_there_are(self):
        self.write("d.csv", noisy_csv(600, 10))
        process = self.start("train", "d.csv", "--target", "y", "--estimator", "random-forest", "--n-estimators", "1000000",
                             "--device", "cpu", "--threads", "1", "--save", "m")
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        while line and not line.startswith("device:"):
            line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 130, out + err)
        if "before the first tree" in err:
            self.assertFalse((self.folder / "m").exists())
        else:
            self.assertRegex(out, r"(?m)^[\d,]+ trees, .* nodes on cpu")
            self.overtake("predict", "m", "d.csv", "--out", "p.csv")

    def test_weights_equal_repetition(self):
        rows = rows_of(IRIS)
        names = list(rows[0])
        weighted = [",".join(names + ["w"])] + [",".join(list(r.values()) + [str(1 + i % 3)]) for i, r in enumerate(rows)]
        repeated = [",".join(names)] + [",".join(r.values()) for i, r in enumerate(rows) for _ in range(1 + i % 3)]
        self.write("weighted.csv", "\n".join(weighted) + "\n")
        self.write("repeated.csv", "\n".join(repeated) + "\n")
        flags = ("--n-estimators", "10", "--bootstrap", "false", "--max-features", "none")
        self.train(*flags, "--sample-weight", "w", "--save", "a", data="weighted.csv")
        self.train(*flags, "--save", "b", data="repeated.csv")
        for name in "ab":
            self.overtake("predict", name, IRIS, "--proba", "--out", f"{name}.csv")
        self.assertEqual((self.folder / "a.csv").read_bytes(), (self.folder / "b.csv").read_bytes())


if __name__ == "__main__":
    main()
