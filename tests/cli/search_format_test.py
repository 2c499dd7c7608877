# SPDX-License-Identifier: MIT
"""Journals of earlier versions, as tests/golden/make_search_journal.py wrote them, can be shown and continued."""
import json
import pathlib

from search_support import SearchTest
from support import main

FORMATS = pathlib.Path(__file__).resolve().parent.parent / "golden" / "formats"


class Formats(SearchTest):
    def table(self, *arguments):
        self.overtake(*arguments, "--json", "out.json")
        return self.json_of("out.json")

    def expect_table(self, result, wanted):
        self.same_table(result, wanted)
        self.assertEqual(result["resumed_jobs"], wanted["resumed_jobs"])

    def test_each_format(self):
        journals = sorted(FORMATS.glob("search_journal_*.db"))
        self.assertGreaterEqual(len(journals), 1)
        for journal in journals:
            with self.subTest(journal=journal.name):
                wanted = json.loads(journal.with_suffix(".json").read_text())
                self.write("data.csv", journal.with_suffix(".csv").read_bytes())
                self.write("journal.db", journal.read_bytes())
                self.assertIn("journal.db: interrupted, 18 of 36 fits done", self.overtake("show", "journal.db")[0])
                self.expect_table(self.table("show", "journal.db"), wanted["shown"])
                self.expect_table(self.table(*wanted["command"], "--journal", "journal.db", "--resume"), wanted["resumed"])
                # Scores of before and of now stand in one table, so a search that begins today must give the same. Where
                # that is no longer so, results_generation (src/search/journal/identity.cpp) must be raised.
                self.same_table(self.table(*wanted["command"]), wanted["resumed"])
                self.assertIn("journal.db: finished", self.overtake("show", "journal.db")[0])


if __name__ == "__main__":
    main()
