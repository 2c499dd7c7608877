# SPDX-License-Identifier: MIT
"""overtake bench: the table, the JSON schema; and the line of copies that runs on devices end with."""
import json

from support import IRIS, CliTest, main

WORKS = {"copy", "a*b+c", "where, with branches", "mean", "sum over axis 0", "sum over axis 1", "sort", "bincount into 256",
         "upload, pageable", "upload, pinned", "download, pageable", "download, pinned"}
ROW_KEYS = {"work", "seconds", "amount", "rate", "bound", "floor", "fraction", "failure"}


class Bench(CliTest):
    def test_schema_and_figures_that_belong_together(self):
        out, _ = self.overtake("bench", "arrays", "--device", "cpu", "--size", "65536", "--seconds", "0.01", "--json")
        data = json.loads(out)
        self.assertEqual(data["schema"], "overtake.bench-arrays/1")
        self.assertIn("cpu", data["machine"])
        (bench,) = data["devices"]
        self.assertEqual((bench["device"], bench["elements"]), ("cpu", 65536))
        names = [row["work"] for row in bench["rows"]]
        self.assertLessEqual(WORKS, set(names))
        self.assertIn("matmul 128 x 128", names)
        for row in bench["rows"]:
            self.assertEqual(set(row), ROW_KEYS)
            self.assertIsNone(row["failure"])
            self.assertGreater(row["seconds"], 0)
            self.assertAlmostEqual(row["rate"] * row["seconds"] / row["amount"], 1, places=6)
            self.assertAlmostEqual(row["fraction"] * row["floor"] / row["rate"], 1, places=6)
        amounts = {row["work"]: row["amount"] for row in bench["rows"]}
        self.assertEqual(amounts["a*b+c"], 16 * 65536)
        self.assertEqual(amounts["mean"], 4 * 65536)
        self.assertEqual(amounts["matmul 128 x 128"], 2 * 128**3)
        self.assertEqual(amounts["upload, pinned"], 4 * 65536)

    def test_table(self):
        out, _ = self.overtake("bench", "arrays", "--device", "cpu", "--size", "4096", "--seconds", "0.001")
        self.assertIn("cpu (", out)
        self.assertIn("a*b+c", out)
        self.assertIn("floors: memory ", out)

    def test_wrong_requests(self):
        self.fails(2, "bench", "matrices", says=["matrices", "arrays"])
        self.fails(2, "bench", "arrays", "--device", "cpu", "--size", "7", says=["a bench of 7 elements"])
        self.fails(2, "bench", "arrays", "--device", "cpu", "--seconds", "0", says=["positive time"])
        self.fails(2, "bench", "arrays", "--device", "null", says=["computes nothing"])
        self.fails(2, "bench", "arrays", "--device", "cqu", says=["unknown device"])

    def test_flags_that_would_change_nothing_are_refused(self):
        for flag, value in (("--size", "5"), ("--seconds", "0.1")):
            self.fails(2, "bench", "lenet", flag, value, says=[f"{flag} is not for bench lenet", "bench arrays"])
        for flags in (("--batch-size", "5"), ("--precision", "fp32"), ("--steps", "1"), ("--profile",)):
            self.fails(2, "bench", "arrays", *flags, says=[f"{flags[0]} is not for bench arrays"])
        self.fails(2, "bench", "lenet", "--device", "cpu", "--device", "cuda", says=["--device cuda"])

    def test_nothing_that_ran_is_an_error(self):
        out, _ = self.overtake("bench", "lenet", "--device", "cpu", "--batch-size", "100000000", expect=4)
        self.assertIn("did not run", out)

    def test_networks_run_on_the_cpu_where_no_device_is_named(self):
        out, _ = self.overtake("bench", "lenet", "--batch-size", "2", "--steps", "1")
        self.assertIn("lenet on cpu", out)


class Transfers(CliTest):
    def other_device(self):
        out, _ = self.overtake("devices", "--no-measure", "--json")
        for device in json.loads(out)["devices"]:
            if device["usable"] and device["id"] != "cpu":
                return device["id"]
        self.skipTest("only the CPU can be used here")
        return None

    def test_the_cpu_copies_nothing(self):
        out, _ = self.overtake("train", IRIS, "--target", "species", "--epochs", "2", "--device", "cpu", "--json",
                               "train.json")
        self.assertNotIn("copied", out)
        self.assertEqual(json.loads((self.folder / "train.json").read_text())["transfers"], {})

    def test_the_last_line_says_what_was_copied(self):
        device = self.other_device()
        for command in (("train", IRIS, "--target", "species", "--epochs", "2"),
                        ("search", IRIS, "--target", "species", "--grid", "max_depth=2", "--set", "n_estimators=3")):
            out, _ = self.overtake(*command, "--device", device, "--json", "result.json")
            self.assertRegex(out.splitlines()[-1], f"^copied [0-9.]+ [KM]?i?B to {device} in .*, .* back in ")
            transfers = json.loads((self.folder / "result.json").read_text())["transfers"][device]
            self.assertGreater(transfers["upload_bytes"], 0)
            self.assertGreater(transfers["downloads"], 0)
            self.assertGreaterEqual(transfers["download_seconds"], 0)


if __name__ == "__main__":
    main()
