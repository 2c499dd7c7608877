# SPDX-License-Identifier: MIT
"""A command under a fault: its streams, limits and signals, and what must be true afterwards."""
import os
import pathlib
import pwd
import resource
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from support import BINARY, IRIS, CliTest, main  # noqa: E402, F401 (the tests take them from here)

SANITIZED = bool(os.environ.get("OVERTAKE_SANITIZED"))
FOREST = ("--target", "species", "--estimator", "random-forest", "--device", "cpu", "--threads", "1")
NETWORK = ("--target", "species", "--hidden", "16", "--device", "cpu", "--threads", "1")
MIB = 1 << 20


def limited(limits, ignored, user):
    """For preexec_fn: {"FSIZE": 1000} sets RLIMIT_FSIZE. Other signals than `ignored` are as a user's shell leaves them."""
    def apply():
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for name, value in limits.items():
            number = getattr(resource, "RLIMIT_" + name)
            resource.setrlimit(number, (value, value))
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
    return apply


class FaultTest(CliTest):
    """Each test has an empty folder of its own and a temporary folder beside it; in neither may anything stay."""

    def setUp(self):
        super().setUp()
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        self.work = self.folder / "work"
        self.work.mkdir()
        self.addCleanup(self.nothing_in_temporary_folder)

    def nothing_in_temporary_folder(self):
        self.assertEqual(os.listdir(self.temporary), [], "left in the temporary folder")

    def begin(self, *arguments, limits=None, ignored=(), user=None, environment=None, machine=None, **streams):
        """Starts the tool, on another `machine` (machine.py) where one is given. A variable that is None is unset. What is
        not given of stdin, stdout and stderr is nothing and pipes."""
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "preexec_fn": limited(limits or {}, ignored, user), **streams}
        variables = {**os.environ, "TMPDIR": str(self.temporary), **(environment or {})}
        variables = {name: value for name, value in variables.items() if value is not None}
        before = machine.command(self.work) if machine else []
        process = subprocess.Popen([*before, BINARY, *map(str, arguments)], cwd=self.work, text=True, env=variables, **streams)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.communicate()

    def run_tool(self, *arguments, expect=0, timeout=60, **how):
        """Runs to the end, checks the exit code, returns (stdout, stderr); "" for a stream that went elsewhere."""
        process = self.begin(*arguments, **how)
        out, err = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, expect, f"overtake {' '.join(map(str, arguments))}\n{out}\n{err}")
        return out or "", err or ""

    def refused(self, code, *arguments, says=(), **how):
        """The tool must end with `code`, with one error and its hint as the last two lines, and leave all files alone."""
        before = self.files()
        _, err = self.run_tool(*arguments, expect=code, **how)
        lines = err.splitlines()
        self.assertEqual([line.split(":")[0] for line in lines[-2:]], ["error", "hint"], err)
        self.assertEqual(err.count("error: "), 1, err)
        for text in says:
            self.assertIn(text, err)
        self.assertNotIn("bug in Overtake", err)
        self.assertEqual(self.files(), before, "files differ from before")
        return err

    def ordinary_user(self):
        """For user=: somebody whom permissions and limits bind; everything of the test is open to him."""
        if os.geteuid() != 0:
            return None
        nobody = pwd.getpwnam("nobody").pw_uid
        for folder, mode in ((self.folder, 0o755), (self.work, 0o777), (self.temporary, 0o777)):
            folder.chmod(mode)
        try:
            process = self.begin("--version", user=nobody)
            process.communicate()
        except PermissionError:
            process = None
        skip_unless(process is not None and process.returncode == 0, "the binary lies where only root may run it")
        return nobody

    def files(self):
        """Names and contents; None for what is no regular file."""
        return {p.name: p.read_bytes() if p.is_file() else None for p in self.work.iterdir()}

    def put(self, name, content):
        (self.work / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    def iris(self, times):
        """The iris data that many times over."""
        head, *rows = pathlib.Path(IRIS).read_text().splitlines()
        return self.put("d.csv", "\n".join([head, *rows * times]) + "\n")

    def wait_for(self, condition, process, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            if condition():
                return
            time.sleep(0.01)
        self.fail(f"did not happen; exit code {process.poll()}")


def faulty_opencl(folder, drivers, installed):
    """A folder of one OpenCL driver, the installed one behind tests/icd/faulty_icd.cpp, and the variables that name both."""
    shim = drivers / "opencl" / "faulty_icd.so"
    skip_unless(shim.exists(), "this build has no OpenCL backend")
    real = sorted(installed.glob("*.icd"))
    skip_unless(real, f"no OpenCL driver is installed in {installed}")
    vendors = folder / "vendors"
    vendors.mkdir()
    (vendors / "faulty.icd").write_text(f"{shim}\n")
    return vendors, {"OCL_ICD_VENDORS": str(vendors), "OVERTAKE_TEST_ICD": real[0].read_text().strip(), "OVERTAKE_TEST_FAULT": "none"}


def skip_unless(condition, reason):
    if not condition:
        raise unittest.SkipTest(reason)
