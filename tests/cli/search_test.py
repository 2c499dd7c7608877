# SPDX-License-Identifier: MIT
"""overtake search: the iris search of the guide, folds, metrics, columns with a meaning, random draws."""
import hashlib
import json
import math
import re
import statistics

from search_support import IRIS_SEARCH, SearchTest, noisy_csv, rows_of
from support import IRIS, main


class Iris(SearchTest):
    def test_the_whole_flow(self):
        out, _ = self.overtake(*IRIS_SEARCH, "--journal", "iris.db", "--report", "iris.html", "--json", "iris.json", "--save",
                               "best.overtake")
        self.assertIn("150 rows, 4 features, 3 classes of species", out)
        self.assertRegex(out, r"(?m)^device: cpu \(.+\)$")
        self.assertIn("plan: 72 candidates x 5 folds = 360 fits from 10 models", out)
        self.assertLess(out.index("plan:"), out.index("Best of 72 candidates"))
        self.assertRegex(out, r"(?m)^time: .* \(startup .*, upload .*, compute .*, scoring .*, refit .*\) on cpu$")
        for line in ("best model: best.overtake", "journal: iris.db", "report: iris.html", "JSON: iris.json"):
            self.assertIn(line, out)

        data = self.json_of("iris.json")
        self.check_json(data)
        self.assertGreater(data["best_score_"], 0.93)
        self.assertIn(f"accuracy {data['best_score_']:.4f}", out)

        # The best forest was trained on all rows, and predict needs nothing but its file.
        out, _ = self.overtake("predict", "best.overtake", IRIS, "--proba", "--out", "p.csv")
        truth, predicted = rows_of(IRIS), rows_of(self.folder / "p.csv")
        right = sum(t["species"] == p["species"] for t, p in zip(truth, predicted))
        self.assertGreaterEqual(right, 145)
        self.assertIn(f"({right} of 150)", out)

        # The same command again: nothing is trained twice, and the files are the same.
        best = (self.folder / "best.overtake").read_bytes()
        out, _ = self.overtake(*IRIS_SEARCH, "--journal", "iris.db", "--json", "again.json", "--save", "best.overtake")
        self.assertIn("taken from the journal: 360 of 360 fits", out)
        again = self.json_of("again.json")
        self.assertEqual((again["resumed_jobs"], again["plan"]["forests"]), (360, 0))
        self.same_table(data, again)
        self.assertEqual((self.folder / "best.overtake").read_bytes(), best)

        out, _ = self.overtake("show", "iris.db", "--top", "3")
        self.assertIn("iris.db: finished, 360 of 360 fits done", out)
        self.assertIn("(69 more)", out)

    def check_json(self, data):
        self.assertEqual(data["schema"], "overtake.search/1")
        for key in ("machine", "settings", "timing", "plan", "device"):
            self.assertIn(key, data)
        self.assertEqual(list(data["machine"]), ["cpu", "cores", "memory_bytes", "os", "overtake", "drivers"])
        self.assertEqual(list(data["machine"]["drivers"]), [data["device"]])
        self.assertEqual(sorted(data["timing"]), sorted(["startup", "upload", "compute", "scoring", "refit", "wall"]))
        self.assertEqual((data["plan"]["candidates"], data["plan"]["forests"], data["plan"]["jobs"]), (72, 10, 360))
        self.assertEqual(data["settings"]["grid"][1], "max_depth=none,3,5,10")
        self.assertEqual(data["settings"]["target"], "species")
        results = data["cv_results_"]
        # scikit-learn's keys, and its order: names sorted, the last one fastest.
        for key in ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time", "param_criterion", "param_max_depth",
                    "param_min_samples_split", "param_n_estimators", "params", "split0_test_score", "split4_test_score",
                    "mean_test_score", "std_test_score", "rank_test_score"):
            self.assertEqual(len(results[key]), 72, key)
        self.assertEqual(results["params"][0],
                         {"criterion": "gini", "max_depth": None, "min_samples_split": 2, "n_estimators": 50})
        self.assertEqual(results["params"][71],
                         {"criterion": "entropy", "max_depth": 10, "min_samples_split": 10, "n_estimators": 200})
        best = data["best_index_"]
        self.assertEqual(results["params"][best], data["best_params_"])
        self.assertEqual(results["mean_test_score"][best], max(results["mean_test_score"]))
        self.assertEqual(results["rank_test_score"][best], 1)
        for row in range(72):
            folds = [results[f"split{f}_test_score"][row] for f in range(5)]
            self.assertAlmostEqual(results["mean_test_score"][row], statistics.fmean(folds), 12)
            self.assertAlmostEqual(results["std_test_score"][row], statistics.pstdev(folds), 12)
            for score in folds:  # 30 rows are scored in each fold
                self.assertAlmostEqual(score * 30, round(score * 30), 9)

    def test_json_on_standard_output_stands_alone(self):
        out, _ = self.overtake("search", IRIS, "--target", "species", "--grid", "max_depth=1,2", "--set", "n_estimators=5", "--json",
                               "-")
        self.assertTrue(out.startswith("{") and out.rstrip().endswith("}"))

    def test_no_result_depends_on_the_number_of_threads(self):
        flags = (IRIS, "--target", "species", "--estimator", "extra-trees", "--grid", "max_depth=2,4", "--grid",
                 "max_features=1,2", "--set", "n_estimators=20", "--device", "cpu")
        first = self.search_json(*flags, "--threads", "1", "--save", "one")
        second = self.search_json(*flags, "--threads", "2", "--save", "two")
        self.same_table(first, second)
        digests = [hashlib.sha256((self.folder / name).read_bytes()).hexdigest() for name in ("one", "two")]
        self.assertEqual(digests[0], digests[1])

    def test_no_result_depends_on_the_device(self):
        out, _ = self.overtake("devices", "--json", "--no-measure")
        devices = [d["id"] for d in json.loads(out)["devices"] if d["usable"] and d["id"] != "cpu"]
        if not devices:
            self.skipTest("no processor but the CPU")
        flags = (IRIS, "--target", "species", "--grid", "max_depth=2,5", "--grid", "criterion=gini,entropy", "--set",
                 "n_estimators=20", "--scoring", "accuracy,neg_log_loss", "--save", "best")
        first = self.search_json(*flags, "--device", "cpu")
        best = (self.folder / "best").read_bytes()
        for device in devices:
            data = self.search_json(*flags, "--device", device)
            self.assertEqual(data["device"], device)
            self.assertGreater(data["plan"]["launches"], 0)
            self.same_table(first, data)
            self.assertEqual((self.folder / "best").read_bytes(), best, device)

    def test_a_memory_limit_changes_no_result(self):
        self.write("d.csv", noisy_csv(800))
        flags = ("d.csv", "--target", "y", "--grid", "max_features=2,5", "--grid", "max_depth=4,none", "--set", "n_estimators=30",
                 "--device", "cpu", "--save", "best")
        free = self.search_json(*flags)
        best = (self.folder / "best").read_bytes()
        limit = free["plan"]["peak_bytes"] // 4
        tight = self.search_json(*flags, "--memory-limit", limit)
        self.assertLessEqual(tight["plan"]["peak_bytes"], limit)
        self.assertEqual(tight["settings"]["memory_limit"], limit)
        self.same_table(free, tight)
        self.assertEqual((self.folder / "best").read_bytes(), best)

    def test_the_help_names_every_flag(self):
        wanted = {
            "search": "target estimator grid random param set cv cv-kind shuffle repeats test-size group fold scoring refit-by "
                      "no-refit seed device threads memory-limit journal resume report json save task drop text sample-weight "
                      "header no-header top",
            "show": "top by json report",
            "train": "estimator n-estimators criterion max-depth min-samples-split min-samples-leaf min-weight-fraction-leaf "
                     "max-features max-leaf-nodes min-impurity-decrease bootstrap oob-score class-weight ccp-alpha max-samples "
                     "max-bins set sample-weight export-text export-dot tree more-trees text",
            "predict": "out proba apply device",
        }
        for command, flags in wanted.items():
            out, _ = self.overtake(command, "--help")
            self.assertIn("Examples:", out)
            for flag in flags.split():
                self.assertRegex(out, rf"--{flag}\b")

    def test_the_seed_matters(self):
        flags = (IRIS, "--target", "species", "--grid", "max_features=1,2,3", "--set", "n_estimators=3", "--set", "max_depth=2")
        tables = [self.search_json(*flags, "--seed", seed)["cv_results_"] for seed in (0, 0, 1)]
        scores = [[t[f"split{f}_test_score"] for f in range(5)] for t in tables]
        self.assertEqual(scores[0], scores[1])
        self.assertNotEqual(scores[0], scores[2])


