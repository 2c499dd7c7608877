# SPDX-License-Identifier: MIT
"""Signals: the first ends in order with what there is, the second at once; neither leaves anything half-written."""
import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import termios
import time

from fault import FOREST, IRIS, NETWORK, SANITIZED, FaultTest, main

LONG_TRAINING = ("train", IRIS, *NETWORK, "--epochs", "100000000", "--checkpoint", "c", "--checkpoint-every", "1", "--save", "m",
                 "--json", "t.json")
LONG_SEARCH = ("search", IRIS, *FOREST, "--grid", "max_bins=" + ",".join(map(str, range(4, 200))), "--grid", "max_features=1,2,3",
               "--set", "n_estimators=200", "--journal", "j", "--save", "m", "--json", "s.json")


class Signals(FaultTest):
    def started(self, *arguments, written):
        process = self.begin(*arguments)
        self.wait_for((self.work / written).exists, process)
        return process

    def test_the_first_ends_in_order(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for command, written in ((LONG_TRAINING, "c"), (LONG_SEARCH, "j")):
                with self.subTest(signal=number.name, command=command[0]):
                    for name in os.listdir(self.work):
                        (self.work / name).unlink()
                    process = self.started(*command, written=written)
                    if written == "j":  # without a fit that is done there is no best one to save
                        self.wait_for(lambda: self.fits_done("j") > 0, process)
                    process.send_signal(number)
                    out, err = process.communicate(timeout=60)
                    self.assertEqual(process.returncode, 130, out + err)
                    wanted = {"c", "m", "t.json"} if written == "c" else {"j", "m", "s.json"}
                    self.assertEqual(set(os.listdir(self.work)), wanted)
                    self.run_tool("predict", "m", IRIS)

    def test_a_long_batch_is_left(self):
        """One forest that takes minutes is one batch: nobody waits for it, and a part of it is no score."""
        self.iris(100)
        for saving, written in (((), {"j", "s.json", "d.csv"}), (("--save", "m"), {"j", "s.json", "d.csv"})):
            with self.subTest(saving=saving):
                process = self.begin("search", "d.csv", *FOREST, "--grid", "n_estimators=20000", "--grid", "max_features=4",
                                     "--journal", "j", "--json", "s.json", *saving)
                self.wait_for((self.work / "j").exists, process)
                time.sleep(1)
                begin = time.monotonic()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 130, out + err)
                self.assertLess(time.monotonic() - begin, 20 if SANITIZED else 5)
                self.assertIn("the same command continues from the journal", out)
                self.assertEqual(set(os.listdir(self.work)), written)
                result = json.loads((self.work / "s.json").read_text())
                self.assertTrue(result["interrupted"])
                self.assertEqual(result["best_index_"], None)
                self.assertIn("0 of 1 candidates are done", self.run_tool("show", "j")[0])

    def test_the_refit_is_left(self):
        """What stops then is the refit: the table is whole, and the same command makes the forest."""
        self.iris(60)
        command = ("search", "d.csv", *FOREST, "--grid", "max_features=4", "--set", "n_estimators=3000", "--cv-kind", "holdout",
                   "--test-size", "0.99", "--journal", "j", "--save", "m")
        process = self.begin(*command, stderr=subprocess.STDOUT)
        self.wait_for((self.work / "j").exists, process)
        self.wait_for(lambda: self.fits_done("j") == 1, process)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out)
        self.assertIn("stopped while the best candidate was trained on all rows", out)
        self.assertEqual(set(os.listdir(self.work)), {"j", "d.csv"})
        self.run_tool(*command)
        self.assertEqual(set(os.listdir(self.work)), {"j", "d.csv", "m"})

    def fits_done(self, journal):
        with contextlib.closing(sqlite3.connect(f"file:{self.work / journal}?mode=ro", uri=True)) as database:
            try:
                return database.execute("SELECT count(*) FROM job").fetchone()[0]
            except sqlite3.OperationalError:  # its tables are not yet made
                return 0

    def test_the_second_ends_at_once_whatever_it_is(self):
        """The orderly end takes as long as we want: it saves to a pipe that nobody empties."""
        os.mkfifo(self.work / "pipe")
        reader = os.open(self.work / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        for first, second in ((signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGINT), (signal.SIGHUP, signal.SIGTERM)):
            with self.subTest(first=first.name, second=second.name):
                process = self.begin("train", IRIS, *FOREST, "--n-estimators", "1000000", "--save", "pipe", "--json", "t.json")
                line = process.stdout.readline()
                while line and not line.startswith("device:"):
                    line = process.stdout.readline()
                time.sleep(0.5)
                process.send_signal(first)
                self.wait_for(lambda: self.is_full(reader), process)
                self.assertIsNone(process.poll())
                begin = time.monotonic()
                process.send_signal(second)
                process.communicate(timeout=60)
                self.assertEqual(process.returncode, -second)
                self.assertLess(time.monotonic() - begin, 5)
                self.assertEqual(os.listdir(self.work), ["pipe"])
                while os.read(reader, 1 << 16):  # nobody writes it any more: b"" when it is empty
                    pass

    @staticmethod
    def is_full(pipe):
        waiting = fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(waiting, sys.byteorder) >= 60000

    def test_nohup(self):
        ignoring = self.begin(*LONG_TRAINING, ignored=(signal.SIGHUP,))
        self.wait_for((self.work / "c").exists, ignoring)
        ignoring.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        self.assertIsNone(ignoring.poll(), "nohup was not heeded")
        ignoring.send_signal(signal.SIGTERM)
        ignoring.communicate(timeout=60)
        self.assertEqual(ignoring.returncode, 130)

    def test_writers_leave_nothing(self):
        """Commands that know no order end by the signal itself; the file is the old one, or there is none."""
        self.iris(200)
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "300", "--save", "m")
        self.put("p.csv", "old")
        before = self.files()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            with self.subTest(signal=number.name):
                process = self.begin("predict", "m", "d.csv", "--apply", "--out", "p.csv")
                self.wait_for(lambda: self.writes(process), process)
                process.send_signal(number)
                process.communicate(timeout=60)
                self.assertEqual(process.returncode, -number)
                self.assertEqual(self.files(), before)

    def writes(self, process):
        """True when a file in the folder has some bytes of the table."""
        folder = f"/proc/{process.pid}/fd"
        for number in os.listdir(folder):
            try:
                status = os.stat(f"{folder}/{number}")
                if os.readlink(f"{folder}/{number}").startswith(str(self.work)) and status.st_nlink == 0 and status.st_size > 0:
                    return True
            except OSError:
                continue
        return any(p.name.endswith(".tmp") and p.stat().st_size > 0 for p in self.work.iterdir())


if __name__ == "__main__":
    main()
