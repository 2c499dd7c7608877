# SPDX-License-Identifier: MIT
"""overtake race: the table, the JSON schema, the HTML page, Ctrl-C."""
import json
import math
import os
import signal
import time
import unittest

from support import CliTest, main

PARAMETERS = {2: 22, 3: 70, 4: 230, 5: 806, 6: 2982}
RESULT_KEYS = {"seconds", "step_us", "spread", "compile_seconds", "transfer_seconds", "threads", "engine", "final_loss",
               "train_error"}


class Race(CliTest):
    def race(self, *flags):
        out, err = self.overtake("race", "--json", "race.json", *flags)
        return out, err, json.loads((self.folder / "race.json").read_text())

    def test_schema(self):
        _, _, data = self.race("--layers", "2..4", "--epochs", "5", "--repeat", "2")
        self.assertEqual(data["schema"], "overtake.race/1")
        self.assertLessEqual({"machine", "settings", "devices", "rows", "crossover"}, set(data))
        self.assertLessEqual({"cpu", "cores", "memory_bytes", "os", "overtake", "drivers"}, set(data["machine"]))
        self.assertEqual(data["settings"]["layers"], [2, 3, 4])
        self.assertEqual(data["settings"]["devices"][0], "cpu")
        self.assertEqual([row["layers"] for row in data["rows"]], [2, 3, 4])
        for row in data["rows"]:
            self.assertEqual(row["parameters"], PARAMETERS[row["layers"]])
            self.assertEqual(set(row["results"]), set(data["settings"]["devices"]))
            for result in row["results"].values():
                self.assertLessEqual(RESULT_KEYS, set(result))
                self.assertGreater(result["step_us"], 0)
                self.assertGreaterEqual(result["spread"], 0)
                self.assertTrue(math.isclose(result["seconds"], result["step_us"] * 1e-6 * 50, rel_tol=1e-6))
                self.assertGreater(result["final_loss"], 0)
                self.assertTrue(0 <= result["train_error"] <= 1)
            self.assertGreaterEqual(row["results"]["cpu"]["threads"], 1)
        self.assertIn("parameters", data["crossover"])
        self.assertTrue(data["crossover"]["statement"])

    def test_devices_reach_the_same_losses(self):
        _, _, data = self.race("--layers", "2,5", "--epochs", "10", "--repeat", "1")
        if len(data["settings"]["devices"]) < 2:
            self.skipTest("only the CPU can race here")
        for row in data["rows"]:
            self.assertLess(row["max_loss_difference"], 1e-3)

    def test_the_same_seed_gives_the_same_loss_and_another_does_not(self):
        flags = ("--layers", "4", "--epochs", "3", "--repeat", "1", "--devices", "cpu")
        losses = [self.race(*flags, "--seed", seed)[2]["rows"][0]["results"]["cpu"]["final_loss"] for seed in (0, 0, 1)]
        self.assertEqual(losses[0], losses[1])
        self.assertNotEqual(losses[0], losses[2])

    def test_learns_the_disc(self):
        _, _, data = self.race("--layers", "5", "--repeat", "1", "--devices", "cpu", "--budget", "0")
        result = data["rows"][0]["results"]["cpu"]
        self.assertEqual(result["steps"], 1000)
        self.assertFalse(result["cut"])
        self.assertLess(result["train_error"], 0.1)

    def test_text(self):
        out, err, data = self.race("--layers", "2,3", "--epochs", "2", "--repeat", "1", "--ascii")
        self.assertRegex(out, r"(?m)^layers +parameters +cpu")
        self.assertRegex(out, r"(?m)^ +2 +22 ")
        self.assertIn("o cpu", out)
        *_, statement, last = out.rstrip().splitlines()
        self.assertEqual(data["crossover"]["statement"], statement if data["transfers"] else last, out)
        if data["transfers"]:
            self.assertTrue(last.startswith("copied "), last)
        if not any(d["usable"] and d["backend"] == "cuda" for d in data["devices"]):
            self.assertRegex(out, "No (usable )?GPU")

    def test_a_small_budget_cuts_and_says_so(self):
        out, _, data = self.race("--layers", "6", "--epochs", "100000", "--repeat", "2", "--devices", "cpu", "--budget", "0.2")
        result = data["rows"][0]["results"]["cpu"]
        self.assertTrue(result["cut"])
        self.assertLess(result["steps"], 1000000)
        self.assertEqual(data["rows"][0]["compared_steps"], result["steps"])
        self.assertIn("cut by the budget", out)

    def test_json_on_standard_output_is_only_json(self):
        out, _ = self.overtake("race", "--layers", "2", "--epochs", "1", "--repeat", "1", "--json", "-")
        self.assertEqual(json.loads(out)["schema"], "overtake.race/1")

    def test_memory_limit(self):
        out, _, data = self.race("--layers", "2,10", "--epochs", "1", "--repeat", "1", "--devices", "cpu",
                                 "--memory-limit", "1MiB")
        self.assertIn("step_us", data["rows"][0]["results"]["cpu"])
        self.assertIn("error", data["rows"][1]["results"]["cpu"])
        self.assertIn("10 layers on cpu", out)

    def test_an_output_that_cannot_be_written_is_known_before_the_race(self):
        begin = time.monotonic()
        self.fails(3, "race", "--epochs", "100000", "--budget", "0", "--json", "no/such/folder/race.json",
                   says=("no/such/folder/race.json",))
        self.assertLess(time.monotonic() - begin, 5)

    def test_interrupt_gives_what_there_is(self):
        process = self.start("race", "--layers", "2..6", "--epochs", "1000000", "--repeat", "1", "--devices", "cpu",
                             "--budget", "0", "--json", "race.json")
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        data = json.loads((self.folder / "race.json").read_text())
        self.assertLess(len(data["rows"]), 5)
        self.assertIn("stopped before its end", out)


if __name__ == "__main__":
    main()
