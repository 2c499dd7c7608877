# SPDX-License-Identifier: MIT
"""Runs the folders beside this file through the real tool: small inputs, commands, and what must come of them.

A folder holds its inputs and case.json:

    {"about": "what went wrong once, in a sentence",
     "steps": [{"run": "train d.csv --target y --save m",   # split as a shell would, run in a copy of the folder
                "exit": 0,                                  # default 0
                "out": ["text that standard output has"], "err": ["... standard error"],
                "not": ["text that neither has"],
                "numbers": [{"after": "r2: ", "in": "out", "at_least": 0.9, "at_most": 1}],
                "json": [{"file": "o.json", "path": "best_params_.max_depth", "equals": 3}],   # "-": standard output
                "files": {"p.csv": {"has": ["text"], "lines": 61, "first": "y", "equals": "other file", "absent": true}}}]}

"plain": true is for builds without sanitizers, which reserve more address space than a limit leaves. "shell" in place of "run" gives a command to sh, where "overtake" is the tool: for pipes and links. A json check takes
"equals", "near" [value, tolerance], "at_least", "at_most" or "length"; a path's parts are keys or indices. A file check can
also name the file's "mode" in octal digits, and "type": "link" or "pipe". After every step the inputs must be as they were,
and after a step that fails nothing may have appeared; "timeout" (seconds, default 120) ends a step with all that it started.
Cases run side by side, so none may depend on being alone. Environment: OVERTAKE_BINARY.
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

CASES = pathlib.Path(__file__).resolve().parent
BINARY = os.path.abspath(os.environ["OVERTAKE_BINARY"])
STEP_KEYS = {"about", "run", "shell", "exit", "out", "err", "not", "numbers", "json", "files", "timeout", "plain"}


class Failure(Exception):
    pass


def require(ok, message):
    if not ok:
        raise Failure(message)


def check_value(value, wanted, what):
    if "equals" in wanted:
        require(value == wanted["equals"], f"{what} is {value!r}, not {wanted['equals']!r}")
    if "near" in wanted:
        target, tolerance = wanted["near"]
        require(abs(value - target) <= tolerance, f"{what} is {value!r}, not {target!r} within {tolerance}")
    if "at_least" in wanted:
        require(value >= wanted["at_least"], f"{what} is {value!r}, below {wanted['at_least']}")
    if "at_most" in wanted:
        require(value <= wanted["at_most"], f"{what} is {value!r}, above {wanted['at_most']}")
    if "length" in wanted:
        require(len(value) == wanted["length"], f"{what} has {len(value)} entries, not {wanted['length']}")


def number_after(text, mark):
    require(mark in text, f"no {mark!r} in {text!r}")
    rest = text.split(mark, 1)[1].split()
    require(rest, f"nothing after {mark!r}")
    return float(rest[0].rstrip("%,;)"))


def json_at(document, path):
    for part in path.split(".") if path else []:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def check_file(folder, name, wanted):
    path = folder / name
    if wanted.get("absent"):
        require(not path.exists(), f"{name} is there")
        return
    require(os.path.lexists(path), f"{name} is not there")
    if "mode" in wanted:
        mode = f"{stat.S_IMODE(path.stat().st_mode):03o}"
        require(mode == wanted["mode"], f"{name} has mode {mode}, not {wanted['mode']}")
    if "type" in wanted:
        is_type = {"link": path.is_symlink, "pipe": path.is_fifo}[wanted["type"]]
        require(is_type(), f"{name} is no {wanted['type']}")
    if path.is_fifo():
        return
    if "equals" in wanted:
        require(path.read_bytes() == (folder / wanted["equals"]).read_bytes(), f"{name} differs from {wanted['equals']}")
    text = path.read_text(errors="replace")
    for part in wanted.get("has", []):
        require(part in text, f"{name} has no {part!r}")
    for part in wanted.get("not", []):
        require(part not in text, f"{name} has {part!r}")
    if "lines" in wanted:
        require(len(text.splitlines()) == wanted["lines"], f"{name} has {len(text.splitlines())} lines")
    if "first" in wanted:
        require(text.splitlines()[0] == wanted["first"], f"{name} begins {text.splitlines()[0]!r}")


def snapshot(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def start(command, folder, timeout):
    """Runs a command; when its time is over, ends it and all that it started."""
    environment = dict(os.environ, PATH=f"{folder.parent}/bin:{os.environ['PATH']}")
    process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, errors="replace", env=environment, start_new_session=True)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def run_step(folder, inputs, step):
    require(set(step) <= STEP_KEYS, f"a step with unknown keys: {sorted(set(step) - STEP_KEYS)}")
    before = set(os.listdir(folder))
    shell = step.get("shell")
    try:
        done = start(["sh", "-c", shell] if shell else [BINARY, *shlex.split(step["run"])], folder, step.get("timeout", 120))
    except subprocess.TimeoutExpired as failure:
        raise Failure(f"timed out: {shell or step['run']}") from failure
    try:
        wanted = step.get("exit", 0)
        require(done.returncode == wanted, f"exit {done.returncode}, not {wanted}")
        for part in step.get("out", []):
            require(part in done.stdout, f"standard output has no {part!r}")
        for part in step.get("err", []):
            require(part in done.stderr, f"standard error has no {part!r}")
        for part in step.get("not", []):
            require(part not in done.stdout + done.stderr, f"the output has {part!r}")
        for wanted in step.get("numbers", []):
            text = done.stderr if wanted.get("in") == "err" else done.stdout
            check_value(number_after(text, wanted["after"]), wanted, f"the number after {wanted['after']!r}")
        for wanted in step.get("json", []):
            text = done.stdout if wanted["file"] == "-" else (folder / wanted["file"]).read_text()
            check_value(json_at(json.loads(text), wanted["path"]), wanted, wanted["path"] or "the document")
        for name, wanted in step.get("files", {}).items():
            check_file(folder, name, wanted)
        for name, content in inputs.items():
            require((folder / name).read_bytes() == content, f"the input {name} was changed")
        if done.returncode not in (0, 1, 130) and not shell:
            left = set(os.listdir(folder)) - before
            require(not left, f"a failed command left {sorted(left)}")
    except (Failure, KeyError, IndexError, ValueError) as failure:
        raise Failure(f"{failure}\n  command: {shell or step['run']}\n  stdout: {done.stdout}\n  stderr: {done.stderr}") from failure


def run_case(case):
    description = json.loads((case / "case.json").read_text())
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        (root / "bin").mkdir()
        (root / "bin" / "overtake").symlink_to(BINARY)
        folder = root / "work"
        shutil.copytree(case, folder, ignore=shutil.ignore_patterns("case.json"))
        inputs = snapshot(folder)
        for step in description["steps"]:
            if step.get("plain") and "OVERTAKE_SANITIZED" in os.environ:
                continue
            run_step(folder, inputs, step)


def outcome(case):
    """What went wrong, or None."""
    try:
        run_case(case)
    except Failure as failure:
        return str(failure)
    return None


def main():
    wanted = sys.argv[1:]
    cases = sorted(p.parent for p in CASES.glob("*/case.json"))
    cases = [c for c in cases if not wanted or c.name in wanted]
    failed = 0
    # Two at a time at least: much of a step is starting the tool.
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
        for case, failure in zip(cases, pool.map(outcome, cases)):
            failed += failure is not None
            print(f"FAILED  {case.name}: {failure}" if failure else f"ok      {case.name}", flush=True)
    print(f"{len(cases) - failed} cases as expected, {failed} not")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
