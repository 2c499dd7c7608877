#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a benchmark, prints what it prints, and records that with the machine, the commit, the date and the command.

    bench/record.py OUT.json COMMAND [ARGUMENT...]

Lines that are JSON objects become `rows`, others `text`. BENCH_COMMIT names the commit where there is no repository.
"""
import datetime
import json
import os
import pathlib
import shlex
import signal
import subprocess
import sys


def output_of(*command):
    """Its standard output; empty where it cannot be had."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")] if cpuinfo.exists() else []
    return {"cpu": names[0] if names else os.uname().machine, "cores": len(os.sched_getaffinity(0)),
            "gpus": output_of("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader").splitlines()}


def head(command):
    """What a result cannot do without."""
    here = pathlib.Path(__file__).resolve().parent
    commit = os.environ.get("BENCH_COMMIT") or output_of("git", "-C", here, "describe", "--always", "--dirty", "--abbrev=12")
    return {"machine": machine(), "commit": commit or None, "date": datetime.date.today().isoformat(), "command": shlex.join(command)}


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    out, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    record = {**head(command), "exit": None, "rows": [], "text": []}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a time limit: what there is, is kept
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "BENCH_RECORDED": "yes"}) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                try:
                    value = json.loads(line)
                except ValueError:
                    value = None
                record["rows" if isinstance(value, dict) else "text"].append(value if isinstance(value, dict) else line.rstrip())
        record["exit"] = process.returncode
    finally:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(record, indent=1) + "\n")
    return record["exit"]


if __name__ == "__main__":
    sys.exit(main())
