# SPDX-License-Identifier: MIT
"""Data and help for the tests of forests and searches."""
import csv
import json
import random
import sqlite3
import time

from support import IRIS, CliTest

# The grid of the guide.
IRIS_GRID = ("--grid", "n_estimators=50,100,200", "--grid", "max_depth=none,3,5,10", "--grid", "min_samples_split=2,5,10",
             "--grid", "criterion=gini,entropy")
IRIS_SEARCH = ("search", IRIS, "--target", "species", "--estimator", "random-forest", *IRIS_GRID, "--cv", "5", "--seed", "0",
               "--device", "cpu")


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def noisy_csv(rows, features=8, seed=1):
    """Two classes that depend on three of the columns, with noise: forests stay busy with it."""
    draw = random.Random(seed)
    lines = [",".join(f"x{i}" for i in range(features)) + ",y"]
    for _ in range(rows):
        x = [draw.gauss(0, 1) for _ in range(features)]
        label = "yes" if x[0] * x[1] + x[2] + draw.gauss(0, 0.5) > 0 else "no"
        lines.append(",".join(f"{v:.4f}" for v in x) + "," + label)
    return "\n".join(lines) + "\n"


class SearchTest(CliTest):
    def json_of(self, name):
        return json.loads((self.folder / name).read_text())

    def search_json(self, *arguments, expect=0):
        self.overtake("search", *arguments, "--json", "search.json", expect=expect)
        return self.json_of("search.json")

    def same_table(self, first, second):
        """Everything but times is equal, bit for bit."""
        for key in ("best_index_", "best_params_", "best_score_", "metrics", "failures"):
            self.assertEqual(first[key], second[key])
        results = [{k: v for k, v in data["cv_results_"].items() if not k.endswith("_time")} for data in (first, second)]
        self.assertEqual(results[0], results[1])

    def recorded(self, journal):
        """Finished fits in a journal, read with SQLite itself; 0 where it is not there yet."""
        path = self.folder / journal
        if not path.exists():
            return 0
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return database.execute("SELECT count(*) FROM job").fetchone()[0]
        except sqlite3.Error:
            return 0
        finally:
            database.close()

    def wait_for(self, condition, process, seconds=120):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            if condition():
                return
            time.sleep(0.02)
        out, err = process.communicate() if process.poll() is not None else ("", "")
        self.fail(f"did not happen; exit code {process.poll()}\n{out}\n{err}")
