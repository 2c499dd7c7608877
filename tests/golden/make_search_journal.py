# SPDX-License-Identifier: MIT
"""Writes tests/golden/formats/search_journal_FORMAT.{csv,db,json}: a search that was stopped half-way, and its tables.

Usage: tests/golden/make_search_journal.py OVERTAKE    (the tool, as this version builds it)

A journal is written once for each format and then stays as it is: tests/cli/search_format_test.py opens and continues it
with every later version. The JSON holds the command, and the tables that `show` (half the fits) and the same command again
(all of them) must give.
"""
import json
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile

FORMATS = pathlib.Path(__file__).resolve().parent / "formats"
COMMAND = ["search", "data.csv", "--target", "y", "--estimator", "random-forest", "--grid", "max_depth=2,none", "--grid",
           "max_features=1,2,0.9", "--set", "n_estimators=8", "--cv", "3", "--repeats", "2", "--seed", "3", "--scoring", "accuracy,f1,roc_auc",
           "--positive-class", "yes", "--device", "cpu"]


def table_of(result):
    """What of a result does not depend on the run: scores, ranks and names, bit for bit."""
    table = {key: result[key] for key in ("best_index_", "best_params_", "best_score_", "metrics", "failures", "resumed_jobs")}
    table["cv_results_"] = {key: value for key, value in result["cv_results_"].items() if not key.endswith("_time")}
    return table


def data():
    draw = random.Random(7)
    lines = ["a,b,c,y"]
    for _ in range(48):
        a, b, c = (draw.gauss(0, 1) for _ in range(3))
        lines.append(f"{a:.2f},{b:.2f},{c:.2f}," + ("yes" if a + b * c + draw.gauss(0, 0.3) > 0 else "no"))
    return "\n".join(lines) + "\n"


def main():
    tool = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "data.csv").write_text(data())

        def table(*arguments):
            subprocess.run([tool, *arguments, "--json", "out.json"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            return table_of(json.loads((folder / "out.json").read_text()))

        table(*COMMAND, "--journal", "journal.db")
        database = sqlite3.connect(folder / "journal.db")
        number = database.execute("PRAGMA user_version").fetchone()[0]
        # As if it had been stopped: the rows that are left are those that it wrote.
        for statement in ("DELETE FROM score WHERE candidate >= 3", "DELETE FROM job WHERE candidate >= 3", "DELETE FROM finish"):
            database.execute(statement)
        database.commit()
        database.execute("VACUUM")
        database.close()
        journal = (folder / "journal.db").read_bytes()
        shown = table("show", "journal.db")
        resumed = table(*COMMAND, "--journal", "journal.db")
    target = FORMATS / f"search_journal_{number}"
    target.with_suffix(".db").write_bytes(journal)
    target.with_suffix(".csv").write_text(data())
    target.with_suffix(".json").write_text(json.dumps({"command": COMMAND, "shown": shown, "resumed": resumed}, indent=1) + "\n")


if __name__ == "__main__":
    main()
