# SPDX-License-Identifier: MIT
"""overtake train --model and predict with its models: checkpoints, memory, the report, the plan, and flags that do not apply."""
import json
import random
import signal
import struct
import time
import unittest

from support import CliTest, main


def idx(numbers, *extents):
    return struct.pack(f">HBB{len(extents)}I", 0, 8, len(extents), *extents) + bytes(numbers)


class Images(CliTest):
    """Forty images of 28 x 28 in two classes: noise, brighter in the upper or in the lower half."""

    def setUp(self):
        super().setUp()
        draw = random.Random(3)
        self.count = 40
        labels = [draw.randrange(2) for _ in range(self.count)]
        pixels = [draw.randrange(100) + (100 if (row < 14) == bool(label) else 0)
                  for label in labels for row in range(28) for _ in range(28)]
        self.write("images", idx(pixels, self.count, 28, 28))
        self.write("labels", idx(labels, self.count))

    def arguments(self, *flags):
        return ("train", "images", "--labels", "labels", "--model", "lenet", "--device", "cpu", "--threads", "2", *flags)

    def train(self, *flags, expect=0):
        return self.overtake(*self.arguments(*flags), expect=expect)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def json(self, name="t.json"):
        return json.loads((self.folder / name).read_text())


class Checkpoints(Images):
    FLAGS = ("--batch-size", "12", "--optimizer", "adam", "--validation", "0.1", "--seed", "5", "--epochs", "300")

    def test_a_killed_or_interrupted_training_ends_with_the_same_bits(self):
        self.train(*self.FLAGS, "--save", "whole")
        resumable = (*self.FLAGS, "--checkpoint", "c", "--checkpoint-every", "7", "--resume", "--save", "m", "--json", "t.json")
        codes = []
        for kind in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
            process = self.start(*self.arguments(*resumable))
            before = self.read("c") if (self.folder / "c").exists() else b""
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:
                if (self.folder / "c").exists() and self.read("c") != before:
                    time.sleep(0.03)
                    process.send_signal(kind)
                    break
                time.sleep(0.002)
            process.communicate()
            codes.append(process.returncode)
        self.assertIn(-signal.SIGKILL, codes)
        out, _ = self.train(*resumable)
        self.assertIn("resumed: c after epoch", out)
        self.assertGreater(self.json()["resumed_epochs"], 0)
        self.assertEqual(self.read("m"), self.read("whole"))

    def test_a_checkpoint_of_another_training_is_refused(self):
        self.train("--epochs", "1", "--checkpoint", "c")
        self.fails(3, *self.arguments("--epochs", "2", "--lr", "0.5", "--checkpoint", "c", "--resume"),
                   says=["c: this checkpoint belongs to another training", "learning rate was 0.01, is now 0.5"])
        self.fails(2, *self.arguments("--resume"), says=["resume"])
        out, _ = self.train("--epochs", "2", "--checkpoint", "none-there", "--resume")
        self.assertIn("resumed: no", out)


if __name__ == "__main__":
    main()
