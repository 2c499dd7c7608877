# SPDX-License-Identifier: MIT
"""The HTML page of a search in a real browser: ink on every canvas, a table that sorts and filters, ten thousand rows."""
import ctypes
import ctypes.util
import html.parser
import json
import math
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import unittest

from support import IRIS, CliTest, main

BROWSER = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None)

FORMATS = pathlib.Path(__file__).resolve().parent.parent / "golden" / "formats"


class Hash128(ctypes.Structure):
    _fields_ = [("halves", ctypes.c_uint64 * 2)]  # the low one first


XXHASH = ctypes.util.find_library("xxhash")
if XXHASH:
    XXH3 = ctypes.CDLL(XXHASH).XXH3_128bits
    XXH3.restype, XXH3.argtypes = Hash128, (ctypes.c_char_p, ctypes.c_size_t)

# Runs at the end of the page, after its own scripts, and leaves what it saw as text of the document.
PROBE = """
<script>
(() => {
  const opened = performance.now();
  const ink = (canvas) => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
    return count;
  };
  const text = (selector) => Array.from(document.querySelectorAll(selector)).map((e) => e.textContent);
  const result = { opened, errors: window.probeErrors, resources: performance.getEntriesByType('resource').length };
  result.ink = Array.from(document.querySelectorAll('canvas')).map(ink);
  result.painted = performance.now();
  result.head = text('#rows thead th');
  result.rendered = document.querySelectorAll('#rows tbody tr[data-row]').length;
  result.count = document.getElementById('count').value;
  result.first = text('#rows tbody tr:first-child td');
  const button = (name) => Array.from(document.querySelectorAll('#rows thead button')).find((b) => b.textContent === name);
  button('candidate').click();
  result.by_candidate = text('#rows tbody tr:first-child td')[result.head.indexOf('candidate')];
  button('candidate').click();
  result.by_candidate_down = text('#rows tbody tr:first-child td')[result.head.indexOf('candidate')];
  const box = document.getElementById('filter');
  const search = (words) => {
    box.value = words;
    box.dispatchEvent(new Event('input'));
    return document.getElementById('count').value;
  };
  result.filtered = FILTERS.map(search);
  document.getElementById('reset').click();
  result.reset = document.getElementById('count').value;
  result.times = text('#times li');
  result.parameters = text('#multiples figcaption');
  result.end = performance.now();
  const pre = document.createElement('pre');
  pre.id = 'probe';
  pre.textContent = JSON.stringify(result);
  document.body.append(pre);
})();
</script>
"""
CATCH = "<script>window.probeErrors = []; addEventListener('error', (e) => probeErrors.push(String(e.message)));</script>"


class ProbeText(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.inside = "", False

    def handle_starttag(self, tag, attributes):
        self.inside = tag == "pre" and ("id", "probe") in attributes

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, text):
        self.text += text if self.inside else ""


def fingerprint(*parts):
    """docs/journals.md: XXH3 of the values, each preceded by its size."""
    packed = {int: lambda v: struct.pack("<q", v), float: lambda v: struct.pack("<d", v), str: str.encode,
              type(None): lambda v: b"null"}
    parts = [packed[type(part)](part) for part in parts]
    content = b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    return "{1:016x}{0:016x}".format(*XXH3(content, len(content)).halves)


