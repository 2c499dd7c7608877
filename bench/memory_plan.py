#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How well the plan of the computer's memory is met: runs trainings and searches, each in a process of its own, and
compares what the plan said (planned_host_bytes) with the most that the process held (the system's figure of it).

    bench/record.py OUT.json bench/memory_plan.py [CASE...]
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import tempfile

FOREST = ["--estimator", "random-forest"]
# name: (rows, features, kind of target, command, flags, device)
CASES = {
    "iris train": ("iris", 0, "classes", "train", FOREST, "cpu"),
    "iris search": ("iris", 0, "classes", "search", ["--grid", "max_depth=none,3,5", "--grid", "n_estimators=50,100"], "cpu"),
    "iris network": ("iris", 0, "classes", "train", ["--epochs", "20"], "cpu"),
    "20,000 x 20 train": (20_000, 20, "classes", "train", FOREST, "cpu"),
    "20,000 x 20 numbers": (20_000, 20, "numbers", "train", FOREST + ["--set", "n_estimators=30"], "cpu"),
    "20,000 x 20 search": (20_000, 20, "classes", "search", ["--grid", "max_depth=none,10", "--set", "n_estimators=30"], "cpu"),
    "20,000 x 20 network": (20_000, 20, "classes", "train", ["--epochs", "3", "--hidden", "256,256"], "cpu"),
    "200,000 x 50 train": (200_000, 50, "classes", "train", FOREST + ["--set", "n_estimators=20"], "cpu"),
    "200,000 x 50 network": (200_000, 50, "classes", "train", ["--epochs", "1", "--batch-size", "1000"], "cpu"),
    "200,000 x 4 train": (200_000, 4, "classes", "train", FOREST + ["--set", "n_estimators=60"], "cpu"),
    "200,000 x 4 numbers": (200_000, 4, "numbers", "train", FOREST + ["--set", "n_estimators=20", "--oob-score"], "cpu"),
    "200,000 x 4 search": (200_000, 4, "classes", "search", ["--grid", "max_depth=none,12", "--set", "n_estimators=20", "--cv", "3"],
                           "cpu"),
    "1,000,000 x 28 train": (1_000_000, 28, "classes", "train", FOREST + ["--set", "n_estimators=10"], "cpu"),
    "20,000 x 20 train, OpenCL on the CPU": (20_000, 20, "classes", "train", FOREST + ["--set", "n_estimators=20"], "opencl"),
    "20,000 x 20 search, OpenCL on the CPU": (20_000, 20, "classes", "search", ["--grid", "max_depth=none,10", "--set", "n_estimators=30"],
                                              "opencl"),
}


def write_table(path, rows, features, target):
    """Normal numbers; the target follows from three of them, with noise. Blocks of rows repeat beyond 20,000 with other noise."""
    draw = random.Random(7)
    block = [[draw.gauss(0, 1) for _ in range(features)] for _ in range(min(rows, 20_000))]
    with open(path, "w") as file:
        file.write(",".join(f"x{i}" for i in range(features)) + ",y\n")
        for row in range(rows):
            x = block[row % len(block)]
            if row >= len(block):
                x = [x[0] + draw.gauss(0, 0.1), *x[1:]]
            signal = x[0] + x[1] * x[2] + draw.gauss(0, 0.5)
            y = f"{signal:.4f}" if target == "numbers" else "up" if signal > 0 else "down"
            file.write(",".join(f"{value:.4f}" for value in x) + f",{y}\n")


def run(overtake, name, folder):
    rows, features, target, command, flags, device = CASES[name]
    if rows == "iris":
        data, column = pathlib.Path(__file__).resolve().parent.parent / "datasets/iris.csv", "species"
    else:
        data, column = folder / f"{rows}x{features}{target}.csv", "y"
        if not data.exists():
            write_table(data, rows, features, target)
    out = folder / "out.json"
    process = subprocess.Popen([overtake, command, data, "--target", column, "--device", device, "--json", out, *flags],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _, status, used = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{name}: {process.stderr.read()}")
    result = json.loads(out.read_text())
    plan = result.get("plan", result)
    planned, measured = plan["planned_host_bytes"], used.ru_maxrss * 1024
    return {"case": name, "planned": planned, "measured": measured, "at_the_end_of_training": plan["host_peak_bytes"],
            "error_percent": round(100 * (planned / measured - 1), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="all of them: " + "; ".join(CASES))
    parser.add_argument("--overtake", default="build/release/cli/overtake")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in flags.cases or CASES:
            print(json.dumps(run(flags.overtake, name, pathlib.Path(folder))), flush=True)


if __name__ == "__main__":
    main()
