# SPDX-License-Identifier: MIT
"""A search that is killed, interrupted, watched and continued."""
import os
import signal
import sqlite3
import subprocess
import unittest

from search_support import SearchTest, noisy_csv
from support import BINARY, main

# Candidates with another max_bins are another batch: there is much to be killed in between.
GRID = ("--grid", "max_bins=6,8,12,16,24,32,48,64", "--grid", "max_features=1,3,5", "--set", "n_estimators=80")
SEARCH = ("search", "d.csv", "--target", "y", "--estimator", "random-forest", *GRID, "--cv", "5", "--seed", "3", "--device",
          "cpu", "--threads", "1")
FITS = 8 * 3 * 5


class Journal(SearchTest):
    def setUp(self):
        super().setUp()
        self.write("d.csv", noisy_csv(1200))

    def begin(self, *flags, at_least=1):
        """A search that has written some of its results, and runs."""
        process = self.start(*SEARCH, "--journal", "s.db", *flags)
        self.addCleanup(process.kill)
        self.wait_for(lambda: self.recorded("s.db") >= at_least, process)
        return process

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = self.recorded("s.db")
        self.assertLess(done, FITS, "the search ended before it could be killed")
        return done

    def test_killed_and_continued_gives_the_same_table(self):
        self.overtake(*SEARCH, "--json", "whole.json", "--save", "whole")
        process = self.begin("--save", "best")
        done = self.kill(process)
        self.assertGreater(done, 0)
        self.assertFalse((self.folder / "best").exists())
        out, _ = self.overtake("show", "s.db")
        self.assertIn(f"s.db: interrupted, {done} of {FITS} fits done", out)

        # Twice more: each run goes on where the one before was killed.
        process = self.begin("--resume", at_least=done + 1)
        again = self.kill(process)
        self.assertGreater(again, done)
        out, _ = self.overtake(*SEARCH, "--journal", "s.db", "--resume", "--json", "resumed.json", "--save", "best")
        self.assertIn(f"taken from the journal: {again} of {FITS} fits", out)
        whole, resumed = self.json_of("whole.json"), self.json_of("resumed.json")
        self.assertEqual(resumed["resumed_jobs"], again)
        self.assertEqual(resumed["plan"]["jobs"], FITS)
        self.assertEqual(resumed["plan"]["forests"], FITS - again)  # none of these candidates share forests
        self.same_table(whole, resumed)
        self.assertEqual((self.folder / "best").read_bytes(), (self.folder / "whole").read_bytes())
        out, _ = self.overtake("show", "s.db", "--json", "shown.json")
        self.assertIn("s.db: finished", out)
        self.same_table(whole, self.json_of("shown.json"))

    def test_shown_while_it_runs(self):
        process = self.begin()
        out, _ = self.overtake("show", "s.db", "--top", "2", "--json", "shown.json", "--report", "shown.html")
        self.assertIsNone(process.poll(), "the search ended before it could be shown")
        self.assertIn("s.db: running, ", out)
        self.assertIn("Best of 24 candidates", out)
        self.assertIn("of 24 candidates are done", out)
        data = self.json_of("shown.json")
        self.assertEqual(data["settings"]["state"], "running")
        self.assertTrue(0 < data["resumed_jobs"] < FITS)
        means = data["cv_results_"]["mean_test_score"]
        self.assertIn(None, means)
        self.assertGreater(max(m for m in means if m is not None), 0.6)
        self.assertIn("</html>", (self.folder / "shown.html").read_text())
        # Readers do not disturb it: it ends as if nobody had looked.
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(self.recorded("s.db"), FITS)

    def test_interrupt_gives_the_table_so_far_and_the_best_forest(self):
        process = self.begin("--save", "best", "--json", "s.json", "--report", "s.html")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn("Best of 24 candidates", out)
        self.assertIn("interrupted: the same command continues from the journal", out)
        data = self.json_of("s.json")
        self.assertTrue(data["interrupted"])
        self.assertIn("</html>", (self.folder / "s.html").read_text())
        out, _ = self.overtake("predict", "best", "d.csv", "--out", "p.csv")
        self.assertRegex(out, r"accuracy on column y: (9\d|100)")
        self.assertIn("interrupted", self.overtake("show", "s.db")[0])
        self.overtake(*SEARCH, "--journal", "s.db", "--resume", "--json", "end.json")
        self.overtake(*SEARCH, "--json", "whole.json")
        self.same_table(self.json_of("whole.json"), self.json_of("end.json"))

    def test_interrupt_without_a_journal(self):
        big = ("search", "d.csv", "--target", "y", *GRID, "--set", "min_samples_leaf=2", "--set", "max_depth=20", "--threads", "1",
               "--device", "cpu", "--repeats", "4", "--save", "best")
        process = self.start(*big, stdin=None)
        line = process.stdout.readline()
        while line and not line.startswith("plan:"):
            line = process.stdout.readline()
        self.assertTrue(line.startswith("plan:"), line)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertIn("interrupted: the table holds what was done", out)

    def test_one_writer_at_a_time(self):
        process = self.begin()
        _, err = self.overtake(*SEARCH, "--journal", "s.db", expect=3)
        self.assertIn("s.db is in use", err)
        process.kill()
        process.communicate()


