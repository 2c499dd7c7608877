# SPDX-License-Identifier: MIT
"""Limits of the computer's memory: what cannot fit is refused before the work, and files larger than it are predicted."""
import re
import json
import os
import random
import subprocess
import time
import unittest

from support import BINARY, IRIS, CliTest, main

PLAIN = not os.environ.get("OVERTAKE_SANITIZED")  # a sanitizer multiplies what the process holds


class MemoryTest(CliTest):
    def result(self, *arguments):
        self.overtake(*arguments, "--json", "out.json")
        return json.loads((self.folder / "out.json").read_text())

    def large(self, rows=60_000):
        """A table of about 4 MB with all that a CSV file may hold: quotes, blank lines, line ends in cells."""
        lines = ["name,sepal_length,petal_length,petal_width,sepal_width,species\r\n"]
        for i in range(rows):
            name = f'"row\n{i}, ""quoted"""' if i % 7 == 0 else f"row {i} with some more text to read"
            lines.append(f"{name},{4 + i % 40 / 10},{1 + i % 60 / 10},{i % 25 / 10},{2 + i % 24 / 10},"
                         f"{'setosa' if i % 3 else 'virginica'}\n" + ("\n" if i % 11 == 0 else ""))
        return self.write("large.csv", "".join(lines))

    def model(self):
        self.overtake("train", IRIS, "--target", "species", "--estimator", "random-forest", "--set", "n_estimators=10",
                      "--device", "cpu", "--save", "m")

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_predictions_are_the_same_in_parts(self):
        self.model()
        data = self.large()
        whole, _ = self.overtake("predict", "m", data, "--out", "whole.csv", "--proba")
        limit = ("--host-memory-limit", "20MiB")  # the program and parts of some thousand rows
        parts, _ = self.overtake("predict", "m", data, "--out", "parts.csv", "--proba", *limit)
        self.assertEqual((self.folder / "parts.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())
        self.assertEqual(parts.replace("parts.csv", "whole.csv"), whole)
        self.assertIn("accuracy on column species", parts)
        out, _ = self.overtake("predict", "m", data, "--proba", *limit)
        self.assertEqual(out.encode(), (self.folder / "whole.csv").read_bytes())
        with open(data, "rb") as source:
            with subprocess.Popen(["cat"], stdin=source, stdout=subprocess.PIPE) as cat:
                piped = subprocess.run([BINARY, "predict", "m", "/dev/stdin", "--proba", *limit], cwd=self.folder,
                                       stdin=cat.stdout, capture_output=True, check=True)
        self.assertEqual(piped.stdout, (self.folder / "whole.csv").read_bytes())

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_layers_of_a_network_that_predicts_keep_to_the_limit(self):
        self.overtake("train", IRIS, "--target", "species", "--hidden", "2000,2000", "--epochs", "1", "--device", "cpu", "--save", "m")
        data, limit = self.large(), 90 * 2**20  # 4,096 rows at once take as much by themselves
        self.overtake("predict", "m", data, "--out", "whole.csv")
        code, peak = self.peak_of("predict", "m", data, "--out", "parts.csv", "--host-memory-limit", limit)
        self.assertEqual(code, 0)
        self.assertLess(peak, limit)
        self.assertEqual((self.folder / "parts.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())
        self.overtake("predict", "m", data, "--host-memory-limit", limit, "--plan")

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_a_network_that_predicts_counts_its_programs_and_layers(self):
        draw = random.Random()
        rows = ["".join(f"{draw.random():.4f}," for _ in range(10)) + draw.choice("abc") for _ in range(5000)]
        data = self.write("rows.csv", ",".join(f"x{i}" for i in range(10)) + ",y\n" + "\n".join(rows) + "\n")
        self.overtake("train", data, "--target", "y", "--hidden", "256,256", "--epochs", "1", "--device", "cpu", "--save", "m")
        predict = ("predict", "m", data, "--device", "cpu")
        refused = 0
        for limit in (16, 20, 24, 28, 32, 36, 48, None):
            flags = () if limit is None else ("--host-memory-limit", f"{limit}MiB")
            code, peak = self.peak_of(*predict, "--out", "p.csv", *flags)
            plan = self.start(*predict, "--plan", "--json", "plan.json", *flags)
            _, err = plan.communicate(timeout=120)
            self.assertEqual(plan.returncode, code, f"limit {limit}: {err}")
            self.assertLess(peak, 1.06 * 2**20 * (limit or 10**6), f"limit {limit}")
            refused += code == 4
            if code == 4:
                self.assertIn("programs that compute", err)
                continue
            planned = json.loads((self.folder / "plan.json").read_text())["predictions"][0]["host_bytes"]
            self.assertLess(abs(peak / planned - 1), 0.2, f"limit {limit}: {peak >> 20} MiB held, {planned >> 20} planned")
        self.assertIn(refused, range(2, 5))

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_an_error_in_a_late_part_leaves_no_file(self):
        self.model()
        data = self.large()
        with open(data, "a") as file:
            file.write("last,1,2,3,four,setosa\n")
        lines = data.read_bytes().count(b"\n")
        self.fails(3, "predict", "m", data, "--out", "p.csv", "--host-memory-limit", "20MiB",
                   says=[f"line {lines}", "sepal_width", "four"])

    def peak_of(self, *arguments):
        """Exit code and the most bytes that the process held."""
        process = subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        peak = 0  # rusage would have that of this process, too, which the child begins as a copy of
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), peak)
            time.sleep(0.002)
        return process.returncode, peak * 1024

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_the_limit_holds_while_a_table_is_read_and_encoded(self):
        rows = ["x0,x1,x2,x3,x4,x5,x6,x7,x8,x9,y"]
        rows += [",".join([f"0.{(row * (i + 7919)) % 999983:06d}" for i in range(10)] + ["ab"[row % 2]])
                 for row in range(120_000)]
        data = self.write("wide.csv", "\n".join(rows) + "\n")
        train = ("train", data, "--target", "y", "--estimator", "random-forest", "--n-estimators", "1", "--max-depth",
                 "2", "--device", "cpu", "--threads", "1")
        code, free = self.peak_of(*train)
        self.assertEqual(code, 0)
        # The texts and the table: 12 and 8 bytes a cell, of one column both.
        self.assertLess(free, 16 * 2**20 + 10 * 120_000 * 16)
        refused = 0
        for share in (0.6, 0.7, 0.8, 0.9, 1.0):
            limit = int(share * free)
            code, peak = self.peak_of(*train, "--host-memory-limit", limit)
            self.assertIn(code, (0, 4))
            refused += code == 4
            self.assertLess(peak, limit + 4 * 2**20, f"{share} of what it takes")
        self.assertGreater(refused, 0)

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_the_limit_of_a_race_is_one_of_the_whole_process(self):
        race = ("race", "--layers", "2,6,8,10,12", "--epochs", "1", "--repeat", "1", "--samples", "10000", "--batch", "1000",
                "--budget", "0.1", "--devices", "cpu", "--json", "race.json")
        seen = set()
        for limit in (16, 30, 50, 70):
            flags = ("--host-memory-limit", f"{limit}MiB")
            code, peak = self.peak_of(*race, *flags)
            self.assertEqual(code, 0)
            self.assertLess(peak, 1.06 * limit * 2**20, f"limit {limit}")
            cells = [row["results"]["cpu"] for row in json.loads((self.folder / "race.json").read_text())["rows"]]
            raced = sum("step_us" in cell for cell in cells)
            self.assertIn("programs that compute", cells[-1]["error"])
            seen.add(raced)
            _, err = self.overtake(*race, "--plan", *flags)
            plan = json.loads((self.folder / "race.json").read_text())
            self.assertEqual(len(re.findall(r"^note: \d+ layers on cpu", err, re.MULTILINE)), 5 - raced)
            if raced > 0:
                self.assertLess(abs(peak / plan["predictions"][0]["host_bytes"] - 1), 0.2, f"limit {limit}: {peak} held")
        self.assertGreater(len(seen), 2, f"refused all, some, few: {seen}")
        code, peak = self.peak_of("race", *race[3:], "--layers", "11")
        self.overtake("race", *race[3:], "--layers", "11", "--plan")
        planned = json.loads((self.folder / "race.json").read_text())["predictions"][0]["host_bytes"]
        self.assertLess(abs(peak / planned - 1), 0.2, f"{peak} held, {planned} planned")

    def opencl_on_cpu(self):
        listed = json.loads(self.overtake("devices", "--json", "-", "--no-measure")[0])["devices"]
        names = [d["id"] for d in listed if d["kind"] == "opencl-on-cpu" and d["usable"]]
        if not names:
            self.skipTest("no OpenCL driver here computes on the CPU")
        return names[0]

    def noise(self):
        """20,000 rows of 20 numbers and a class that two of them decide."""
        draw = random.Random()
        rows = [[draw.gauss(0, 1) for _ in range(20)] for _ in range(20_000)]
        lines = []
        for x in rows:
            label = "up" if x[0] + x[1] * x[2] + draw.gauss(0, 0.5) > 0 else "down"
            lines.append(",".join(f"{value:.4f}" for value in x) + f",{label}\n")
        return self.write("d.csv", ",".join(f"x{i}" for i in range(20)) + ",y\n" + "".join(lines))

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_a_shared_search_is_cut_into_parts_and_what_is_said_to_be_needed_suffices(self):
        both, data = f"cpu,{self.opencl_on_cpu()}", self.noise()
        search = ("search", data, "--target", "y", "--grid", "n_estimators=50,100", "--grid", "max_depth=4,8", "--json", "out.json")
        self.overtake(*search, "--device", both)  # compiles, if that was not done before
        _, free = self.peak_of(*search, "--device", both)
        limit, refusals = free // 2, 0
        while True:
            _, err = self.start(*search, "--device", both, "--host-memory-limit", str(limit), "--save", "m").communicate(timeout=300)
            if "error:" not in err:
                break
            self.assertLess(limit, free, "refused where its parts fit:\n" + err)
            named = re.search(r"needs ([\d.]+) MiB of the computer's memory beside the ([\d.]+) MiB", err)
            refusals += named is not None  # while a table is read nobody knows how much is still to come
            self.assertLess(refusals, 5, "what is said to be needed is not enough:\n" + err)
            limit = int(sum(map(float, named.groups())) * 2**20 * 1.005) if named else limit + 2**21
        self.assertGreater(refusals, 0)
        self.assertTrue((self.folder / "m").exists())
        _, peak = self.peak_of(*search, "--device", both, "--host-memory-limit", limit)
        self.assertLess(peak, 1.05 * limit)
        tight = json.loads((self.folder / "out.json").read_text())
        self.assertEqual(tight["cv_results_"]["mean_test_score"],
                         self.result(*search[:-2], "--device", "cpu")["cv_results_"]["mean_test_score"])

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_what_opencl_on_the_cpu_takes_is_memory_of_the_process(self):
        device, data = self.opencl_on_cpu(), self.noise()
        search = ("search", data, "--target", "y", "--grid", "max_depth=none,10", "--set", "n_estimators=30", "--device", device,
                  "--json", "out.json")
        self.overtake(*search)  # compiles, if that was not done before: the driver's compiler is not planned for
        code, free = self.peak_of(*search)
        self.assertEqual(code, 0)
        self.assertLess(abs(self.planned() / free - 1), 0.2)
        before = 3 * free // 4  # the driver and the table are more than half of it
        for limit in (before, (before + free) // 2, free):
            code, peak = self.peak_of(*search, "--host-memory-limit", limit)
            self.assertEqual(code, 0)
            self.assertLess(peak, limit + 4 * 2**20, f"{limit} of {free}")
            self.assertLess(abs(self.planned() / peak - 1), 0.2)

        network = ("train", data, "--target", "y", "--hidden", "250,250", "--epochs", "1", "--device", device, "--json", "out.json")
        self.overtake(*network)
        code, free = self.peak_of(*network)
        self.assertEqual(code, 0)
        planned = json.loads((self.folder / "out.json").read_text())["planned_host_bytes"]
        near = 0.1  # 18 runs: 1.03 to 1.08 of the plan, which holds what the table left in the heap, or not
        self.assertLess(abs(planned / free - 1), near)
        limited = (*network, "--host-memory-limit", str(planned + 2 * 2**20))
        # Its parts may be others, and others again by what the process happens to hold: those are compiled first.
        runs = [self.peak_of(*limited) for _ in range(3)]
        self.assertEqual([code for code, _ in runs], [0, 0, 0])
        self.assertLess(min(peak for _, peak in runs), (1 + near) * planned)

    def planned(self):
        return json.loads((self.folder / "out.json").read_text())["plan"]["planned_host_bytes"]

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_candidates_that_cut_trees_alike_share_their_tables_in_the_plan(self):
        plan = self.result("search", IRIS, "--target", "species", "--random", "3000", "--param", "max_depth=int(1,50)",
                           "--param", "n_estimators=int(1,300)", "--param", "max_features=uniform(0.1,1)",
                           "--device", "cpu")["plan"]
        self.assertLess(plan["planned_host_bytes"], 2 * plan["host_peak_bytes"])

    def test_what_cannot_fit_is_refused_before_the_work(self):
        self.model()
        small = ("--host-memory-limit", "1MiB")
        for command in (("train", IRIS, "--target", "species", "--estimator", "random-forest"),
                        ("train", IRIS, "--target", "species"),
                        ("search", IRIS, "--target", "species", "--grid", "max_depth=2,3"),
                        ("race", "--layers", "2", "--devices", "cpu", "--epochs", "1"),
                        ("predict", "m", IRIS, "--out", "p")):
            error = self.fails(4, *command, *small, says=["the computer's memory", "--host-memory-limit"])
            self.assertIn("MiB", error)
        forest = ("train", IRIS, "--target", "species", "--estimator", "random-forest")
        self.fails(4, *forest, "--set", "n_estimators=10000000", "--host-memory-limit", "1GiB",
                   says=["10000000 trees", "of the computer's memory"])
        self.fails(4, "train", IRIS, "--target", "species", "--hidden", "4000,4000", "--device", "cpu",
                   "--host-memory-limit", "100MiB",
                   says=["training the network needs", "that the process holds", "the limit is 100 MiB", "weights, gradients",
                         "Raise --host-memory-limit"])
        self.fails(2, *forest, "--host-memory-limit", "0", says=["--host-memory-limit", "above 0"])

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_what_is_refused_names_the_limit_that_was_given(self):
        rows = "".join(f"{random.random():.4f},{random.random():.4f},{random.choice('ab')}\n" for _ in range(100_000))
        data = self.write("many.csv", "a,b,y\n" + rows)
        errors = []
        for limit in range(30, 90, 4):
            process = self.start("train", data, "--target", "y", "--estimator", "random-forest", "--set", "n_estimators=3",
                                 "--device", "cpu", "--host-memory-limit", f"{limit}MiB")
            _, err = process.communicate(timeout=120)
            if process.returncode == 0:
                break
            if "one tree" in err:
                self.assertIn(f"and the limit is {limit}.0 MiB", err)
                self.assertIn("that the process holds", err)
                self.assertNotIn("on the device", err)
                errors.append(err)
        self.assertTrue(errors, "no limit was too small for a tree alone")
        err = self.fails(4, "train", data, "--target", "y", "--estimator", "random-forest", "--memory-limit", "600KiB", says=["may be used"])
        need, limit = re.search(r"needs (?:at least|about) ([\d.]+ \w+) .*, ([\d.]+ \w+) may be used", err).groups()
        self.assertNotEqual(need, limit)

    @unittest.skipUnless(PLAIN, "the limit is meant for the plain program")
    def test_a_forest_is_written_without_a_copy(self):
        train = ("train", self.noise(), "--target", "y", "--estimator", "random-forest", "--set", "n_estimators=100", "--device", "cpu")
        _, free = self.peak_of(*train)
        code, peak = self.peak_of(*train, "--save", "m")
        self.assertEqual(code, 0)
        self.assertLess(peak, 1.1 * free)
        code, peak = self.peak_of(*train, "--save", "m", "--host-memory-limit", free)
        self.assertEqual(code, 0)
        self.assertLess(peak, 1.1 * free)

    def test_a_size_that_is_none_names_the_largest(self):
        forest = ("train", IRIS, "--target", "species", "--estimator", "random-forest", "--device", "cpu")
        for size in ("1e30", "16EiB", "18446744073709551616", "5 potatoes"):
            error = self.fails(2, *forest, "--host-memory-limit", size, says=["above 0 such as 512MiB", "at most 18446744073709551615 bytes", size])
            self.assertNotIn("UINT", error)
        self.overtake(*forest, "--host-memory-limit", "18446744073709551615")

    def test_an_empty_value_takes_no_other_flag(self):
        for flag in ("--memory-limit", "--host-memory-limit", "--device"):
            self.fails(2, "train", "absent.csv", "--target", "y", f"{flag}=", "--seed", "1", says=[f"{flag} has no value", f"{flag}=VALUE"])

    def test_a_limit_changes_no_result(self):
        grid = ("search", IRIS, "--target", "species", "--device", "cpu", "--grid", "n_estimators=5,20", "--grid", "max_depth=2,none")
        free = self.result(*grid)
        tight = self.result(*grid, "--host-memory-limit", "200MiB")
        self.assertEqual(free["cv_results_"]["mean_test_score"], tight["cv_results_"]["mean_test_score"])
        self.assertEqual(tight["settings"]["host_memory_limit"], 200 << 20)
        self.assertIsNone(free["settings"]["host_memory_limit"])

    def test_plans_stand_beside_what_was_measured(self):
        for flags in (("--estimator", "random-forest"), ("--epochs", "2")):
            result = self.result("train", IRIS, "--target", "species", "--device", "cpu", *flags)
            self.assertGreater(result["planned_host_bytes"], 0)
            self.assertGreater(result["host_peak_bytes"], 0)
            if PLAIN:
                self.assertLess(abs(result["planned_host_bytes"] / result["host_peak_bytes"] - 1), 0.5)
        plan = self.result("search", IRIS, "--target", "species", "--device", "cpu", "--grid", "max_depth=2,3")["plan"]
        self.assertGreater(plan["planned_host_bytes"], 0)
        self.assertGreater(plan["host_peak_bytes"], 0)


if __name__ == "__main__":
    main()
