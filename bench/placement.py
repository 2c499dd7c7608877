#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What --device auto chooses, and what it predicts, beside what each device takes.

  bench/placement.py OVERTAKE OUT.json --device cpu --device cuda:0 [--auto] [--only NAME] [--repeat 2] [--work FOLDER]

Each workload is one command of the tool, run on every device and, with --auto, left to choose. Times are those of whole
processes less the time that reading the table takes (a process of its own, describe, shows that nothing hides there).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


def table(path, rows, columns, classes=0, noise=0.1, seed=1):
    """Numbers, of which ten columns decide; `noise`: the share of targets that say nothing. No classes: a regression."""
    if path.exists():
        return path
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, columns)).astype(np.float32)
    used = min(10, columns)
    signal = x[:, :used] @ rng.standard_normal(used) + 2 * np.sin(2 * x[:, 0]) * x[:, min(1, columns - 1)]
    signal = (signal - signal.mean()) / signal.std()
    if classes:
        y = np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
        flipped = rng.random(rows) < noise
        y[flipped] = rng.integers(0, classes, flipped.sum())
        y = np.char.add("c", y.astype(str))
    else:
        y = signal + noise * rng.standard_normal(rows)
    head = ",".join([f"x{i}" for i in range(columns)] + ["y"])
    with open(path, "w") as file:
        file.write(head + "\n")
        for begin in range(0, rows, 20000):
            part = np.char.mod("%.4g", x[begin:begin + 20000])
            last = y[begin:begin + 20000]
            last = last if classes else np.char.mod("%.5g", last)
            file.writelines(",".join(row) + "," + t + "\n" for row, t in zip(part, last))
    return path


def grid(**values):
    return [word for name, value in values.items() for word in ("--grid", f"{name}={value}")]


def drawn(count, *parameters):
    return ["--random", str(count), *[word for p in parameters for word in ("--param", p)]]


def fixed(**values):
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def network(hidden, epochs, batch):
    return ["--hidden", hidden, "--epochs", str(epochs), "--batch-size", str(batch)]


DEPTHS = "max_depth=int(2,20)"
SHARES = "max_features=uniform(0.1,1)"
# name: (command, table or (rows, columns, classes, noise), arguments)
WORKLOADS = {
    "iris-12": ("search", "iris.csv:species", grid(n_estimators="50,100,200", max_depth="none,3,5,10")),
    "iris-500": ("search", "iris.csv:species", drawn(500, DEPTHS, SHARES, "n_estimators=int(10,100)")),
    "digits-12": ("search", "digits.csv:digit", grid(n_estimators="100,200", max_depth="none,5,10", criterion="gini,entropy")),
    "search-200x5": ("search", (200, 5, 2, 0.1), grid(max_depth="none,3", criterion="gini,entropy")),
    "search-1000x10-1": ("search", (1000, 10, 3, 0.1), grid(n_estimators="100")),
    "search-1000x20": ("search", (1000, 20, 2, 0.2), grid(max_depth="none,4,8", max_features="sqrt,0.5", min_samples_leaf="1,5")),
    "search-500x500": ("search", (500, 500, 2, 0.1), drawn(10, DEPTHS, SHARES)),
    "search-2000x100r": ("search", (2000, 100, 0, 0.3), drawn(40, DEPTHS, SHARES) + fixed(n_estimators=50)),
    "search-3000x15": ("search", (3000, 15, 4, 0.1), drawn(100, DEPTHS, SHARES, "min_samples_leaf=int(1,20)") + fixed(n_estimators=50)),
    "search-5000x50": ("search", (5000, 50, 3, 0.3), grid(max_depth="none,6", max_features="sqrt,0.3", criterion="gini,entropy")),
    "search-20000x20": ("search", (20000, 20, 2, 0.1), drawn(20, DEPTHS, SHARES) + fixed(n_estimators=50)),
    "search-20000x200": ("search", (20000, 200, 2, 0.1), grid(max_depth="8,none", max_features="sqrt,0.1") + fixed(n_estimators=50) + ["--cv", "3"]),
    "search-100000x10r": ("search", (100000, 10, 0, 0.3), grid(max_depth="8,16", max_features="1.0,0.5") + fixed(n_estimators=30) + ["--cv", "3"]),
    "search-extra-10000x30": ("search", (10000, 30, 5, 0.1), drawn(20, DEPTHS, SHARES) + ["--estimator", "extra-trees"] + fixed(n_estimators=50)),
    "forest-200x5": ("train", (200, 5, 2, 0.1), ["--estimator", "random-forest"]),
    "forest-5000x50": ("train", (5000, 50, 3, 0.3), ["--estimator", "random-forest"]),
    "forest-20000x200": ("train", (20000, 200, 2, 0.1), ["--estimator", "random-forest"]),
    "forest-100000x10r": ("train", (100000, 10, 0, 0.3), ["--estimator", "random-forest"]),
    "forest-200000x28": ("train", (200000, 28, 2, 0.2), ["--estimator", "random-forest", "--max-depth", "16"]),
    "forest-500000x20": ("train", (500000, 20, 2, 0.2), ["--estimator", "random-forest"]),
    "network-iris": ("train", "iris.csv:species", network("16", 100, 16)),
    "network-200x5": ("train", (200, 5, 2, 0.1), network("64,64", 100, 32)),
    "network-1000x20": ("train", (1000, 20, 2, 0.2), network("64,64", 50, 100)),
    "network-500x500": ("train", (500, 500, 2, 0.1), network("128", 30, 50)),
    "network-5000x50": ("train", (5000, 50, 3, 0.3), network("2048,2048", 5, 100)),
    "network-20000x20": ("train", (20000, 20, 2, 0.1), network("256,256", 10, 256)),
    "network-20000x200": ("train", (20000, 200, 2, 0.1), network("1024,1024,1024", 5, 512)),
    "network-100000x10r": ("train", (100000, 10, 0, 0.3), network("64", 5, 128)),
    "network-500000x20": ("train", (500000, 20, 2, 0.2), network("32,32", 1, 1000)),
}


