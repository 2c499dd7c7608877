# SPDX-License-Identifier: MIT
"""Version, help, devices, and the answer to misspelt names."""
import json
import os
import re
import resource
import subprocess
import unittest

from support import BINARY, IRIS, CliTest, main


class Basics(CliTest):
    def test_version(self):
        out, err = self.overtake("--version")
        self.assertRegex(out, r"^overtake \d+\.\d+\.\d+\n$")
        self.assertEqual(err, "")

    @unittest.skipIf("OVERTAKE_SANITIZED" in os.environ, "a sanitizer starts slowly")
    def test_version_is_quick(self):
        def seconds():
            begin = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([BINARY, "--version"], check=True, stdout=subprocess.DEVNULL)
            end = resource.getrusage(resource.RUSAGE_CHILDREN)
            return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime

        # The design asks for 20 ms. Processor time, and a loose bound: machines do something else as well.
        self.assertLess(min(seconds() for _ in range(20)), 0.1)

    def test_help_has_examples(self):
        out, _ = self.overtake("--help")
        for word in ("devices", "race", "train", "predict", "Examples:", "Exit codes:"):
            self.assertIn(word, out)
        for command in ("devices", "race", "train", "predict"):
            out, _ = self.overtake(command, "--help")
            self.assertIn("Examples:", out)

    def test_every_flag_of_the_manual_exists(self):
        wanted = {
            "race": "layers epochs batch samples devices repeat seed lr budget quick memory-limit json report",
            "train": "target hidden activation dropout epochs batch-size lr optimizer momentum weight-decay schedule "
                     "validation patience device seed threads memory-limit save checkpoint resume json task drop header "
                     "no-header",
            "predict": "out proba device threads",
            "devices": "json no-measure",
            "cache": "json",
        }
        for command, flags in wanted.items():
            out, _ = self.overtake(command, "--help")
            for flag in flags.split():
                self.assertRegex(out, rf"--{flag}\b")

    def test_nothing_to_do_is_a_usage_error(self):
        self.fails(2)

    def test_misspelt_subcommand(self):
        self.fails(2, "trian", "x.csv", says=('unknown subcommand "trian"', 'Did you mean "train"?'))
        self.fails(2, "qqqqqqqq", says=('unknown subcommand "qqqqqqqq"',))

    def test_misspelt_flag(self):
        self.fails(2, "race", "--layer", "2", says=('unknown flag "--layer"', 'Did you mean "--layers"?'))
        self.fails(2, "train", "x.csv", "--targte=a", says=('Did you mean "--target"?',))

    def test_misspelt_choice(self):
        self.fails(2, "train", "x.csv", "--target", "a", "--optimizer", "adm", says=("--optimizer", '"adam"'))
        self.fails(2, "train", "x.csv", "--target", "a", "--activation", "rleu", says=("--activation", '"relu"'))

    def test_bad_numbers(self):
        self.fails(2, "race", "--layers", "2..x", says=("--layers",))
        self.fails(2, "race", "--layers", "1")
        self.fails(2, "race", "--epochs", "0", says=("epochs",))
        self.fails(2, "race", "--epochs", "many")
        self.fails(2, "train", "x.csv", "--target", "a", "--dropout", "1", says=("--dropout",))
        self.fails(2, "train", "x.csv", "--target", "a", "--resume", says=("--checkpoint",))