class Watched(SearchTest):
    """Whoever looks again and again keeps no search from starting."""

    def test_shown_in_a_tight_loop(self):
        self.write("d.csv", noisy_csv(60, 3))
        search = ("search", "d.csv", "--target", "y", "--grid", "max_depth=2,3", "--set", "n_estimators=2", "--device", "cpu",
                  "--threads", "1", "--cv", "2", "--journal")
        script = 'while [ ! -e stop ]; do "$0" show s.db 2>&1 || true; done'
        watchers = [subprocess.Popen(["sh", "-c", script, BINARY], cwd=self.folder, stdout=subprocess.PIPE, text=True)
                    for _ in range(3)]
        # A search that was killed leaves its lock file, for which whoever looks asks.
        self.write("s.db-lock", "")
        for _ in range(12):
            self.overtake(*search, "s.db")
            (self.folder / "s.db-lock").touch()
        self.write("stop", "")
        said = "".join(watcher.communicate(timeout=60)[0] for watcher in watchers)
        self.assertIn("s.db: finished, 4 of 4 fits done", said)
        errors = {line for line in said.splitlines() if line.startswith("error:")}
        self.assertLessEqual(errors, {"error: there is no journal s.db", "error: the journal s.db holds no search yet"})


class Refusals(SearchTest):
    base = ("search", "d.csv", "--target", "y", "--set", "n_estimators=5", "--device", "cpu", "--journal", "s.db")
    grid = ("--grid", "max_depth=2,3", "--grid", "max_features=1,2")

    def setUp(self):
        super().setUp()
        self.write("d.csv", noisy_csv(100, 4))
        self.overtake(*self.base, *self.grid)
        self.before = (self.folder / "s.db").read_bytes()

    def refused(self, *flags, says=()):
        self.fails(3, *self.base, *flags, says=("s.db", *says))
        self.assertEqual((self.folder / "s.db").read_bytes(), self.before, "the journal was changed")

    def test_another_grid(self):
        self.refused("--grid", "max_depth=2,3,4", "--grid", "max_features=1,2", says=("max_depth=2,3,4", "max_depth=2,3"))
        self.refused("--grid", "max_depth=2,3", says=("max_features",))
        self.refused(*self.grid, "--set", "criterion=entropy", says=("criterion=entropy",))

    def test_other_settings(self):
        self.refused(*self.grid, "--seed", "1", says=("seed=1", "seed=0"))
        self.refused(*self.grid, "--cv", "3", says=("cv=3", "cv=5"))
        self.refused(*self.grid, "--scoring", "f1_macro", says=("metrics=f1", "metrics=accuracy"))
        self.refused(*self.grid, "--estimator", "extra-trees", says=("extra-trees", "random-forest"))

    def test_other_data(self):
        self.write("d.csv", noisy_csv(100, 4, seed=2))
        self.refused(*self.grid, says=("other data",))
        self.write("d.csv", noisy_csv(101, 4))
        self.refused(*self.grid, says=("rows=101", "rows=100"))
        self.write("d.csv", noisy_csv(100, 5))
        self.refused(*self.grid, says=("features=5", "features=4"))

    def test_a_damaged_journal(self):
        for content in (self.before[:5000], self.before[:100] + b"\xff" * 4000 + self.before[4100:]):
            self.write("s.db", content)
            _, err = self.overtake(*self.base, *self.grid, expect=3)
            self.assertIn("s.db", err)
            _, err = self.overtake("show", "s.db", expect=3)
            self.assertIn("s.db", err)

    def test_a_file_that_is_no_journal_is_left_alone(self):
        text = "dear diary\n" * 100
        self.write("notes.txt", text)
        self.fails(3, "search", "d.csv", "--target", "y", *self.grid, "--journal", "notes.txt", says=("notes.txt",))
        self.assertEqual((self.folder / "notes.txt").read_text(), text)
        self.fails(3, "show", "notes.txt", says=("notes.txt",))
        self.fails(3, "show", "nothing.db", says=("nothing.db",))

    def test_a_flipped_bit_is_not_believed(self):
        database = sqlite3.connect(self.folder / "s.db")
        database.execute("UPDATE score SET value = 1.0 WHERE candidate = 1 AND fold = 2")
        database.commit()
        database.close()
        self.before = (self.folder / "s.db").read_bytes()
        self.refused(*self.grid, says=("candidate 1, fold 2", "checksum"))
        self.fails(3, "show", "s.db", says=("candidate 1, fold 2", "checksum"))

    def test_a_journal_that_is_no_file(self):
        os.mkfifo(self.folder / "pipe")
        (self.folder / "folder").mkdir()
        for name in ("pipe", "folder", "/dev/zero"):
            self.fails(3, "show", name, says=(name, "no file"))
        for name, code in (("pipe", 2), ("folder", 3), ("/dev/zero", 2)):
            self.fails(code, "search", "d.csv", "--target", "y", *self.grid, "--journal", name, says=(name,))
        os.mkfifo(self.folder / "s.db-lock")
        self.fails(3, "show", "s.db", says=("s.db-lock", "pipe"))
        self.refused(*self.grid, says=("s.db-lock", "pipe"))

    def test_resume_needs_a_journal(self):
        self.fails(3, "search", "d.csv", "--target", "y", *self.grid, "--journal", "new.db", "--resume", says=("new.db",))
        self.fails(2, "search", "d.csv", "--target", "y", *self.grid, "--resume", says=("--journal",))

    def test_wrong_parameters_leave_no_journal(self):
        for flags in (("--grid", "max_depht=2,3"), ("--grid", "max_depth=2,-1"), ("--scoring", "acuracy", *self.grid)):
            self.fails(2, "search", "d.csv", "--target", "y", *flags, "--journal", "new.db")

    @unittest.skipIf(os.geteuid() == 0, "root may write anywhere")
    def test_a_folder_that_cannot_be_written(self):
        (self.folder / "locked").mkdir(mode=0o500)
        self.fails(3, "search", "d.csv", "--target", "y", *self.grid, "--journal", "locked/s.db", says=("locked/s.db",))

    def test_a_folder_that_does_not_exist(self):
        self.fails(3, "search", "d.csv", "--target", "y", *self.grid, "--journal", "no/such/s.db", says=("no/such/s.db",))

    def test_shown_by_another_metric(self):
        self.overtake("search", "d.csv", "--target", "y", *self.grid, "--set", "n_estimators=5", "--scoring", "accuracy,f1_macro",
                      "--journal", "two.db")
        self.overtake("show", "two.db", "--by", "f1_macro", "--json", "f1.json")
        data = self.json_of("f1.json")
        self.assertEqual(data["refit_metric"], "f1_macro")
        self.assertEqual(data["cv_results_"]["rank_test_f1_macro"][data["best_index_"]], 1)
        self.fails(2, "show", "two.db", "--by", "roc_auc", says=("roc_auc", "accuracy, f1_macro"))
        self.fails(2, "show", "two.db", "--by", "acuracy", says=("accuracy",))
        self.fails(2, "show", "two.db", "--top", "0", says=("--top",))


if __name__ == "__main__":
    main()
