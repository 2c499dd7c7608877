# SPDX-License-Identifier: MIT
"""Kills searches, trainings and writers at random moments and compares with what undisturbed runs give.

    OVERTAKE_BINARY=... python3 -B tests/torture/torture.py [COUNT] [--seed N]

COUNT is how many signals are sent: kill -9, SIGTERM, SIGINT, SIGHUP, or SIGINT twice. What can be continued is continued until it
ends, and must end as if nothing had happened, bit for bit; what cannot must leave the old file or the new one. The last line
counts; on a difference the exit code is 1, and the folder with the files is named.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(os.environ["OVERTAKE_BINARY"])
INTERRUPTED = 130
KINDS = {"kill -9": [signal.SIGKILL], "SIGTERM": [signal.SIGTERM], "SIGINT": [signal.SIGINT],
         "SIGHUP": [signal.SIGHUP], "SIGINT twice": [signal.SIGINT, signal.SIGINT]}
TIMES = {"seconds", "steps", "resumed_epoch", "device_reason", "timing", "plan", "resumed_jobs", "settings", "machine",
         "warnings"}


class Difference(Exception):
    pass


def require(ok, message):
    if not ok:
        raise Difference(message)


def noisy_csv(rows, draw):
    lines = ["a,b,c,d,y"]
    for _ in range(rows):
        a, b, c, d = (draw.gauss(0, 1) for _ in range(4))
        lines.append(f"{a:.6f},{b:.6f},{c:.6f},{d:.6f},{'yes' if a * b + c + draw.gauss(0, 0.5) > 0 else 'no'}")
    return "\n".join(lines) + "\n"


def without_times(data):
    """What another run of the same command must say, too."""
    if isinstance(data, dict):
        return {k: without_times(v) for k, v in data.items() if k not in TIMES and not k.endswith("_time")}
    return [without_times(value) for value in data] if isinstance(data, list) else data


class Torture:
    def __init__(self, count, seed, folder):
        self.left = count
        self.draw = random.Random(seed)
        self.folder = folder
        self.sent = collections.Counter()
        self.ended_before = 0
        self.checks = 0

    def start(self, arguments):
        def signals_of_a_terminal():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
        variables = {**os.environ, "TMPDIR": str(self.folder / "temporary")}
        return subprocess.Popen([BINARY, *arguments], cwd=self.folder / "work", stdin=subprocess.DEVNULL, text=True, env=variables,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=signals_of_a_terminal)

    def undisturbed(self, arguments, expect=0):
        begin = time.monotonic()
        process = self.start(arguments)
        out, err = process.communicate(timeout=600)
        require(process.returncode == expect, f"exit {process.returncode}, not {expect}: {' '.join(arguments)}\n{out}\n{err}")
        return time.monotonic() - begin

    def disturbed(self, arguments, longest):
        """Sends a signal within `longest` seconds; true if the command had ended well before."""
        process = self.start(arguments)
        kind = self.draw.choice(list(KINDS))
        try:
            out, err = process.communicate(timeout=self.draw.uniform(0, longest))
        except subprocess.TimeoutExpired:
            for number in KINDS[kind]:
                process.send_signal(number)
                time.sleep(self.draw.choice((0, 0.001, 0.01)))
            self.sent[kind] += 1
            self.left -= 1
            out, err = process.communicate(timeout=600)
            ends = {0, INTERRUPTED, *(-number for number in KINDS[kind])}
            require(process.returncode in ends, f"exit {process.returncode} after {kind}: {' '.join(arguments)}\n{out}\n{err}")
            return process.returncode == 0
        self.ended_before += 1
        require(process.returncode == 0, f"exit {process.returncode}: {' '.join(arguments)}\n{out}\n{err}")
        return True

    def path(self, name):
        return self.folder / "work" / name

    def bytes_of(self, name):
        return self.path(name).read_bytes()

    def json_of(self, name):
        return without_times(json.loads(self.path(name).read_text()))

    def clear(self, *keep):
        for path in self.path("").iterdir():
            if path.name not in keep:
                path.unlink()

    def nothing_else(self, *names, after_a_kill=False):
        """A kill in the microseconds in which a whole file has a name, but not yet its own, leaves that to the next run."""
        extra = set(os.listdir(self.path(""))) - set(names)
        if after_a_kill:
            extra = {name for name in extra if not re.fullmatch(r".+\.\d+-[0-9a-f]{8}\.tmp", name)}
        require(not extra, f"left behind: {sorted(extra)}")
        require(not os.listdir(self.folder / "temporary"), "something is left in the temporary folder")
        self.checks += 1


class Resumed:
    """A command that continues: killed until it ends, its results must be those of the first, undisturbed run."""

    def __init__(self, torture, name, command, state, result):
        """`state`: the file it continues from, and those beside it that only a kill may leave, until the next run."""
        self.torture, self.name, self.command, self.state, self.result = torture, name, command, state, result
        self.inputs = ("d.csv",)
        self.seconds = torture.undisturbed(command)
        self.whole = (torture.bytes_of("m"), torture.json_of(result))
        torture.clear(*self.inputs)

    def round(self):
        torture = self.torture
        torture.clear(*self.inputs)
        ended = False
        while not ended and torture.left > 0:
            ended = torture.disturbed(self.command, self.seconds * torture.draw.choice((0.1, 0.5, 1)))
            torture.nothing_else(*self.inputs, *self.state, "m", self.result, after_a_kill=True)
            self.look()
        torture.undisturbed(self.command)
        require(torture.bytes_of("m") == self.whole[0], f"{self.name}: the model differs")
        require(torture.json_of(self.result) == self.whole[1], f"{self.name}: {self.result} differs")
        torture.nothing_else(*self.inputs, self.state[0], "m", self.result)

    def look(self):
        """What there is can be read at any moment."""
        torture = self.torture
        if torture.path("j").exists():
            out, err = (process := torture.start(["show", "j"])).communicate(timeout=60)
            young = process.returncode == 3 and "holds no search yet" in err
            require(process.returncode == 0 or young, f"exit {process.returncode} of show\n{out}\n{err}")
        if torture.path("m").exists():
            torture.undisturbed(["predict", "m", "d.csv", "--out", "/dev/null"])


class Written:
    """A command that writes files anew: after a kill each is as before or as after the undisturbed run."""

    def __init__(self, torture, name, command, outputs, prepare=()):
        self.torture, self.name, self.command, self.outputs = torture, name, command, outputs
        torture.clear("d.csv")
        for step in prepare:
            torture.undisturbed(step)
        self.inputs = {path.name: path.read_bytes() for path in torture.path("").iterdir()}
        self.seconds = torture.undisturbed(command)
        self.new = {output: torture.bytes_of(output) for output in outputs}

    def round(self):
        torture = self.torture
        torture.clear()
        for name, content in self.inputs.items():
            torture.path(name).write_bytes(content)
        for output in self.outputs:
            torture.path(output).write_bytes(b"old")
        for _ in range(4):
            torture.disturbed(self.command, self.seconds * 1.1)
            for output in self.outputs:
                now = torture.bytes_of(output)
                require(now in (b"old", self.new[output]), f"{self.name}: {output} is neither old nor new, {len(now)} bytes")
            torture.nothing_else(*self.inputs, *self.outputs, after_a_kill=True)
        torture.undisturbed(self.command)
        for output in self.outputs:
            require(torture.bytes_of(output) == self.new[output], f"{self.name}: {output} differs")
        torture.nothing_else(*self.inputs, *self.outputs)


class Grown:
    """A forest that grows in its own file: a kill leaves the old one or the whole new one, an interruption one that works."""

    def __init__(self, torture, name, first, more):
        self.torture, self.name, self.command = torture, name, more
        torture.clear("d.csv")
        torture.undisturbed(first)
        self.old = torture.bytes_of("m")
        self.seconds = torture.undisturbed(more)
        self.new = torture.bytes_of("m")

    def round(self):
        torture = self.torture
        torture.clear("d.csv")
        for _ in range(4):
            torture.path("m").write_bytes(self.old)
            kills = torture.sent["kill -9"]
            torture.disturbed(self.command, self.seconds * 1.1)
            if torture.sent["kill -9"] > kills:
                require(torture.bytes_of("m") in (self.old, self.new), f"{self.name}: the forest is neither old nor new")
            torture.undisturbed(["predict", "m", "d.csv", "--out", "/dev/null"])
            torture.nothing_else("d.csv", "m", after_a_kill=True)
        torture.path("m").write_bytes(self.old)
        torture.undisturbed(self.command)
        require(torture.bytes_of("m") == self.new, f"{self.name}: the forest differs")
        torture.nothing_else("d.csv", "m")


def work_of(torture):
    csv = noisy_csv(1500, random.Random(7))
    torture.path("d.csv").write_text(csv)
    shared = ["d.csv", "--target", "y", "--device", "cpu", "--threads", "2"]
    search = ["search", *shared, "--grid", "max_bins=6,8,12,16,24,32,48,64", "--grid", "max_features=1,3", "--set", "n_estimators=40",
              "--seed", "3", "--journal", "j", "--save", "m", "--json", "s.json"]
    train = ["train", *shared[:-1], "1", "--hidden", "48,48", "--dropout", "0.1", "--validation", "0.2", "--epochs", "60", "--checkpoint",
             "c", "--checkpoint-every", "1", "--resume", "--save", "m", "--json", "t.json"]
    forest = ["train", *shared, "--estimator", "random-forest", "--n-estimators", "200", "--save"]
    return [
        Resumed(torture, "search", search, ("j", "j-wal", "j-shm", "j-journal", "j-lock"), "s.json"),
        Resumed(torture, "training", train, ("c",), "t.json"),
        Written(torture, "predictions", ["predict", "f", "d.csv", "--apply", "--out", "p.csv"], ["p.csv"], [[*forest, "f"]]),
        Grown(torture, "more trees", [*forest, "m"], [*forest[:-3], "--more-trees", "m", "--n-estimators", "600", "--save", "m"]),
        Written(torture, "description", ["describe", "d.csv", "--json", "d.json"], ["d.json"]),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("count", nargs="?", type=int, default=600, help="signals to send (default: 600, about 5 minutes)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="overtake-torture-"))
    (folder / "work").mkdir()
    (folder / "temporary").mkdir()
    torture = Torture(options.count, options.seed, folder)
    print(f"torture: {options.count} signals, --seed {options.seed}", flush=True)
    begin = time.monotonic()
    rounds = 0
    try:
        kinds = work_of(torture)
        names = ", ".join(f"{kind.name} ({kind.seconds:.1f} s)" for kind in kinds)
        print(f"torture: {names}", flush=True)
        while torture.left > 0:
            kinds[rounds % len(kinds)].round()
            rounds += 1
    except (Difference, subprocess.TimeoutExpired) as failure:
        print(f"error: {failure}\nhint: the files are in {folder}", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(folder)
    kinds_sent = ", ".join(f"{torture.sent[kind]} x {kind}" for kind in KINDS)
    print(f"torture: {sum(torture.sent.values())} signals ({kinds_sent}) in {rounds} rounds and {time.monotonic() - begin:.0f} s; "
          f"{torture.ended_before} commands ended before theirs; {torture.checks} checks, no difference")


if __name__ == "__main__":
    main()