class Devices(CliTest):
    def test_lists_the_cpu_first(self):
        out, _ = self.overtake("devices", "--no-measure")
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith("device"))
        self.assertRegex(lines[2], r"^cpu +\S")
        self.assertNotIn("null", out)
        self.assertRegex(out, r"(?m)^cpu: GFLOP/s peak at [\d,]+ MHz \(.+\)$")

    def test_json(self):
        out, _ = self.overtake("devices", "--json", "--no-measure")
        data = json.loads(out)
        self.assertEqual(data["schema"], "overtake.devices/1")
        self.assertGreater(data["machine"]["cores"], 0)
        self.assertEqual(data["devices"][0]["id"], "cpu")
        self.assertEqual(data["devices"][0]["kind"], "cpu")
        self.assertTrue(data["devices"][0]["usable"])
        self.assertTrue(data["devices"][0]["double_precision"])
        self.assertIsNone(data["devices"][0]["measured_gflops"])
        for device in data["devices"]:
            if not device["usable"]:
                self.assertNotEqual(device["reason"], "")

    def test_measures(self):
        # Kernels are compiled anew: what compilers say while they do is not for the user.
        # Without the trial of the driver, which announces itself.
        fresh = {**os.environ, "OVERTAKE_CACHE_DIR": str(self.folder / "ours"), "POCL_CACHE_DIR": str(self.folder / "pocl"),
                 "OVERTAKE_TRIAL": "off"}
        (self.folder / "pocl").mkdir()
        process = self.start("devices", "--json", "devices.json", env=fresh)
        _, err = process.communicate(timeout=300)
        self.assertEqual((process.returncode, err), (0, ""))
        data = json.loads((self.folder / "devices.json").read_text())
        cpu = data["devices"][0]
        self.assertGreater(cpu["measured_gflops"], 1)
        self.assertGreater(cpu["measured_gbs"], 0.5)
        if cpu["peak_gflops"] > 0:
            self.assertLessEqual(cpu["measured_gflops"], cpu["peak_gflops"])
        self.assertIn(cpu["clock_origin"], ("cpufreq", "cpuinfo", "measured"))

    def test_a_device_that_is_missing_is_exit_4_with_cause_and_cure(self):
        out, _ = self.overtake("devices", "--json", "--no-measure")
        usable = [d["id"] for d in json.loads(out)["devices"] if d["usable"]]
        if any(id.startswith("cuda") for id in usable):
            self.skipTest("this machine has a GPU that CUDA can use")
        err = self.fails(4, "race", "--layers", "2", "--devices", "cpu,cuda")
        self.assertRegex(err, r"(?m)^hint: \S")
        for command in (("train", IRIS, "--target", "species", "--save", "m", "--epochs", "1"), ("predict", "m", IRIS, "--out", "p")):
            err = self.fails(4, *command, "--device", "cuda")
            self.assertRegex(err, r"(?m)^hint: \S")
        self.fails(2, "race", "--layers", "2", "--devices", "cpu,quantum")


class Cache(CliTest):
    def cache(self, *arguments, folder=None, expect=0):
        variables = {**os.environ, "OVERTAKE_CACHE_DIR": str(self.folder / "cache" if folder is None else folder)}
        process = self.start("cache", *arguments, env=variables)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, expect, err)
        return out if expect == 0 else err

    def test_shows_and_clears_what_is_ours(self):
        folder = self.folder / "cache"
        self.assertIn("0 compiled programs (0 B), 0 verdicts on drivers", self.cache())
        folder.mkdir()
        (folder / ("a" * 32 + ".program")).write_bytes(b"12345")
        (folder / "other.program").write_bytes(b"1")
        self.assertIn(f"{folder}: 1 compiled program (5 B), 0 verdicts", self.cache())
        data = json.loads(self.cache("--json"))
        self.assertEqual((data["schema"], data["folder"], data["cleared"]), ("overtake.cache/1", str(folder), False))
        self.assertEqual((data["programs"], data["program_bytes"], data["verdicts"]), (1, 5, []))
        self.assertIn(f"removed from {folder}: 1 compiled program (5 B)", self.cache("clear"))
        self.assertEqual([p.name for p in folder.iterdir()], ["other.program"])
        self.assertTrue(json.loads(self.cache("clear", "--json"))["cleared"])

    def test_no_folder_is_said(self):
        self.assertIn("nothing is kept", self.cache(folder=""))
        self.assertIsNone(json.loads(self.cache("--json", folder=""))["folder"])

    def test_other_actions_are_usage_errors(self):
        self.assertIn("clean", self.cache("clean", expect=2))


if __name__ == "__main__":
    main()
