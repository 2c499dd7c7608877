# SPDX-License-Identifier: MIT
"""overtake train, networks: a flag's value is taken as it is or refused by name, never replaced; small and constant data."""
import json
import unittest

from support import IRIS, CliTest, main


class TrainFlags(CliTest):
    def train(self, *flags, data=IRIS, target="species"):
        out, err = self.overtake("train", data, "--target", target, "--device", "cpu", "--json", "t.json", *flags)
        return out, err, json.loads((self.folder / "t.json").read_text())

    def test_unusable_values_are_refused_naming_the_flag(self):
        none_of_these = ("-5", "nan", "inf", "-inf", "1e-60", "1e39", "1e-400", "1e400", "abc", "")
        numbers = ("--lr", "--weight-decay", "--momentum", "--dropout", "--validation")
        cases = [(flag, value) for flag in numbers for value in none_of_these
                 if (flag, value) != ("--validation", "1e-60")]  # a share in double: one row
        cases += [(flag, value) for flag in ("--epochs", "--batch-size", "--checkpoint-every")
                  for value in ("0", "-3", "nan", "inf", "1.5", "99999999999999999999", "")]
        cases += [(flag, value) for flag in ("--patience", "--threads") for value in ("-1", "nan", "inf", "1.5", "99999999999999")]
        cases += [("--dropout", "1"), ("--dropout", "0.99999999999"), ("--validation", "1"), ("--memory-limit", "0"),
                  ("--memory-limit", "-1"), ("--memory-limit", "nan"), ("--hidden", "0"), ("--hidden", "-4"),
                  ("--hidden", "1e9"), ("--hidden", "64,nan"), ("--hidden", "99999999999"), ("--threads", "1000000")]
        cases += [("--schedule", text) for text in
                  ("step", "step:0", "step:-1", "step:nan", "step:1.5", "step:5:0", "step:5:-1", "step:5:nan", "step:5:inf",
                   "exponential", "exponential:0", "exponential:-1", "exponential:nan", "exponential:1e400", "exponential:10",
                   "cosine:3", "constant:1", "linear", "")]
        for flag, value in cases:
            with self.subTest(flag=flag, value=value):
                more = () if flag in ("--weight-decay", "--lr") else ("--checkpoint", "c")
                self.fails(2, "train", IRIS, "--target", "species", "--optimizer", "sgd", "--device", "cpu", *more,
                           f"{flag}={value}", says=[flag])

    def test_flags_that_would_be_ignored_are_refused(self):
        for says, flags in (("--momentum", ("--momentum", "0.9")), ("--resume", ("--resume",)), ("--dropout", ("--dropout", "0.5", "--hidden", ""))):
            with self.subTest(says=says):
                self.fails(2, "train", IRIS, "--target", "species", "--device", "cpu", *flags, says=[says])

    def test_an_empty_value_is_refused(self):
        """What a shell makes of a variable that is not set: it counted as not given."""
        for flag in ("--threads", "--lr", "--validation", "--seed", "--device", "--optimizer", "--delimiter", "--memory-limit"):
            with self.subTest(flag=flag):
                self.fails(2, "train", IRIS, "--target", "species", flag, "", says=[flag])
        self.fails(2, "search", IRIS, "--target", "species", "--grid", "max_depth=1", "--group", "", says=["--group has no value"])
        self.overtake("train", IRIS, "--target", "species", "--device", "cpu", "--epochs", "1", "--drop", "", "--text", "", "--missing", "", "--units", "")

    def test_a_rate_of_zero_is_zero(self):
        for optimizer in ("sgd", "adam", "adamw"):
            with self.subTest(optimizer=optimizer):
                _, _, data = self.train("--optimizer", optimizer, "--lr", "0", "--epochs", "3", "--save", "a")
                self.assertEqual({record["learning_rate"] for record in data["epochs"]}, {0})
                self.train("--optimizer", optimizer, "--lr", "0", "--epochs", "1", "--save", "b")
                self.assertEqual((self.folder / "a").read_bytes(), (self.folder / "b").read_bytes())

    def test_a_decay_of_zero_is_zero(self):
        # adamw's own default is 0.01.
        self.train("--optimizer", "adamw", "--epochs", "3", "--weight-decay", "0", "--save", "none")
        self.train("--optimizer", "adam", "--epochs", "3", "--save", "adam")
        self.train("--optimizer", "adamw", "--epochs", "3", "--save", "default")
        self.train("--optimizer", "adamw", "--epochs", "3", "--weight-decay", "0.01", "--save", "given")
        content = {name: (self.folder / name).read_bytes() for name in ("none", "adam", "default", "given")}
        self.assertEqual(content["none"], content["adam"])
        self.assertEqual(content["default"], content["given"])
        self.assertNotEqual(content["none"], content["default"])

    def test_a_network_beyond_memory_is_refused_with_need_and_limit(self):
        err = self.fails(4, "train", IRIS, "--target", "species", "--hidden", "16777216,16777216", "--device", "cpu",
                         says=["hidden 16777216,16777216", "needs at least", "has "])
        self.assertNotIn("exhausted", err)
        self.fails(4, "train", IRIS, "--target", "species", "--hidden", "16777216,16777216",
                   says=["needs at least"])
        self.fails(4, "train", IRIS, "--target", "species", "--hidden", "1000,1000", "--device", "cpu", "--memory-limit",
                   "4MiB", says=["needs at least 19", "the limit is 4"])

    def test_no_hidden_layers_have_no_activation(self):
        out, _, _ = self.train("--hidden", "", "--epochs", "1")
        self.assertIn("network: 4 -> 3, 15 parameters", out)

    def test_data_with_nothing_to_learn(self):
        constant = self.write("constant.csv", "x,y\n" + "".join(f"{i},7.5\n" for i in range(40)))
        out, err, data = self.train("--task", "regression", "--epochs", "5", "--save", "m", data=constant, target="y")
        self.assertIn("note: column y holds only one value in the 40 rows to train on", err)
        self.assertEqual((data["loss"]["target_mean"], data["loss"]["target_scale"]), (7.5, 1))
        one = self.write("one.csv", "x,y\n1,2.5\n")
        out, err, data = self.train("--task", "regression", "--epochs", "2", data=one, target="y")
        self.assertIn("in the 1 row to train on", err)
        self.assertIn("r2 not defined", out)
        self.assertIsNone(data["training"]["r2"])
        classes = self.write("class.csv", "x,y\n1,a\n2,a\n3,a\n")
        out, err, data = self.train("--epochs", "2", data=classes, target="y")
        self.assertIn("note: column y holds only one class", err)
        self.assertEqual((data["training"]["accuracy"], data["training"]["error"]), (1, 0))
        self.fails(2, "train", one, "--target", "y", "--task", "regression", "--validation", "0.5", "--device", "cpu",
                   says=["row"])
        few = self.write("few.csv", "x,y\n1,2.5\n2,3.5\n3,9.25\n")
        _, err, data = self.train("--task", "regression", "--epochs", "2", "--validation", "0.01", data=few, target="y")
        self.assertEqual((data["rows"], data["validation_rows"]), (2, 1))
        self.assertIn("note: one row alone validates", err)


if __name__ == "__main__":
    main()