def data_of(spec, folder):
    """The file and its target."""
    if isinstance(spec, str):
        name, target = spec.split(":")
        return ROOT / "datasets" / name, target
    return table(folder / f"{'x'.join(str(part) for part in spec)}.csv", *spec), "y"


def run(command):
    """Seconds of the process, and its JSON; None where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "out.json"
        begin = time.perf_counter()
        done = subprocess.run([*command, "--json", str(path)], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode != 0:
            return seconds, {"failure": done.stderr.strip()[-300:]}, done.stdout
        return seconds, json.loads(path.read_text()), done.stdout


def kept(document):
    """What of the tool's JSON belongs into a table."""
    names = ("failure", "plan", "timing", "seconds", "device", "devices", "device_reason", "prediction", "placement", "trees", "nodes", "fit", "best_ties")
    return {name: document[name] for name in names if name in document}


def measure(tool, name, devices, repeat, folder):
    command, spec, arguments = WORKLOADS[name]
    path, target = data_of(spec, folder)
    row = {"name": name, "command": command, "arguments": [str(a) for a in arguments], "runs": []}
    begin = time.perf_counter()
    subprocess.run([tool, "describe", str(path), "--json", os.devnull], capture_output=True, check=False)
    row["describe_seconds"] = time.perf_counter() - begin
    row["bytes"] = path.stat().st_size
    with open(path) as lines:
        row["columns"] = lines.readline().count(",")
        row["rows"] = sum(1 for _ in lines)
    for number in range(repeat):
        for device in devices:
            seconds, document, _ = run([tool, command, str(path), "--target", target, "--device", device, *map(str, arguments)])
            row["runs"].append({**kept(document), "asked": device, "number": number, "process_seconds": seconds})
    for device in devices:
        times = [r["process_seconds"] for r in row["runs"] if r["asked"] == device and "failure" not in r]
        row[device] = statistics.median(times) if times else None
    print(f"{name:24}" + "".join(f"  {d} {row[d]:8.3f}" if row[d] else f"  {d} failed" for d in devices), file=sys.stderr, flush=True)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("out")
    parser.add_argument("--device", action="append", default=[])
    parser.add_argument("--auto", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    devices = (options.device or ["cpu"]) + (["auto"] if options.auto else [])
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.work or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for name in WORKLOADS:
            if options.only and not any(name.startswith(only) for only in options.only):
                continue
            rows.append(measure(options.tool, name, devices, options.repeat, folder))
            pathlib.Path(options.out).write_text(json.dumps({"workloads": rows}, indent=1))


if __name__ == "__main__":
    main()
