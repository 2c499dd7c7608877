# SPDX-License-Identifier: MIT
"""overtake train and predict: results, files, checkpoints, interrupts."""
import csv
import json
import os
import signal
import time
import unittest

from support import IRIS, CliTest, main


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Train(CliTest):
    def train(self, *flags, expect=0):
        out, err = self.overtake("train", IRIS, "--target", "species", "--json", "train.json", *flags, expect=expect)
        return out, err, json.loads((self.folder / "train.json").read_text())

    def test_iris(self):
        out, _, data = self.train("--hidden", "64,64", "--epochs", "100", "--device", "cpu", "--validation", "0.2",
                                  "--save", "iris.safetensors")
        self.assertEqual(data["schema"], "overtake.train/1")
        self.assertEqual((data["rows"], data["validation_rows"]), (120, 30))
        self.assertEqual((data["inputs"], data["outputs"]), (4, 3))
        self.assertEqual(data["device"], "cpu")
        self.assertEqual(data["stop_reason"], "finished")
        self.assertEqual(data["epochs_run"], 100)
        best = data["epochs"][data["best_epoch"] - 1]
        self.assertLess(best["validation_error"], 0.1)
        self.assertIn("saved iris.safetensors", out)

        out, _ = self.overtake("predict", "iris.safetensors", IRIS, "--out", "predictions.csv", "--proba")
        truth, predicted = rows_of(IRIS), rows_of(self.folder / "predictions.csv")
        self.assertEqual(len(predicted), len(truth))
        right = sum(t["species"] == p["species"] for t, p in zip(truth, predicted))
        self.assertGreater(right / len(truth), 0.9)
        self.assertIn(f"({right} of {len(truth)})", out)
        for row in predicted:
            chances = [float(row[f"probability_{name}"]) for name in ("setosa", "versicolor", "virginica")]
            self.assertAlmostEqual(sum(chances), 1, places=5)
            self.assertEqual(max(chances), float(row["probability_" + row["species"]]))

    def test_predicts_without_the_target_and_with_columns_in_another_order(self):
        self.train("--epochs", "50", "--device", "cpu", "--save", "m.safetensors")
        rows = rows_of(IRIS)
        names = ["petal_width", "sepal_length", "petal_length", "sepal_width"]
        self.write("flowers.csv", "\n".join([",".join(names)] + [",".join(row[n] for n in names) for row in rows]) + "\n")
        self.overtake("predict", "m.safetensors", "flowers.csv", "--out", "a.csv")
        self.overtake("predict", "m.safetensors", IRIS, "--out", "b.csv")
        self.assertEqual((self.folder / "a.csv").read_bytes(), (self.folder / "b.csv").read_bytes())

    def test_the_same_seed_gives_the_same_file(self):
        flags = ("--epochs", "5", "--device", "cpu", "--dropout", "0.2", "--threads", "1")
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            self.train(*flags, "--seed", seed, "--save", name)
        a, b, c = ((self.folder / name).read_bytes() for name in "abc")
        self.assertEqual(a, b)
        self.assertNotEqual(a, c)

    def test_every_setting(self):
        for optimizer in ("sgd", "adam", "adamw"):
            for schedule in ("constant", "step:3:0.5", "cosine", "exponential:0.9"):
                _, _, data = self.train("--optimizer", optimizer, "--schedule", schedule, "--epochs", "4", "--device", "cpu",
                                        "--weight-decay", "0.001", "--hidden", "8")
                self.assertLess(data["epochs"][-1]["train_loss"], data["epochs"][0]["train_loss"] * 1.05)
        for activation in ("relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu"):
            self.train("--activation", activation, "--epochs", "2", "--device", "cpu", "--hidden", "8,8")

    def test_regression(self):
        lines = ["x,y"] + [f"{i / 100},{3 * i / 100 + 20}" for i in range(200)]
        path = self.write("line.csv", "\n".join(lines) + "\n")
        self.overtake("train", path, "--target", "y", "--epochs", "200", "--hidden", "16", "--lr", "0.01", "--device", "cpu",
                      "--save", "line.safetensors", "--json", "t.json")
        data = json.loads((self.folder / "t.json").read_text())
        self.assertEqual(data["task"], "regression")
        self.overtake("predict", "line.safetensors", path, "--out", "p.csv")
        worst = max(abs(float(p["y"]) - float(t["y"])) for p, t in zip(rows_of(self.folder / "p.csv"), rows_of(path)))
        self.assertLess(worst, 0.3)

    def test_auto_says_why(self):
        out, _, data = self.train("--epochs", "20", "--hidden", "8")
        self.assertIn("cpu", data["device_reason"] + data["device"])
        self.assertRegex(out, r"(?m)^device: \S+ \(.+\)$")

    def test_patience_stops_early(self):
        _, _, data = self.train("--epochs", "5000", "--validation", "0.3", "--patience", "5", "--device", "cpu", "--lr", "0.02")
        self.assertEqual(data["stop_reason"], "early_stopped")
        self.assertLess(data["epochs_run"], 5000)

    def test_diverging_is_exit_1_and_keeps_finite_weights(self):
        out, err, data = self.train("--optimizer", "sgd", "--lr", "1e30", "--epochs", "5", "--device", "cpu", "--save", "m",
                                    expect=1)
        self.assertEqual(data["stop_reason"], "diverged")
        self.assertGreater(data["first_bad_step"], 0)
        self.assertIn(f"step {data['first_bad_step']}", err)
        self.overtake("predict", "m", IRIS, "--out", "p.csv", "--proba")
        self.assertNotIn("nan", (self.folder / "p.csv").read_text().lower())

    def wait_for(self, condition, process, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            if condition():
                return
            time.sleep(0.02)
        self.fail(f"did not happen; exit code {process.poll()}")

    def test_interrupt_saves_the_best(self):
        process = self.start("train", IRIS, "--target", "species", "--epochs", "100000000", "--validation", "0.2",
                             "--device", "cpu", "--save", "m.safetensors", "--checkpoint", "c", "--checkpoint-every", "1")
        self.wait_for((self.folder / "c").exists, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        self.overtake("predict", "m.safetensors", IRIS, "--out", "p.csv")

    def test_resume_after_kill_gives_the_same_bits(self):
        flags = ("train", IRIS, "--target", "species", "--hidden", "32,32", "--epochs", "400", "--dropout", "0.1", "--device",
                 "cpu", "--threads", "1", "--validation", "0.2", "--checkpoint-every", "1")
        self.overtake(*flags, "--save", "whole.safetensors")
        process = self.start(*flags, "--checkpoint", "c", "--save", "resumed.safetensors")
        self.wait_for((self.folder / "c").exists, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertFalse((self.folder / "resumed.safetensors").exists())
        out, _ = self.overtake(*flags, "--checkpoint", "c", "--resume", "--save", "resumed.safetensors", "--json", "t.json")
        data = json.loads((self.folder / "t.json").read_text())
        self.assertEqual(data["epochs_run"], 400)
        self.assertLess(data["steps"], 400 * 4, "nothing was resumed")
        self.assertEqual((self.folder / "whole.safetensors").read_bytes(),
                         (self.folder / "resumed.safetensors").read_bytes())

    def test_resume_refuses_another_training(self):
        flags = ("train", IRIS, "--target", "species", "--epochs", "3", "--device", "cpu", "--checkpoint", "c")
        self.overtake(*flags)
        self.fails(3, *flags, "--resume", "--hidden", "7")


if __name__ == "__main__":
    main()
