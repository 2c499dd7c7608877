# SPDX-License-Identifier: MIT
"""--plan: what a job would take, and nothing of it is run. Rates are measured once and kept."""
import gzip
import json
import os
import random
import re
import resource
import unittest
import unittest.mock

from support import IRIS, CliTest, main

SEARCH = ("search", IRIS, "--target", "species", "--grid", "n_estimators=50,100", "--grid", "max_depth=none,3")


class PlanTest(CliTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.set(OVERTAKE_CACHE_DIR=str(self.cache), OVERTAKE_TRIAL="off")

    def set(self, **variables):
        changed = unittest.mock.patch.dict(os.environ, variables)
        changed.start()
        self.addCleanup(changed.stop)

    def plan(self, *arguments):
        return json.loads(self.overtake(*arguments, "--plan", "--json", "-")[0])

    def refusals(self, *arguments):
        """The exit code, and what is said of memory."""
        process = self.start("race", *arguments)
        out, err = process.communicate(timeout=300)
        return process.returncode, re.findall(r"^(?:error: |hint: |note: \d+ layers on ).*", out + err, re.MULTILINE)

    def test_a_race_is_refused_what_its_run_is(self):
        race = ("--layers", "2,6,9", "--epochs", "1", "--repeat", "1", "--devices", "cpu")
        seen = set()
        for kib in (1, 10, *random.sample(range(12, 3000), 3), *range(20, 120, 20), 200, 600, 1500, 4000):
            limits = ("--memory-limit", f"{kib}KiB")
            run, plan = self.refusals(*race, *limits), self.refusals(*race, *limits, "--plan")
            self.assertEqual(run, plan, kib)
            seen.add((run[0], len(run[1])))
        self.assertGreater(len(seen), 3, f"refused as a whole, one to three networks, none: {seen}")
        for mib in (1, 4000):  # figures of what a process holds differ by some pages
            limits = ("--host-memory-limit", f"{mib}MiB")
            run, plan = self.refusals(*race, *limits), self.refusals(*race, *limits, "--plan")
            self.assertEqual(run[0], plan[0])
            self.assertEqual([re.sub(r"the [\d.]+ MiB that", "", line) for line in run[1]], [re.sub(r"the [\d.]+ MiB that", "", line) for line in plan[1]])

    def test_the_memory_of_a_race_is_what_its_run_takes(self):
        race = ("--layers", "3,9", "--epochs", "1", "--repeat", "1", "--devices", "cpu")
        planned = self.plan("race", *race, "--memory-limit", "1GiB")["predictions"][0]["device_bytes"]
        self.assertEqual(self.refusals(*race, "--memory-limit", f"{int(planned * 1.03)}B"), (0, []))
        self.assertEqual(len(self.refusals(*race, "--memory-limit", f"{int(planned * 0.97)}B")[1]), 1)
        small = self.plan("race", *race, "--memory-limit", f"{int(planned * 0.97)}B")["predictions"][0]
        self.assertEqual(small["failure"], None, "the smaller network races")
        self.assertLess(small["device_bytes"], planned / 10)

    @unittest.skipIf(os.environ.get("OVERTAKE_SANITIZED"), "sanitizers reserve more address space than this limit leaves")
    def test_what_the_computer_is_too_small_for_is_refused_without_a_limit(self):
        rows = "\n".join(f"{random.random()},{random.random()},{random.random()},{random.randrange(2)}" for _ in range(3000))
        data = self.write("noise.csv", f"a,b,c,y\n{rows}\n")
        small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (1500 << 20, 1500 << 20))}
        for command, says in ((("train", data, "--target", "y", "--estimator", "random-forest", "--n-estimators", "100000"), "a forest of 100000 trees needs about"),
                              (("search", data, "--target", "y", "--grid", "n_estimators=100000", "--grid", "max_depth=none,20"), "the search needs")):
            for plan in ((), ("--plan",)):
                process = self.start(*command, "--device", "cpu", *plan, **small)
                err = process.communicate(timeout=300)[1]
                self.assertEqual(process.returncode, 4, err)
                self.assertIn(says, err)

    def test_a_race_whose_points_are_too_many_is_refused(self):
        for plan in ((), ("--plan",)):
            self.fails(4, "race", "--quick", "--layers", "2", "--devices", "cpu", "--samples", "100000000", "--host-memory-limit", "100MiB", *plan,
                       says=("a race over 100000000 points needs", "--host-memory-limit"))

    def test_a_search_is_planned_and_not_run(self):
        saved = self.folder / "best.overtake"
        journal = self.folder / "j.db"
        plan = self.plan(*SEARCH, "--save", saved, "--journal", journal)
        self.assertFalse(saved.exists())
        self.assertFalse(journal.exists())
        self.assertEqual(plan["schema"], "overtake.plan/1")
        self.assertEqual(plan["search"], {"candidates": 4, "folds": 5, "jobs": 20, "models": 5})
        self.assertEqual(plan["device"], "cpu")
        cpu = plan["predictions"][0]
        self.assertEqual(cpu["device"], "cpu")
        parts = sum(cpu[name] for name in ("start", "prepare", "transfer", "compute", "finish"))
        self.assertAlmostEqual(cpu["seconds"], parts)
        self.assertGreater(cpu["host_bytes"], 1 << 20)
        self.assertEqual(plan["counts"]["trees"], 5 * 100 + 75)

    def test_folds_are_those_of_the_run(self):
        rows = "\n".join(f"{i % 7},{i % 3},{'ab'[i % 2]}" for i in range(60))
        data = self.write("folds.csv", f"x,part,y\n{rows}\n")
        arguments = ("search", data, "--target", "y", "--grid", "n_estimators=5", "--fold", "part")
        self.assertEqual(self.plan(*arguments)["search"]["folds"], 3)
        self.assertIn("1 candidate x 3 folds", self.overtake(*arguments)[0])

    def test_on_belongs_to_plan(self):
        self.assertIn("--plan", self.overtake(*SEARCH, "--on", "h100", expect=2)[1])

    def test_the_text_says_so(self):
        out = self.overtake(*SEARCH, "--plan", "--on", "h100,cpu-64")[0]
        for text in ("4 candidates x 5 folds = 20 fits from 5 models", "h100", "cpu-64", "are estimates", "choice: cpu (predicted", "nothing was run"):
            self.assertIn(text, out)

    def test_trainings_and_races_are_planned(self):
        for arguments in (("train", IRIS, "--target", "species"), ("train", IRIS, "--target", "species", "--estimator", "extra-trees")):
            plan = self.plan(*arguments, "--on", "l4")
            self.assertEqual(plan["command"], "train")
            self.assertEqual([p["device"] for p in plan["elsewhere"]], ["l4"])
            self.assertGreater(plan["elsewhere"][0]["seconds"], 0)
        plan = self.plan("race", "--layers", "2..4", "--devices", "cpu", "--on", "t4")
        self.assertIsNone(plan["device"])
        self.assertEqual([p["device"] for p in plan["predictions"]], ["cpu"])

    def saved_model(self, *flags):
        model = self.folder / "model"
        self.overtake("train", IRIS, "--target", "species", *flags, "--save", model)
        return model

    def test_a_prediction_is_planned_by_its_first_rows(self):
        model = self.saved_model("--estimator", "random-forest", "--n-estimators", "10")
        answers = self.folder / "answers.csv"
        plan = self.plan("predict", model, IRIS, "--out", answers)
        self.assertFalse(answers.exists())
        self.assertEqual(plan["counts"], {"rows": 150, "rows_counted": True})
        self.assertEqual(plan["device"], "cpu")
        cpu = plan["predictions"][0]
        self.assertGreater(cpu["compute"], 0)
        self.assertGreater(cpu["prepare"], 0)
        self.assertGreater(cpu["host_bytes"], 1 << 20)
        for other in plan["predictions"][1:]:
            self.assertTrue(other["failure"], "forests predict on the CPU")
        out = self.overtake("predict", model, IRIS, "--plan")[0]
        self.assertIn("plan: 150 rows for a random-forest of 10 trees", out)
        self.assertIn("nothing was run", out)

    def test_rows_of_a_large_file_are_estimated(self):
        model = self.saved_model("--hidden", "8", "--epochs", "1")
        rows = 600_000
        line = "5.1,3.5,1.4,0.2\n6.25,2.75,4.875,1.5\n"
        plain = self.write("plain.csv", "sepal_length,sepal_width,petal_length,petal_width\n" + line * (rows // 2))
        packed = self.folder / "packed.csv.gz"
        packed.write_bytes(gzip.compress(plain.read_bytes(), 1))
        for data in (plain, packed):
            counts = self.plan("predict", model, data)["counts"]
            self.assertLess(abs(counts["rows"] / rows - 1), 0.02 if data == plain else 0.2, data)

    def test_what_a_prediction_would_be_refused_for(self):
        model = self.saved_model("--hidden", "8", "--epochs", "1")
        for arguments, code, text in (
                (("predict", model, self.folder / "nothing.csv"), 3, "no such file"),
                (("predict", model, "/dev/null"), 2, "is no file"),
                (("predict", model, IRIS, "--device", "cuda:99"), 4, "cuda:99"),
                (("predict", model, IRIS, "--apply"), 2, "leaves")):
            self.assertIn(text, self.overtake(*arguments, "--plan", expect=code)[1])
        self.assertIn("--plan", self.overtake("predict", model, IRIS, "--json", "-", expect=2)[1])

    def test_a_plan_refuses_in_the_words_of_the_run(self):
        network = ("train", IRIS, "--target", "species", "--hidden", "2000,2000", "--device", "cpu")
        beside = r" needs [\d.]+ MiB of the computer's memory beside the [\d.]+ MiB that the process holds \(its program and the data\), and the limit is "
        cases = (((*network, "--host-memory-limit", "20MiB"), beside + "20.0 MiB", "Raise --host-memory-limit, or use "),
                 ((*network, "--memory-limit", "1MiB"), r"needs at least [\d.]+ MiB, but the limit is 1.00 MiB", "Raise --memory-limit, or use "))
        for command, words, cure in cases:
            for more in ((), ("--plan",)):
                error = self.overtake(*command, *more, expect=4)[1]
                self.assertRegex(error, words, (command, more))
                self.assertIn("hint: " + cure, error)

    def table(self):
        draw = random.Random()
        lines = [",".join([*(f"x{i}" for i in range(20)), "y"])]
        for _ in range(10_000):
            x = [draw.gauss(0, 1) for _ in range(20)]
            lines.append(",".join(f"{value:.4f}" for value in x) + (",up" if x[0] + x[1] * x[2] + draw.gauss(0, 0.5) > 0 else ",down"))
        return self.write("d.csv", "\n".join(lines) + "\n")

    @unittest.skipIf(os.environ.get("OVERTAKE_SANITIZED"), "a sanitizer multiplies what the process holds")
    def test_plans_and_runs_accept_and_refuse_the_same(self):
        data = self.table()
        packed = self.folder / "d.csv.gz"
        packed.write_bytes(gzip.compress(data.read_bytes()))
        model, answers = self.folder / "large.overtake", self.folder / "answers.csv"
        forest = ("--target", "y", "--estimator", "random-forest")
        self.overtake("train", data, *forest, "--n-estimators", "100", "--device", "cpu", "--save", model)
        cases = {("train", data, "--target", "y", "--hidden", "1000,1000", "--epochs", "1"): "training the network needs",
                 ("train", data, *forest, "--n-estimators", "100"): "a forest of 100 trees needs about",
                 ("train", packed, *forest, "--n-estimators", "100", "--device", "cpu"): "a forest of 100 trees needs about",
                 ("search", data, "--target", "y", "--grid", "max_depth=none,10", "--set", "n_estimators=80"): "the search needs",
                 ("predict", model, data, "--out", answers): "reading the model needs"}
        for command, words in cases.items():
            planned = self.plan(*command)["predictions"][0]["host_bytes"]
            for share, code in ((0.4 if command[0] == "search" else 0.65, 4), (1.5, 0)):  # a search has fewer trees wait
                limit = ("--host-memory-limit", str(int(share * planned)))
                errors = [self.overtake(*command, *limit, *more, expect=code)[1] for more in (("--plan",), ())]
                if code == 0:
                    continue
                self.assertIn(words, errors[1])
                without_figures = [re.sub(r"[0-9][0-9.]* [KMG]iB|about [0-9]+ (trees|fit)", "N", error[error.index("error:"):]) for error in errors]
                self.assertEqual(*without_figures, command)

    @unittest.skipIf(os.environ.get("OVERTAKE_SANITIZED"), "a sanitizer multiplies what the process holds")
    def test_a_driver_that_is_open_counts_once(self):
        listed = json.loads(self.overtake("devices", "--json", "-", "--no-measure")[0])["devices"]
        names = [d["id"] for d in listed if d["kind"] == "opencl-on-cpu" and d["usable"]]
        if not names:
            self.skipTest("no OpenCL driver here computes on the CPU")
        train = ("train", self.table(), "--target", "y", "--estimator", "random-forest", "--n-estimators", "20", "--device", names[0])
        self.overtake(*train)  # compiles, if that was not done before
        self.overtake(*train, "--json", "out.json")
        held = json.loads((self.folder / "out.json").read_text())["host_peak_bytes"]
        planned = next(p["host_bytes"] for p in self.plan(*train)["predictions"] if p["device"] == names[0])
        self.assertLess(abs(planned / held - 1), 0.25)

    def test_no_driver_is_loaded_where_none_is_asked_for(self):
        """A driver for CPUs, to judge by its name: the program would look for the file that its entry names."""
        (self.folder / "vendors").mkdir()
        (self.folder / "vendors" / "one.icd").write_text(str(self.folder / "libpocl-none.so"))
        self.set(OCL_ICD_VENDORS=str(self.folder / "vendors"), LD_DEBUG="files")
        loads = lambda *command: "libpocl-none.so" in self.overtake(*command)[1]
        if not loads("devices", "--no-measure"):
            self.skipTest("what the loader of OpenCL opens is not seen here")
        data = self.table()
        for command in (("race", "--quick", "--layers", "2", "--epochs", "1", "--devices", "cpu"),
                        ("train", data, "--target", "y", "--epochs", "1", "--device", "cpu"),
                        ("search", data, "--target", "y", "--grid", "n_estimators=1", "--device", "cpu"),
                        ("train", data, "--target", "y", "--hidden", "64,64,64", "--epochs", "1", "--host-memory-limit", "300MiB")):
            self.assertFalse(loads(*command), command)

    def test_limits_of_memory_have_a_say(self):
        wide = self.write("wide.csv", "\n".join(
            [",".join([*(f"x{i}" for i in range(50)), "y"])] +
            [",".join([*(str((row * (i + 3)) % 997) for i in range(50)), "ab"[row % 2]]) for row in range(4000)]))
        train = ("train", wide, "--target", "y", "--estimator", "random-forest")
        search = ("search", wide, "--target", "y", "--grid", "max_depth=none,8")
        bytes_of = lambda *command: self.plan(*command)["predictions"][0]["host_bytes"]
        free = bytes_of(*train)
        self.overtake(*train, "--plan", "--host-memory-limit", str(free // 2), expect=4)
        self.assertEqual(self.plan(*train, "--host-memory-limit", str(2 * free))["device"], "cpu")
        free = bytes_of(*search)
        self.assertLess(bytes_of(*search, "--host-memory-limit", str(3 * free // 4)), free, "fewer trees wait to be scored")

    def test_a_job_that_would_be_refused_is_refused(self):
        for arguments, code, text in (
                ((*SEARCH, "--on", "h1000"), 2, "h1000"),
                (("search", IRIS, "--target", "species", "--grid", "nothing=1"), 2, "nothing"),
                (("train", IRIS, "--target", "species", "--hidden", "2000000,2000000"), 4, r"needs at least"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--n-estimators", "1000000000"), 4,
                 "trees"),
                (("race", "--layers", "99"), 2, "layers"),
                (("race", "--devices", "cpu,nothing"), 2, "nothing"),
                ((*SEARCH, "--cv", "60"), 3, "fold"),
                ((*SEARCH, "--scoring", "f1"), 2, "f1_macro"),
                ((*SEARCH, "--scoring", "r2"), 2, "r2"),
                ((*SEARCH, "--grid", "bootstrap=true,false", "--set", "max_samples=0.5"), 2, "max_samples"),
                ((*SEARCH, "--grid", "criterion=gini,squared_error"), 2, "squared_error"),
                ((*SEARCH, "--refit-by", "f1"), 2, "default metric"),
                ((*SEARCH, "--host-memory-limit", "1.5GiB"), 2, "1536MiB"),
                (("predict", "model", "-"), 2, "/dev/stdin"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--class-weight", "setos:2"), 2,
                 "there is no class"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--max-features", "9"), 3, "features"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--max-samples", "999"), 3, "rows"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--tree", "500", "--export-text", "-"), 2,
                 "--tree 500"),
                (("search", IRIS, "--target", "species", "--grid", "max_features=99"), 3, "no candidate has a score; the first failed"),
                (("search", IRIS, "--target", "species", "--grid", "class_weight=setos:2"), 3, "no candidate has a score; the first failed"),
                (("train", IRIS, "--target", "species", "--hidden", "4000,4000", "--host-memory-limit", "100MiB"), 4,
                 "the limit is 100 MiB")):
            self.assertIn(text, self.overtake(*arguments, "--plan", expect=code)[1])

    def test_candidates_that_will_fail_are_told(self):
        errors = self.overtake("search", IRIS, "--target", "species", "--grid", "class_weight=setos:2,none", "--plan")[1]
        self.assertIn("1 of 2 candidates will fail; the first: class_weight", errors)

    def test_rates_are_kept_until_they_are_damaged(self):
        for _ in range(3):  # three times, where other programs use the cores
            self.overtake(*SEARCH, "--plan")
        rates = list(self.cache.glob("*.rates"))
        self.assertEqual(len(rates), 1)
        kept = rates[0].read_bytes()
        self.overtake(*SEARCH, "--plan")
        self.assertEqual(rates[0].read_bytes(), kept, "measured once")
        self.assertIn("rates of 1 device", self.overtake("cache")[0])
        rates[0].write_bytes(kept.replace(b"host: ", b"host: 1"))
        _, err = self.overtake(*SEARCH)
        self.assertIn("is damaged or about another machine: the device is measured anew", err)
        self.assertNotEqual(rates[0].read_bytes(), kept.replace(b"host: ", b"host: 1"))
        self.overtake("cache", "clear")
        self.assertEqual(list(self.cache.glob("*.rates")), [])

    def test_a_run_says_what_was_predicted(self):
        path = self.folder / "r.json"
        out, _ = self.overtake(*SEARCH, "--json", path)
        self.assertRegex(out, r"time: [^\n]*, predicted [0-9.]+ [mu]?s \(")
        self.assertGreater(json.loads(path.read_text())["prediction"]["seconds"], 0)

    def test_a_run_on_devices_that_were_asked_for_measures_nothing_for_a_prediction(self):
        forest = ("train", IRIS, "--target", "species", "--estimator", "random-forest", "--device", "cpu")
        network = ("train", IRIS, "--target", "species", "--epochs", "2", "--device", "cpu")
        path = self.folder / "r.json"
        for command in (SEARCH + ("--device", "cpu"), forest, network):
            out, _ = self.overtake(*command)
            self.assertIn("(as asked for)", out)
            self.assertNotIn("predicted", out)
        for _ in range(3):
            self.overtake(*SEARCH)  # measures, and again where other programs use the cores
        for command in (SEARCH + ("--device", "cpu"), forest, network):
            out, _ = self.overtake(*command, "--json", path)
            self.assertRegex(out, r"device: cpu \(as asked for; predicted: about [0-9.]+ [mu]?s\)")
            self.assertRegex(out, r" in [^\n]*, predicted [0-9.]+ [mu]?s|time: [^\n]*, predicted [0-9.]+ [mu]?s")

    def test_a_plan_of_two_devices_tells_what_they_take_together(self):
        listed = json.loads(self.overtake("devices", "--json", "-", "--no-measure")[0])["devices"]
        names = [d["id"] for d in listed if d["kind"] == "opencl-on-cpu" and d["usable"]]
        if not names:
            self.skipTest("no OpenCL driver here computes on the CPU")
        path, both = self.folder / "p.json", f"cpu + {names[0]}"
        for limit in ((), ("--host-memory-limit", "1GiB"), ("--host-memory-limit", "2GiB")):  # the first three measure, if need be
            out, _ = self.overtake(*SEARCH, "--device", f"cpu,{names[0]}", "--plan", "--json", path, *limit)
            self.assertIn(f"choice: {both} (as asked for)", out)
            rows = {row["device"]: row for row in json.loads(path.read_text())["predictions"]}
            self.assertEqual(rows[both]["failure"], None)
            self.assertGreater(rows[both]["seconds"], rows["cpu"]["prepare"])
            self.assertGreater(rows[both]["host_bytes"], rows["cpu"]["host_bytes"])
        out, _ = self.overtake(*SEARCH, "--device", f"cpu,{names[0]}")
        self.assertIn(f"device: {both} (as asked for; predicted: about ", out)
        self.assertRegex(out, r"time: [^\n]*, predicted [0-9.]+ [mu]?s \(")


if __name__ == "__main__":
    main()
