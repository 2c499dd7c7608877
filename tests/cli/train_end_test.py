# SPDX-License-Identifier: MIT
"""overtake train: the saved network is the one whose figures are shown, and a training that ended stays ended."""
import csv
import json
import math
import pathlib
import random
import signal
import unittest

from support import IRIS, CliTest, main


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


NOT_THE_RESULT = ("seconds", "steps", "resumed_epoch", "device_reason", "planned_host_bytes", "host_peak_bytes")


def result_of(data):
    """What must not change when the same command runs again: all but times, memory, and what this run did itself."""
    return {key: value for key, value in data.items() if key not in NOT_THE_RESULT}


class TrainEnd(CliTest):
    def train(self, *flags, expect=0, data=IRIS, target="species"):
        out, err = self.overtake("train", data, "--target", target, "--device", "cpu", "--threads", "1", "--json", "t.json",
                                 *flags, expect=expect)
        return out, err, json.loads((self.folder / "t.json").read_text())

    def line_of(self, text, name):
        return next(line for line in text.splitlines() if line.startswith(name + ": "))

    def predicted(self, model, data):
        self.overtake("predict", model, data, "--out", "p.csv", "--proba")
        return rows_of(self.folder / "p.csv")

    def check_classes(self, model, data, truth, figures):
        """Counts the written predictions, and recomputes the loss from the written probabilities."""
        predicted = self.predicted(model, data)
        right = sum(t["species"] == p["species"] for t, p in zip(truth, predicted))
        self.assertEqual(figures["rows"], len(truth))
        self.assertAlmostEqual(figures["accuracy"], right / len(truth), places=12)
        self.assertAlmostEqual(figures["error"], 1 - right / len(truth), places=12)
        if figures["loss"] > 20:  # beyond what a probability in a file can say
            return
        losses = [-math.log(float(p["probability_" + t["species"]])) for t, p in zip(truth, predicted)]
        loss = sum(losses) / len(losses)
        self.assertAlmostEqual(figures["loss"], loss, delta=1e-4 * max(1, loss))

    def numbers_file(self):
        draw = random.Random(5)
        lines = ["x,z,y"]
        for _ in range(150):
            x, z = draw.uniform(-3, 3), draw.uniform(-1, 1)
            lines.append(f"{x},{z},{1e6 + 4000 * math.sin(x) + 500 * z}")
        return self.write("numbers.csv", "\n".join(lines) + "\n")

    def check_numbers(self, model, data, figures):
        """The rows are in another order than in training, so outputs differ by the rounding of float32."""
        self.overtake("predict", model, data, "--out", "p.csv")
        truth = [float(row["y"]) for row in rows_of(data)]
        predicted = [float(row["y"]) for row in rows_of(self.folder / "p.csv")]
        mean = sum(truth) / len(truth)
        squares = sum((t - p) ** 2 for t, p in zip(truth, predicted))
        self.assertAlmostEqual(figures["r2"], 1 - squares / sum((t - mean) ** 2 for t in truth), delta=1e-7 * max(1, abs(figures["r2"])))
        self.assertAlmostEqual(figures["root_mean_square_error"], math.sqrt(squares / len(truth)),
                               delta=1e-6 * math.sqrt(squares / len(truth)))

    def test_figures_are_those_of_the_saved_classes(self):
        out, _, data = self.train("--epochs", "12", "--dropout", "0.3", "--save", "m")
        self.assertEqual(data["weights"]["epoch"], 12)
        self.assertIn("weights: after epoch 12, the last", out)
        self.check_classes("m", IRIS, rows_of(IRIS), data["training"])
        self.assertIsNone(data["validation"])
        self.assertEqual(data["loss"], {"name": "cross_entropy", "unit": "nats"})
        error = float(self.line_of(out, "training").split("error ")[1].split()[0])
        self.assertAlmostEqual(error, 100 * data["training"]["error"], delta=0.06)

    def test_figures_are_those_of_the_saved_numbers(self):
        path = self.numbers_file()
        out, _, data = self.train("--epochs", "30", "--lr", "0.01", "--save", "m", data=path, target="y")
        self.check_numbers("m", path, data["training"])
        self.assertEqual((data["loss"]["name"], data["loss"]["unit"]), ("mse", "standardised target squared"))
        truth = [float(row["y"]) for row in rows_of(path)]
        mean = sum(truth) / len(truth)
        scale = math.sqrt(sum((t - mean) ** 2 for t in truth) / len(truth))
        self.assertAlmostEqual(data["loss"]["target_mean"], mean, delta=1e-9 * mean)
        self.assertAlmostEqual(data["loss"]["target_scale"], scale, delta=1e-9 * scale)
        self.assertAlmostEqual(math.sqrt(data["training"]["loss"]) * scale, data["training"]["root_mean_square_error"],
                               delta=1e-4 * scale)
        self.assertIn("r2 0.", self.line_of(out, "training"))

    def diverging(self, *flags):
        return ("--activation", "leaky_relu", "--optimizer", "sgd", "--lr", "1e-6", "--schedule", "exponential:30", "--epochs", "30", *flags)

    def test_diverging_with_validation_saves_the_best_epoch(self):
        out, err, data = self.train(*self.diverging("--validation", "0.3", "--save", "m"), expect=1)
        self.assertEqual(data["stop_reason"], "diverged")
        best = data["best_epoch"]
        self.assertEqual(data["weights"]["epoch"], best)
        self.assertIn(f"weights: after epoch {best}, the best on the rows to validate", out)
        self.assertIn(f"The weights are those after epoch {best}", err)
        record = data["epochs"][best - 1]
        self.assertEqual(data["validation"]["loss"], record["validation_loss"])
        self.assertAlmostEqual(data["validation"]["error"], record["validation_error"], places=12)
        # All rows: what the file predicts is what the two parts of the data were said to be.
        right = sum(t["species"] == p["species"] for t, p in zip(rows_of(IRIS), self.predicted("m", IRIS)))
        said = sum(data[part]["accuracy"] * data[part]["rows"] for part in ("training", "validation"))
        self.assertAlmostEqual(right, said, places=9)

    def test_diverging_without_validation_saves_the_last_finite_weights(self):
        for batch in ("8", "1000"):
            with self.subTest(batch=batch):
                out, _, data = self.train(*self.diverging("--batch-size", batch, "--save", "m"), expect=1)
                self.assertGreater(data["weights"]["epoch"], 0)
                self.assertIn(f"weights: after epoch {data['weights']['epoch']}, the last whose loss is a number", out)
                self.check_classes("m", IRIS, rows_of(IRIS), data["training"])

    def test_diverging_numbers(self):
        path = self.numbers_file()
        _, _, data = self.train(*self.diverging("--batch-size", "1000", "--save", "m"), expect=1, data=path, target="y")
        self.check_numbers("m", path, data["training"])

    def test_the_last_step_may_not_ruin_the_file(self):
        out, err, data = self.train("--optimizer", "sgd", "--lr", "1e30", "--epochs", "1", "--batch-size", "1000", "--save",
                                    "m", expect=1)
        self.assertEqual((data["stop_reason"], data["first_bad_step"], data["weights"]["epoch"]), ("diverged", 1, 0))
        self.assertIn("weights: those training began with", out)
        self.assertIn("m holds those weights", err)
        self.check_classes("m", IRIS, rows_of(IRIS), data["training"])

    def test_the_same_command_changes_nothing_once_training_has_ended(self):
        endings = {
            "early_stopped": ("--epochs", "5000", "--validation", "0.3", "--patience", "2", "--lr", "0.05"),
            "finished": ("--epochs", "20"),
            "diverged": self.diverging("--validation", "0.3"),
        }
        for reason, flags in endings.items():
            for seed in ("0", "1", "2"):
                with self.subTest(reason=reason, seed=seed):
                    flags_now = (*flags, "--seed", seed, "--checkpoint", f"c{reason}{seed}", "--resume", "--save", "m")
                    code = 1 if reason == "diverged" else 0
                    out, err, first = self.train(*flags_now, expect=code)
                    self.assertEqual(first["stop_reason"], reason)
                    files = {name: (self.folder / name).read_bytes() for name in ("m", f"c{reason}{seed}")}
                    again_out, again_err, again = self.train(*flags_now, expect=code)
                    self.assertEqual(again["steps"], 0)
                    self.assertEqual(result_of(again), result_of(first))
                    self.assertEqual(again_err, err)
                    for name in ("weights", "training"):
                        self.assertEqual(self.line_of(again_out, name), self.line_of(out, name))
                    self.assertIn("with nothing left to train", again_out)
                    for name, content in files.items():
                        self.assertEqual((self.folder / name).read_bytes(), content, name)

    def test_more_patience_goes_on(self):
        flags = ("--epochs", "5000", "--validation", "0.3", "--lr", "0.05", "--save", "m")
        _, _, whole = self.train(*flags, "--patience", "9")
        expected = (self.folder / "m").read_bytes()
        self.train(*flags, "--patience", "2", "--checkpoint", "c")
        _, _, more = self.train(*flags, "--patience", "9", "--checkpoint", "c", "--resume")
        self.assertEqual(result_of(more), result_of(whole))
        self.assertEqual((self.folder / "m").read_bytes(), expected)

    def test_killed_again_and_again_it_ends_alike(self):
        draw = random.Random(11)
        shared = ("--hidden", "48,48", "--dropout", "0.1", "--validation", "0.2", "--checkpoint-every", "3")
        for extra in (("--epochs", "400"), ("--epochs", "100000", "--patience", "60", "--lr", "0.003"),
                      ("--epochs", "3000", "--activation", "leaky_relu", "--optimizer", "sgd", "--lr", "1e-3", "--schedule", "step:40:3")):
            with self.subTest(extra=extra):
                code = 1 if "sgd" in extra else 0
                whole_out, _, whole = self.train(*shared, *extra, "--checkpoint", "whole", "--save", "m", expect=code)
                expected = (self.folder / "m").read_bytes()
                (self.folder / "m").unlink()
                (self.folder / "c").unlink(missing_ok=True)
                flags = (*shared, *extra, "--checkpoint", "c", "--resume", "--save", "m")
                for _ in range(6):
                    process = self.start("train", IRIS, "--target", "species", "--device", "cpu", "--threads", "1", *flags)
                    try:
                        process.wait(timeout=draw.uniform(0.02, 0.5))
                    except Exception:
                        process.send_signal(signal.SIGKILL)
                    process.communicate()
                out, _, resumed = self.train(*flags, expect=code)
                self.assertEqual(result_of(resumed), result_of(whole))
                self.assertEqual((self.folder / "m").read_bytes(), expected)
                self.assertEqual(self.line_of(out, "weights"), self.line_of(whole_out, "weights"))

    def test_a_checkpoint_of_another_training_is_refused_naming_the_difference(self):
        flags = ("--epochs", "6", "--checkpoint", "c")
        self.train(*flags)
        kept = (self.folder / "c").read_bytes()
        (self.folder / "t.json").unlink()
        lines = pathlib.Path(IRIS).read_text().splitlines()
        other = self.write("other.csv", "\n".join([lines[0], "5.05" + lines[1][3:], *lines[2:]]) + "\n")
        for says, more in (("model was", ("--hidden", "7")), ("learning rate was 0.001, is now 0.002", ("--lr", "0.002")),
                           ("optimizer was Adam", ("--optimizer", "sgd")), ("batch size was 32, is now 31", ("--batch-size", "31")),
                           ("seed was 0, is now 4", ("--seed", "4")), ("schedule was constant", ("--schedule", "step:3")),
                           ("weight_decay=0.5", ("--weight-decay", "0.5")), ("validation data was none", ("--validation", "0.2")),
                           ("it holds 6 epochs, asked for are 5", ("--epochs", "5"))):
            with self.subTest(says=says):
                base = flags if "--epochs" not in more else ("--checkpoint", "c")
                self.fails(3, "train", IRIS, "--target", "species", "--device", "cpu", *base, "--resume", *more, says=[says])
        self.fails(3, "train", other, "--target", "species", "--device", "cpu", *flags, "--resume", says=["training data was"])
        self.assertEqual((self.folder / "c").read_bytes(), kept)


if __name__ == "__main__":
    main()