class Spaces(SearchTest):
    def test_random_search(self):
        self.write("d.csv", noisy_csv(300, 4))
        flags = ("d.csv", "--target", "y", "--param", "max_depth=int(2,20)", "--param", "max_features=uniform(0.1,1)", "--param",
                 "min_samples_leaf=log-int(1,64)", "--param", "criterion=gini,entropy", "--set", "n_estimators=5", "--cv", "3",
                 "--seed", "7")
        data = self.search_json(*flags, "--random", "30")
        self.assertEqual(data["settings"]["random"], 30)
        candidates = data["cv_results_"]["params"]
        self.assertEqual(len(candidates), 30)
        for c in candidates:
            self.assertEqual(sorted(c), ["criterion", "max_depth", "max_features", "min_samples_leaf"])
            self.assertTrue(2 <= c["max_depth"] <= 20 and isinstance(c["max_depth"], int))
            self.assertTrue(0.1 <= c["max_features"] < 1)
            self.assertTrue(1 <= c["min_samples_leaf"] <= 64)
            self.assertIn(c["criterion"], ("gini", "entropy"))
        self.assertGreater(len({str(c) for c in candidates}), 25)
        # Draws depend on the seed and their number only: the first ten of thirty are the ten.
        self.assertEqual(self.search_json(*flags, "--random", "10")["cv_results_"]["params"], candidates[:10])

    def test_small_spaces_are_drawn_without_repetition(self):
        data = self.search_json(IRIS, "--target", "species", "--random", "100", "--param", "max_depth=1,2", "--param",
                                "criterion=gini,entropy", "--set", "n_estimators=3")
        self.assertEqual(len({str(p) for p in data["cv_results_"]["params"]}), 4)
        self.assertEqual(data["plan"]["candidates"], 4)

    def test_a_candidate_that_fails_is_a_row(self):
        # 1,000 features cannot be looked at where there are 4: the row says so, and does not win.
        out, _ = self.overtake("search", IRIS, "--target", "species", "--grid", "max_features=2,1000", "--set", "n_estimators=5",
                               "--json", "s.json", "--save", "best")
        data = self.json_of("s.json")
        failures = data["failures"]
        self.assertEqual([f["candidate"] for f in failures], [1])
        self.assertIn("max_features", failures[0]["reason"])
        self.assertIn(failures[0]["reason"].split(":")[0], out)
        self.assertEqual(data["best_params_"], {"max_features": 2})
        self.assertEqual(data["cv_results_"]["mean_test_score"][1], None)
        self.assertTrue((self.folder / "best").exists())

    def test_a_search_in_which_all_fail_is_exit_3(self):
        _, err = self.overtake("search", IRIS, "--target", "species", "--grid", "max_features=1000,2000", "--json", "s.json", expect=3)
        self.assertIn("no candidate has a score", err)
        self.assertIn("max_features", err)
        self.assertEqual(len(self.json_of("s.json")["failures"]), 2)


