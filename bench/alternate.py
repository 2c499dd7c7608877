#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two builds beside each other, alternated in one run, so that a change of the machine meets both.

    bench/record.py OUT.json bench/alternate.py OLD_PACK NEW_PACK [--pairs 15] [--device cuda:0 ...] [--rows 1000000] [--without-race]

Packs are what `tools/gpu_visit.sh pack` makes, unpacked. Cases: the searches of iris and digits and a fit of `--rows` rows
(bench_forest), the race (microseconds a training step for each number of layers). A line of JSON a case and device:
medians, the median of the pairs' differences in percent with its interval of 95 % (by the order of the differences),
and `slower`: whether that interval lies above 0.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile


def run(pack, *command, timeout=300):
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{pack}/lib", "OVERTAKE_CACHE_DIR": f"{pack}/cache"}
    return subprocess.run([f"{pack}/bin/{command[0]}", *command[1:]], env=environment, capture_output=True, text=True, timeout=timeout, check=True).stdout


def forest(pack, *arguments):
    """{figure: value} of the last run of the process, the first of which warms the device up."""
    row = json.loads(run(pack, "bench_forest", *arguments).strip().splitlines()[-1])
    return {name: row[name] for name in ("seconds", "compute") if name in row}


def race(pack, device):
    result = json.loads(run(pack, "overtake", "race", "--layers", "2..12", "--devices", device, "--repeat", "1", "--epochs", "50", "--json", "-"))
    figures = {}
    for row in result["rows"]:
        cell = row["results"][device]
        if cell.get("step_us"):
            figures[f"{row['layers']} layers, us a step"] = cell["step_us"]
    return figures


def interval(differences):
    """Of the median: order statistics whose binomial chance of missing it is below 5 %."""
    ordered = sorted(differences)
    n = len(ordered)
    below, chance, k = 0.0, 0.5**n, 0
    while below + chance <= 0.025:
        below += chance
        k += 1
        chance = chance * (n - k + 1) / k
    if k == 0:
        return ordered[0], ordered[-1]
    return ordered[k - 1], ordered[n - k]


def compare(name, device, pairs, measure, packs):
    warm = [measure(pack) for pack in packs]
    values = {figure: ([], []) for figure in warm[0] if figure in warm[1]}
    for pair in range(pairs):
        for which in ((0, 1) if pair % 2 == 0 else (1, 0)):
            for figure, value in measure(packs[which]).items():
                if figure in values:
                    values[figure][which].append(value)
    for figure, (old, new) in values.items():
        changes = [100 * (b - a) / a for a, b in zip(old, new)]
        low, high = interval(changes)
        print(json.dumps({"case": name, "device": device, "figure": figure, "pairs": len(changes), "old": statistics.median(old),
                          "new": statistics.median(new), "change_percent": round(statistics.median(changes), 2),
                          "interval_percent": [round(low, 2), round(high, 2)], "slower": low > 0}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packs", nargs=2, type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--device", action="append", default=[])
    parser.add_argument("--rows", default="")
    parser.add_argument("--without-race", action="store_true")
    asked = parser.parse_args()
    packs = [pack.resolve() for pack in asked.packs]
    here = pathlib.Path(__file__).resolve().parent.parent
    data = here / "datasets"
    with tempfile.TemporaryDirectory() as work:
        if asked.rows:
            subprocess.run([sys.executable, here / "bench/peers/forest_peers.py", "make", work, asked.rows], check=True, stdout=subprocess.DEVNULL)
        for device in asked.device or ["cuda:0"]:
            compare("iris", device, asked.pairs, lambda pack: forest(pack, "search", f"{data}/iris.csv", "species", device, "3"), packs)
            compare("digits", device, asked.pairs, lambda pack: forest(pack, "search", f"{data}/digits.csv", "digit", device, "2"), packs)
            if not asked.without_race:
                compare("race", device, asked.pairs, lambda pack: race(pack, device), packs)
            if asked.rows:
                files = (f"{work}/X_{asked.rows}.npy", f"{work}/y_{asked.rows}.npy")
                compare(f"{asked.rows} x 28", device, asked.pairs if asked.without_race else min(asked.pairs, 5), lambda pack: forest(pack, "fit", *files, device, "100", "16"), packs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
