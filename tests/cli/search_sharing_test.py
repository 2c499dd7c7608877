# SPDX-License-Identifier: MIT
"""A search that the CPU and another device share: all results are those of one device."""
import json
import signal
import unittest

from search_support import IRIS_GRID, SearchTest, noisy_csv
from support import IRIS, CliTest, main

GRID = ("--grid", "max_bins=6,12,24,48", "--grid", "max_features=1,3,5", "--set", "n_estimators=30")
SEARCH = ("search", "d.csv", "--target", "y", *GRID, "--cv", "5", "--seed", "3", "--threads", "2")
FITS = 4 * 3 * 5


class NamedDevices(CliTest):
    def test_two_devices_are_the_cpu_and_another(self):
        for devices in ("cpu,cpu", "cpu,cpu,cpu"):
            self.fails(2, "search", IRIS, "--target", "species", *IRIS_GRID, "--device", devices,
                       says=(f"\"{devices}\" are no two devices", "cpu,cuda:0"))
        self.fails(2, "search", IRIS, "--target", "species", *IRIS_GRID, "--device", "cpu,")


class Shared(SearchTest):
    def setUp(self):
        super().setUp()
        listed = json.loads(self.overtake("devices", "--json", "-", "--no-measure")[0])
        others = [d["id"] for d in listed["devices"] if d["usable"] and d["id"] not in ("cpu", "null")]
        if not others:
            self.skipTest("there is no device beside the CPU")
        self.other = others[0]
        self.both = ("--device", "cpu," + self.other)
        self.write("d.csv", noisy_csv(1200))

    def test_every_result_is_that_of_one_device(self):
        alone = self.search_json(*SEARCH[1:], "--device", "cpu", "--save", "alone", "--scoring", "accuracy,roc_auc,neg_log_loss",
                                 "--positive-class", "yes")
        out, _ = self.overtake(*SEARCH, *self.both, "--save", "both", "--scoring", "accuracy,roc_auc,neg_log_loss",
                               "--positive-class", "yes", "--json", "both.json", "--report", "both.html")
        both = self.json_of("both.json")
        self.same_table(alone, both)
        self.assertEqual((self.folder / "alone").read_bytes(), (self.folder / "both").read_bytes())
        name = "cpu + " + self.other
        self.assertEqual([d["device"] for d in alone["devices"]], ["cpu"])
        self.assertEqual(alone["devices"][0]["jobs"], FITS)
        self.assertEqual(both["device"], name)
        self.assertEqual(sorted(d["device"] for d in both["devices"]), sorted(["cpu", self.other]))
        self.assertEqual(sum(d["jobs"] for d in both["devices"]), FITS)
        for device in both["devices"]:
            self.assertGreater(device["jobs"], 0, device)
            self.assertGreater(device["seconds"], 0, device)
        self.assertIn(self.other, both["machine"]["drivers"])
        self.assertIn(f"device: {name} (as asked for", out)
        self.assertRegex(out, rf"shared: \d+ fits? on {self.other}, \d+ fits? on cpu")
        self.assertIn(name, (self.folder / "both.html").read_text())

    def test_a_plan_names_both_and_runs_nothing(self):
        out, _ = self.overtake(*SEARCH, *self.both, "--plan")
        self.assertIn(f"choice: cpu + {self.other} (as asked for)", out)
        self.assertIn("nothing was run", out)
        plan = json.loads(self.overtake(*SEARCH, *self.both, "--plan", "--json", "-")[0])
        self.assertEqual(plan["device"], "cpu + " + self.other)

    def test_killed_interrupted_and_continued_on_other_devices(self):
        self.write("d.csv", noisy_csv(4000))  # enough to be stopped twice
        whole = self.search_json(*SEARCH[1:], "--device", "cpu")
        for sign, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)):
            process = self.start(*SEARCH, *self.both, "--journal", "s.db")
            self.addCleanup(process.kill)
            before = self.recorded("s.db")
            self.wait_for(lambda seen=before: self.recorded("s.db") > seen, process)
            process.send_signal(sign)
            out, err = process.communicate(timeout=300)
            self.assertEqual(process.returncode, code, out + err)
            self.assertLess(self.recorded("s.db"), FITS, "the search ended before it could be stopped")
        out, _ = self.overtake("show", "s.db")
        self.assertIn(f"on cpu + {self.other}", out)
        done = self.recorded("s.db")
        resumed = self.search_json(*SEARCH[1:], *self.both, "--journal", "s.db", "--resume")
        self.assertEqual(resumed["resumed_jobs"], done)
        self.assertEqual(sum(d["jobs"] for d in resumed["devices"]), FITS - done)
        self.same_table(whole, resumed)
        self.same_table(whole, self.search_json(*SEARCH[1:], "--device", "cpu", "--journal", "s.db"))

    def test_memory_limits_change_no_result(self):
        whole = self.search_json(*SEARCH[1:], "--device", "cpu")
        self.same_table(whole, self.search_json(*SEARCH[1:], *self.both, "--memory-limit", "3MiB", "--host-memory-limit", "1GiB"))
        self.overtake(*SEARCH, *self.both, "--host-memory-limit", "10MiB", expect=4)


if __name__ == "__main__":
    main()