class Folds(SearchTest):
    base = ("--grid", "max_depth=1,3", "--set", "n_estimators=5", "--device", "cpu")

    def folds(self, *flags):
        data = self.search_json(*flags, *self.base)
        return [data["cv_results_"][f"split{f}_test_score"] for f in range(data["plan"]["folds"])], data

    def test_every_kind(self):
        lines = ["a,b,who,part,y"]
        for i in range(60):
            lines.append(f"{i % 7},{i * i % 11},person {i % 10},{i % 4 - 1},{'yes' if i % 3 else 'no'}")
        self.write("d.csv", "\n".join(lines) + "\n")
        flags = ("d.csv", "--target", "y", "--drop", "who,part")
        group = ("d.csv", "--target", "y", "--drop", "part", "--group", "who")
        fold = ("d.csv", "--target", "y", "--drop", "who", "--fold", "part")
        for folds, kind in ((5, flags), (4, (*flags, "--cv", "4", "--cv-kind", "k-fold")),
                            (3, (*flags, "--cv", "3", "--cv-kind", "stratified", "--shuffle")),
                            (6, (*flags, "--cv", "3", "--repeats", "2")), (5, (*flags, "--cv-kind", "time-series")),
                            (1, (*flags, "--cv-kind", "holdout", "--test-size", "0.25")), (5, group),
                            (2, (*group, "--cv", "2", "--cv-kind", "group")), (3, fold),
                            (3, (*fold, "--cv-kind", "predefined"))):
            scores, data = self.folds(*kind)
            self.assertEqual(len(scores), folds, kind)
            self.assertEqual(data["plan"]["jobs"], 2 * folds)
            self.assertIsNotNone(data["best_score_"])

    def test_rows_of_minus_one_are_never_scored(self):
        # Column and label agree but in the rows of fold -1, whose labels nothing tells: scored, they would cost points.
        lines = ["x,part,y"]
        for i in range(60):
            part = i % 3 - 1
            lines.append(f"{9 if part < 0 else i % 2},{part},{('even', 'odd')[i // 3 % 2 if part < 0 else i % 2]}")
        self.write("d.csv", "\n".join(lines) + "\n")
        scores, _ = self.folds("d.csv", "--target", "y", "--fold", "part")
        self.assertEqual(scores, [[1.0, 1.0], [1.0, 1.0]])

    def test_group_and_fold_columns_are_no_features(self):
        lines = ["x,who,y"] + [f"{(i * 7) % 5},{i % 2},{'a' if i % 2 else 'b'}" for i in range(40)]
        self.write("d.csv", "\n".join(lines) + "\n")
        out, _ = self.overtake("search", "d.csv", "--target", "y", "--group", "who", "--cv", "2", *self.base)
        self.assertIn("40 rows, 1 feature, 2 classes of y", out)

    def test_a_class_of_fewer_rows_than_folds(self):
        lines = ["x,y"] + [f"{i},a" for i in range(20)] + [f"{i},b" for i in range(2)]
        self.write("d.csv", "\n".join(lines) + "\n")
        out, _ = self.overtake("search", "d.csv", "--target", "y", *self.base)
        self.assertRegex(out, r"(?m)^note: class .* 2 rows, fewer than the 5 folds")
        self.fails(3, "search", "d.csv", "--target", "y", "--cv", "21", *self.base, says=("21",))


