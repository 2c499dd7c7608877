# SPDX-License-Identifier: MIT
"""The HTML page of a race in a real browser: rows in the table, ink on the canvas, no error, no network."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import unittest

from support import CliTest, main

BROWSER = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if found), None)

# Runs in the page after its own script: counts the drawn pixels of each chart and reports errors as text of the document.
PROBE = """
<script>
window.addEventListener('load', () => setTimeout(() => {
  const canvas = document.getElementById('chart');
  const ink = () => {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
    return count;
  };
  const result = { ink: [], errors: window.probeErrors, resources: performance.getEntriesByType('resource').length };
  for (const button of document.querySelectorAll('.views button')) {
    button.click();
    result.ink.push(ink());
  }
  const chart = Chart.getChart(canvas);
  result.points = chart.data.datasets.map((set, i) => chart.getDatasetMeta(i).data.length);
  result.labels = chart.data.datasets.map((set) => set.label);
  const pre = document.createElement('pre');
  pre.id = 'probe';
  pre.textContent = JSON.stringify(result);
  document.body.append(pre);
}, 200));
</script>
"""
CATCH = "<script>window.probeErrors = []; addEventListener('error', (e) => probeErrors.push(String(e.message)));</script>"


class Cells(html.parser.HTMLParser):
    """Collects the cells of every table, and the text of #probe."""

    def __init__(self):
        super().__init__()
        self.tables, self.probe, self.inside = [], "", None

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside = "cell"
        elif tag == "pre" and ("id", "probe") in attributes:
            self.inside = "probe"

    def handle_endtag(self, tag):
        if tag in ("td", "th", "pre"):
            self.inside = None

    def handle_data(self, text):
        if self.inside == "cell":
            self.tables[-1][-1][-1] += text
        elif self.inside == "probe":
            self.probe += text


@unittest.skipUnless(BROWSER, "no Chromium on this machine")
class Page(CliTest):
    def dump(self, page):
        path = self.write("probe.html", page)
        process = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={self.folder / 'profile'}", "--virtual-time-budget=5000", "--window-size=1400,1000",
             "--dump-dom", f"file://{path}"], capture_output=True, text=True, timeout=120)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout

    def test_race_page(self):
        self.overtake("race", "--layers", "2..4", "--epochs", "5", "--repeat", "2", "--json", "race.json", "--report", "race.html")
        data = json.loads((self.folder / "race.json").read_text())
        page = (self.folder / "race.html").read_text()
        self.assertNotRegex(page, r"(src|href)=[\"']")
        dom = self.dump(page.replace("<head>", "<head>" + CATCH, 1).replace("</body>", PROBE + "</body>", 1))

        cells = Cells()
        cells.feed(dom)
        self.assertEqual([row[:2] for row in cells.tables[0][1:]], [["2", "22"], ["3", "70"], ["4", "230"]])
        self.assertEqual(len(cells.tables[1]) - 1, 3 * len(data["settings"]["devices"]))
        self.assertTrue(cells.probe, "the page's script did not end")
        probe = json.loads(cells.probe)
        self.assertEqual(probe["errors"], [])
        self.assertEqual(probe["resources"], 0, "the page loaded something")
        self.assertEqual(probe["labels"], data["settings"]["devices"])
        self.assertEqual(probe["points"], [3] * len(probe["labels"]))
        self.assertEqual(len(probe["ink"]), 2)
        for ink in probe["ink"]:
            self.assertGreater(ink, 5000, "the canvas is (nearly) empty")
        escaped = data["crossover"]["statement"].replace("&", "&amp;").replace("'", "&#39;")
        self.assertIn(escaped, page)
        self.assertIn(data["machine"]["os"], page)


if __name__ == "__main__":
    main()