def journal_of(path, candidates, folds=5):
    """A finished journal of made-up scores: what a search of so many candidates leaves, without training them."""
    shutil.copy(next(FORMATS.glob("search_journal_3.db")), path)  # for its tables
    database = sqlite3.connect(path)
    for table in ("identity", "about", "positive", "candidate", "job", "score", "run", "finish"):
        database.execute(f"DELETE FROM {table}")
    about = {"version": "0", "data_name": "made up", "task": "classification", "estimator": "random-forest",
             "candidates": str(candidates), "folds": str(folds), "metrics": "accuracy,f1_macro", "refit_metric": "accuracy"}
    parameters = [json.dumps({"criterion": ("gini", "entropy")[c % 2], "max_depth": (None, 3, 5, 10)[c // 2 % 4],
                              "max_features": round(0.1 + 0.9 * math.fmod(c * 0.618034, 1), 12), "min_samples_leaf": 1 + c % 40,
                              "ccp_alpha": 10 ** (-6 + 5 * math.fmod(c * 0.7548, 1))}) for c in range(candidates)]
    seal = fingerprint("identity", "about", *(text for pair in sorted(about.items()) for text in pair), "positive", "candidate",
                       *(text for c, line in enumerate(parameters) for text in (str(c), line)))
    database.executemany("INSERT INTO about VALUES(?, ?)", {**about, "checksum": seal}.items())
    database.executemany("INSERT INTO candidate VALUES(?, ?)", enumerate(parameters))

    def add(table, *row, more=()):
        checksum = fingerprint(seal, table, *row, *more)
        database.execute(f"INSERT INTO {table} VALUES({'?, ' * len(row)}?)", (*row, checksum))

    add("run", 1, "now", "cpu", "")
    add("finish", 1, "later", 0, 5, 4, 3, 2048, 0.1, 0.1, 2.0, 0.2, 0.1, 3.0)
    for c in range(candidates):
        failure = "it <b>failed</b>" if c % 100 == 7 else ""
        for f in range(folds):
            score = None if failure else 0.7 + 0.1 * math.sin(c) + 0.05 * (c // 2 % 4) + 0.01 * f
            add("job", c, f, 1, failure, 0.01, 0.001, more=("accuracy", score, "f1_macro", score))
            for metric in ("accuracy", "f1_macro"):
                database.execute("INSERT INTO score VALUES(?, ?, ?, ?)", (c, f, metric, score))
    database.commit()
    database.close()


@unittest.skipUnless(BROWSER, "no Chromium on this machine")
class Page(CliTest):
    def probe(self, page, filters):
        """What the page looks like once its scripts have run. Chromium writes the document at the load event."""
        probe = PROBE.replace("FILTERS", json.dumps(filters))
        path = self.write("probe.html", page.replace("<head>", "<head>" + CATCH, 1).replace("</body>", probe + "</body>", 1))
        process = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder / 'profile'}", "--window-size=1400,1000", "--dump-dom", f"file://{path}"],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(process.returncode, 0, process.stderr)
        found = ProbeText()
        found.feed(process.stdout)
        self.assertTrue(found.text, "the page's script did not end")
        result = json.loads(found.text)
        self.assertEqual(result["errors"], [])
        self.assertEqual(result["resources"], 0, "the page loaded something")
        return result

    def check_drawn(self, probe):
        self.assertEqual(len(probe["ink"]), 3 + len(probe["parameters"]))  # lines, the winner's line, spread over folds
        for ink in probe["ink"]:
            self.assertGreater(ink, 500, f"a canvas is (nearly) empty: {probe['ink']}")

    def test_iris(self):
        self.overtake("search", IRIS, "--target", "species", "--estimator", "random-forest", "--grid", "n_estimators=5,10",
                      "--grid", "max_depth=none,1,3", "--grid", "criterion=gini,entropy", "--seed", "0",
                      "--cv", "3", "--report", "iris.html", "--json", "iris.json")
        page = (self.folder / "iris.html").read_text()
        table = json.loads((self.folder / "iris.json").read_text())
        self.assertNotRegex(page, r"(src|href)=[\"']")
        probe = self.probe(page, ["max_depth=3", "max_depth=none criterion=gini", "entropy", "accuracy>2", "max_depth<=3"])
        self.check_drawn(probe)
        self.assertEqual(probe["rendered"], 12)
        self.assertEqual(probe["count"], "12 candidates")
        self.assertEqual(probe["first"][0], "1")
        self.assertEqual(probe["first"][-1], str(table["best_index_"]))
        self.assertAlmostEqual(float(probe["first"][1]), table["best_score_"], 4)
        self.assertEqual(probe["head"][1], "accuracy")
        self.assertEqual([probe["by_candidate"], probe["by_candidate_down"]], ["0", "11"])
        self.assertEqual(probe["filtered"], [f"{n} of 12 candidates" for n in (4, 2, 6, 0, 8)])
        self.assertEqual(probe["reset"], "12 candidates")
        self.assertEqual(probe["parameters"], ["criterion", "max_depth", "n_estimators"])
        self.assertEqual(len(probe["times"]), 6)

    @unittest.skipUnless(XXHASH, "no libxxhash on this machine")
    def test_ten_thousand_candidates(self):
        journal_of(self.folder / "big.db", 10_000)
        self.overtake("show", "big.db", "--report", "big.html")
        path = self.folder / "big.html"
        self.assertLess(path.stat().st_size, 5_000_000)
        page = path.read_text()
        self.assertNotIn("<b>failed</b>", page)
        probe = self.probe(page, ["max_depth=10", "failed", "max_features<0.55 criterion=gini"])
        self.check_drawn(probe)
        self.assertLess(probe["rendered"], 60, "only what is in view is in the document")
        self.assertEqual(probe["filtered"][0], "2,500 of 10,000 candidates")
        self.assertEqual(probe["filtered"][1], "100 of 10,000 candidates")
        self.assertEqual([probe["by_candidate"], probe["by_candidate_down"]], ["0", "9999"])
        self.assertEqual(probe["parameters"], ["ccp_alpha", "criterion", "max_depth", "max_features", "min_samples_leaf"])
        print(f"open after {probe['opened']:.0f} ms, painted after {probe['painted']:.0f} ms, {path.stat().st_size} bytes")
        self.assertLess(probe["opened"], 2000)


if __name__ == "__main__":
    main()