class Metrics(SearchTest):
    def test_several_at_once(self):
        metrics = ["f1_macro", "accuracy", "balanced_accuracy", "roc_auc_ovr", "neg_log_loss"]
        data = self.search_json(IRIS, "--target", "species", "--grid", "max_depth=1,2,3", "--set", "n_estimators=10", "--scoring",
                                ",".join(metrics), "--refit-by", "roc_auc_ovr")
        self.assertEqual(data["metrics"], metrics)
        self.assertEqual(data["refit_metric"], "roc_auc_ovr")
        results = data["cv_results_"]
        for metric in metrics:
            self.assertEqual(len(results[f"mean_test_{metric}"]), 3)
            self.assertIn(1, results[f"rank_test_{metric}"])
        self.assertEqual(results["rank_test_roc_auc_ovr"][data["best_index_"]], 1)
        # Classes of equal size: both accuracies are the same number.
        for a, b in zip(results["mean_test_accuracy"], results["mean_test_balanced_accuracy"]):
            self.assertAlmostEqual(a, b, 12)

    def test_regression(self):
        lines = ["x,z,y"] + [f"{i / 50},{i * 7 % 13},{math.sin(i / 50) * 5:.5f}" for i in range(300)]
        self.write("d.csv", "\n".join(lines) + "\n")
        data = self.search_json("d.csv", "--target", "y", "--grid", "max_depth=1,8", "--set", "n_estimators=20", "--cv-kind",
                                "k-fold", "--shuffle", "--scoring", "r2,mse,rmse,mae")
        self.assertEqual(data["task"], "regression")
        self.assertEqual(data["metrics"], ["r2", "neg_mean_squared_error", "neg_root_mean_squared_error",
                                           "neg_mean_absolute_error"])
        self.assertEqual(data["best_params_"], {"max_depth": 8})
        self.assertGreater(data["best_score_"], 0.98)
        self.assertLess(data["cv_results_"]["mean_test_neg_mean_squared_error"][1], 0)


class Columns(SearchTest):
    def test_text_and_missing_cells(self):
        # The class is the colour; in some rows it is missing, and then z tells it. A numeric column has holes too.
        lines = ["colour,z,y"]
        for i in range(120):
            colour = ("red", "green", "blue")[i % 3]
            lines.append(f"{'' if i % 10 == 0 else colour},{'' if i % 7 == 3 else i % 3},{'warm' if i % 3 == 0 else 'cold'}")
        self.write("d.csv", "\n".join(lines) + "\n")
        data = self.search_json("d.csv", "--target", "y", "--grid", "max_features=1,2", "--set", "n_estimators=30", "--save", "m")
        self.assertGreater(data["best_score_"], 0.95)
        self.write("new.csv", "z,colour\n0,red\n,green\n2,purple\n1,?\n")
        self.overtake("predict", "m", "new.csv", "--out", "p.csv")
        self.assertEqual([r["y"] for r in rows_of(self.folder / "p.csv")][:2], ["warm", "cold"])

    def test_sample_weights(self):
        # Rows with the wrong label have no weight, so that the forest does not learn them.
        lines = ["x,w,y"]
        for i in range(80):
            wrong = i % 4 == 3
            lines.append(f"{i % 2},{0 if wrong else 1.5},{'ab'[(i % 2) ^ wrong]}")
        self.write("d.csv", "\n".join(lines) + "\n")
        flags = ("d.csv", "--target", "y", "--grid", "max_depth=1", "--set", "n_estimators=5", "--save", "m")
        self.search_json(*flags, "--sample-weight", "w")
        self.write("new.csv", "x\n0\n1\n")
        out, _ = self.overtake("predict", "m", "new.csv", "--proba")
        self.assertEqual(re.findall(r"(?m)^\w,[\d.]+,[\d.]+$", out), ["a,1,0", "b,0,1"])

    def test_files_without_a_header(self):
        self.write("d.csv", "".join(f"{i % 5},{i % 3},{i % 5}\n" for i in range(60)))
        data = self.search_json("d.csv", "--target", "column_3", "--no-header", "--grid", "max_depth=3,5", "--set", "n_estimators=10")
        self.assertEqual(data["best_score_"], 1.0)


if __name__ == "__main__":
    main()
