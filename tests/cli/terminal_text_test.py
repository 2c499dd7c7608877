# SPDX-License-Identifier: MIT
"""What a terminal would obey comes out spelt, wherever the name came from: a header, a cell, a model, a journal."""
import os
import pty
import re
import select
import sqlite3
import subprocess
import time

from support import BINARY, CliTest, main

ESC = "\x1b]0;owned\x07"
BIDI = "\u202e"
C1 = "\u009b31m"
# Everything that must not reach a terminal.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
SEARCH = ("search", "d.csv", "--target", "y", "--set", "n_estimators=2", "--grid", "max_depth=2,3", "--cv", "2", "--device", "cpu")


class TerminalText(CliTest):
    def setUp(self):
        super().setUp()
        rows = [f"{i},{9 - i}," + (f"no{ESC}" if i % 2 else f"yes{C1}{BIDI}") for i in range(20)]
        self.write("d.csv", f"a{ESC},b{C1}{BIDI},y\n" + "\n".join(rows) + "\n")

    def clean(self, text):
        match = OBEYED.search(text)
        self.assertIsNone(match, f"{match and match.group(0)!r} in {text!r}")

    def shown(self, *arguments, expect=0, says=()):
        out, err = self.overtake(*arguments, expect=expect)
        for text in (out, err):
            self.clean(text)
        for text in says:
            self.assertIn(text, out + err)

    def test_names_and_labels_of_a_table(self):
        self.shown("describe", "d.csv", says=(r"a\x1b]0;owned\x07", r"b\u009b31m\u202e", r"no\x1b]0;owned\x07"))
        self.shown(*SEARCH, "--describe", says=(r"a\x1b]0;owned",))
        self.shown("train", "d.csv", "--target", "y", "--estimator", "random-forest", "--n-estimators", "2", "--device", "cpu",
                   "--describe", "--save", "m", says=(r"a\x1b]0;owned",))
        self.shown("train", "d.csv", "--target", "y", "--epochs", "1", "--device", "cpu", "--describe", "--save", "n")
        for model in ("m", "n"):
            self.shown("predict", model, "d.csv", "--out", "p.csv", says=("accuracy",))
        self.shown("score", "p.csv", "--truth", "d.csv", "--target", "y", "--positive-class", f"no{ESC}", says=(r"no\x1b]0;",))

    def test_names_in_errors(self):
        self.shown("train", "d.csv", "--target", "z" + ESC, "--device", "cpu", expect=2, says=(r"z\x1b]0;owned\x07",))
        self.shown("describe", f"none{ESC}.csv", expect=3, says=(r"none\x1b",))
        self.shown(*SEARCH, "--scoring", "f1", expect=2, says=("--positive-class",))
        self.write("bad.csv", f"a{ESC},y\n1,p\n2,q\nx{ESC},p\n")
        self.shown("train", "bad.csv", "--target", "y", "--device", "cpu", expect=3, says=(r"\x1b",))

    def test_files_keep_their_bytes(self):
        """Text that is data goes to a pipe or a file as it is."""
        self.overtake("train", "d.csv", "--target", "y", "--estimator", "random-forest", "--n-estimators", "2", "--device", "cpu",
                      "--save", "m")
        self.overtake("predict", "m", "d.csv", "--out", "p.csv")
        self.assertIn(f"no{ESC}", (self.folder / "p.csv").read_text())
        self.assertEqual(self.overtake("predict", "m", "d.csv", "--out", "-")[0], (self.folder / "p.csv").read_text())

    def on_a_terminal(self, *arguments):
        leader, follower = pty.openpty()
        process = subprocess.Popen([BINARY, *arguments], cwd=self.folder, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        text, end = b"", time.monotonic() + 120
        while time.monotonic() < end:
            if not select.select([leader], [], [], 0.1)[0]:
                continue
            try:
                part = os.read(leader, 65536)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            text += part
        os.close(leader)
        self.assertEqual(process.wait(timeout=60), 0, text)
        # Line ends of the terminal, and the progress line.
        return text.decode().replace("\r\n", "\n").replace("\r\x1b[K", "")

    def test_predictions_and_trees_on_a_terminal(self):
        model = ("train", "d.csv", "--target", "y", "--estimator", "random-forest", "--n-estimators", "2", "--device", "cpu")
        self.overtake(*model, "--save", "m")
        for arguments in (("predict", "m", "d.csv", "--out", "-"), (*model, "--export-text", "-"), (*model, "--export-dot", "-"),
                          SEARCH, (*SEARCH, "--json", "-")):
            text = self.on_a_terminal(*arguments)
            self.assertGreater(len(text), 40)
            self.clean(text)

    def test_a_journal(self):
        self.overtake(*SEARCH, "--scoring", "f1", "--positive-class", f"no{ESC}", "--journal", "j.db")
        self.shown("show", "j.db", says=(r"positive class: f1: no\x1b]0;owned\x07",))
        database = sqlite3.connect(self.folder / "j.db")
        database.execute(f'CREATE TABLE "{ESC}{C1}"(x)')
        database.commit()
        database.close()
        self.shown("show", "j.db", expect=3, says=(r"\x1b]0;owned\x07\u009b31m", "damaged"))
        self.shown("show", f"none{ESC}.db", expect=3, says=(r"none\x1b",))


if __name__ == "__main__":
    main()
