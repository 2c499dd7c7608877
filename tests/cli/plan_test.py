# SPDX-License-Identifier: MIT
"""--plan: what a job would take, and nothing of it is run. Rates are measured once and kept."""
import json
import os

from support import IRIS, CliTest, main

SEARCH = ("search", IRIS, "--target", "species", "--grid", "n_estimators=50,100", "--grid", "max_depth=none,3")


class PlanTest(CliTest):
    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        self.environment = {"OVERTAKE_CACHE_DIR": str(self.cache), "OVERTAKE_TRIAL": "off"}
        self.before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        self.addCleanup(self.put_back)

    def put_back(self):
        for name, value in self.before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value

    def plan(self, *arguments):
        return json.loads(self.overtake(*arguments, "--plan", "--json", "-")[0])

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

    def test_a_job_that_would_be_refused_is_refused(self):
        for arguments, code, text in (
                ((*SEARCH, "--on", "h1000"), 2, "h1000"),
                (("search", IRIS, "--target", "species", "--grid", "nothing=1"), 2, "nothing"),
                (("train", IRIS, "--target", "species", "--hidden", "2000000,2000000"), 4, "needs at least"),
                (("train", IRIS, "--target", "species", "--estimator", "random-forest", "--n-estimators", "1000000000"), 4,
                 "trees"),
                (("race", "--layers", "99"), 2, "layers"),
                (("race", "--devices", "cpu,nothing"), 2, "nothing"),
                ((*SEARCH, "--cv", "60"), 3, "fold")):
            self.assertIn(text, self.overtake(*arguments, "--plan", expect=code)[1])

    def test_rates_are_kept_until_they_are_damaged(self):
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
        self.assertRegex(out, r"time: [^\n]*, predicted [0-9.]+ m?s \(")
        self.assertGreater(json.loads(path.read_text())["prediction"]["seconds"], 0)
        self.overtake(*SEARCH, "--device", "cpu", "--json", path)
        self.assertIsNone(json.loads(path.read_text())["prediction"])


if __name__ == "__main__":
    main()
