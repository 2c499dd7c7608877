# SPDX-License-Identifier: MIT
"""Drivers that crash, hang or compute wrongly: they are tried aside, named with the cure, and nothing else suffers."""
import functools
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from fault import BINARY, IRIS, SANITIZED, FaultTest, faulty_opencl, main, skip_unless

DRIVERS = pathlib.Path(os.environ["OVERTAKE_TEST_DRIVERS"])
REAL = pathlib.Path(os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors")
DEVICE = 4
RACE = ("race", "--layers", "2", "--epochs", "2", "--repeat", "1", "--json", "-")
TRAIN = ("train", IRIS, "--target", "species", "--epochs", "1", "--threads", "1", "--device")


@functools.cache
def real_driver_is_refused():
    """True where the driver that stands behind the faults fails its own trial, as PoCL 7.1 does."""
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "OVERTAKE_CACHE_DIR": folder, "POCL_CACHE_DIR": folder}
        command = [BINARY, *map(str, TRAIN), "opencl:0"]
        return subprocess.run(command, env=variables, capture_output=True, check=False, cwd=folder).returncode == DEVICE


def trials_of(parent):
    """The processes that try drivers for the process `parent`, which is their first argument."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(b"/overtake-trial") and words[1] == str(parent).encode():
                found.append(int(entry.name))
    return found


@unittest.skipIf(SANITIZED, "the library under the drivers reports their faults as its own")
class DriverTest(FaultTest):
    """A cache of its own for each test; self.environment holds what the tool is run with."""

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        (self.folder / "pocl").mkdir()
        self.environment = {"OVERTAKE_CACHE_DIR": str(self.cache), "POCL_CACHE_DIR": str(self.folder / "pocl")}

    def begin(self, *arguments, environment=None, **how):
        return super().begin(*arguments, environment={**self.environment, **(environment or {})}, **how)

    def device(self, name, **how):
        out, _ = self.run_tool("devices", "--json", "--no-measure", **how)
        return next(d for d in json.loads(out)["devices"] if d["id"].startswith(name))

    def verdicts(self):
        out, _ = self.run_tool("cache", "--json")
        return json.loads(out)["verdicts"]


class OpenCl(DriverTest):
    def setUp(self):
        super().setUp()
        self.vendors, variables = faulty_opencl(self.folder, DRIVERS, REAL)
        self.environment.update(variables)
        (self.folder / "other").mkdir()
        # What is behind the fault must be there, or the tests below would show nothing.
        skip_unless(self.device("opencl", environment={"OVERTAKE_TRIAL": "off"})["usable"], "the OpenCL driver here finds no device")
        skip_unless(not real_driver_is_refused(), "the OpenCL driver here fails its trial")

    def fault(self, name):
        self.environment["OVERTAKE_TEST_FAULT"] = name

    def the_cpu_works(self):
        self.run_tool(*TRAIN, "cpu")
        out, _ = self.run_tool(*RACE)
        self.assertEqual(json.loads(out)["settings"]["devices"], ["cpu"])

    def test_one_that_crashes_while_it_compiles(self):
        self.fault("abort-build")
        says = ("opencl:0: its driver ends the process: SIGABRT", "kernels of programs", "assertion failed on purpose", "overtake cache clear")
        self.refused(DEVICE, *TRAIN, "opencl:0", says=says)
        self.the_cpu_works()
        listed = self.device("opencl")
        self.assertEqual((listed["id"], listed["usable"]), ("opencl:0", False))
        self.assertIn("SIGABRT", listed["reason"])
        self.assertEqual([v["passed"] for v in sorted(self.verdicts(), key=lambda v: v["subject"])], [True, False])

    def test_one_that_changes_the_process_changes_no_result(self):
        """Rounding, subnormal numbers, working folder and permissions are those from before the driver was loaded."""
        tiny = ["x,y"] + [f"{i % 30 + 1}e-41,{'ab'[i % 30 > 14]}" for i in range(60)]
        self.put("tiny.csv", "\n".join(tiny) + "\n")
        forest = ("train", "tiny.csv", "--target", "y", "--estimator", "random-forest", "--n-estimators", "5")
        self.run_tool(*forest, "--device", "cpu", "--save", "cpu.overtake")
        self.fault("rude")
        self.run_tool(*forest, "--device", "auto", "--save", "auto.overtake")
        self.assertEqual((self.work / "auto.overtake").read_bytes(), (self.work / "cpu.overtake").read_bytes())
        self.assertEqual((self.work / "auto.overtake").stat().st_mode, (self.work / "cpu.overtake").stat().st_mode)

    def test_a_verdict_is_kept_until_it_is_cleared(self):
        self.fault("abort-build")
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("SIGABRT",))
        # Nothing tries it again: the program that would is not there.
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("SIGABRT",), environment={"OVERTAKE_TRIAL_PROGRAM": "/nowhere"})
        foreign = self.cache / "keep.me"
        foreign.write_text("not Overtake's")
        out, _ = self.run_tool("cache", "clear")
        self.assertIn("2 verdicts", out)
        self.assertEqual(list(self.cache.iterdir()), [foreign])
        self.fault("abort-list")
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("listing the devices",))

    def test_one_that_hangs_while_it_compiles(self):
        self.fault("hang-build")
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("its driver hangs", "3 s", "kernels of programs"),
                     environment={"OVERTAKE_TRIAL_SECONDS": "3"})
        self.the_cpu_works()

    def test_one_that_computes_wrongly(self):
        self.fault("wrong-results")
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("it computes wrongly in the check of element-wise functions",))
        self.the_cpu_works()

    def test_one_that_crashes_when_devices_are_listed(self):
        self.fault("abort-list")
        listed = self.device("opencl")
        self.assertEqual((listed["id"], listed["usable"]), ("opencl", False))
        for text in ("SIGABRT", "faulty_icd.so", "faulty.icd"):
            self.assertIn(text, listed["reason"])
        self.assertIn("OCL_ICD_VENDORS", listed["hint"])
        self.the_cpu_works()
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("SIGABRT", "faulty.icd"))

    def test_one_that_worked_once_and_crashes_when_devices_are_listed(self):
        self.assertTrue(self.device("opencl")["usable"])
        self.assertEqual([v["passed"] for v in self.verdicts()], [True])
        self.fault("abort-list")  # nothing that a key could name has changed
        forest = ("--target", "species", "--grid", "n_estimators=2,4", "--plan")
        for command in (("devices", "--no-measure"), ("search", IRIS, *forest), (*TRAIN, "auto"), ("cache", "clear")):
            out, _ = self.run_tool(*command)
            if command[0] == "devices":
                self.assertIn("opencl: cannot be used: ", out)
                self.assertIn("SIGABRT", out)
        self.fault("none")
        self.assertTrue(self.device("opencl")["usable"])
        self.fault("hang-list")
        self.assertIn("hangs", self.device("opencl", environment={"OVERTAKE_TRIAL_SECONDS": "2"})["reason"])
        self.refused(DEVICE, *TRAIN, "opencl:0", says=("hangs",), environment={"OVERTAKE_TRIAL_SECONDS": "2"})

    def test_one_that_hangs_when_devices_are_listed(self):
        self.fault("hang-list")
        begin = time.monotonic()
        listed = self.device("opencl", environment={"OVERTAKE_TRIAL_SECONDS": "8"})
        self.assertLess(time.monotonic() - begin, 15, "a driver that hangs was waited for twice")
        self.assertFalse(listed["usable"])
        self.assertIn("hangs", listed["reason"])
        self.assertIn("faulty.icd", listed["reason"])
        self.the_cpu_works()

    def test_without_its_program_a_driver_is_used_untried(self):
        _, err = self.run_tool("devices", "--no-measure", environment={"OVERTAKE_TRIAL_PROGRAM": "/nowhere"})
        self.assertEqual(err.count("was not tried before use"), 1, err)
        self.assertEqual(self.verdicts(), [])

    def test_ctrl_c_ends_both(self):
        self.fault("hang-build")
        process = self.begin(*RACE, "--devices", "cpu,opencl:0")
        self.wait_for(lambda: len(trials_of(process.pid)) == 1, process)
        self.wait_for(lambda: "opencl:0: first use" in process.stderr.readline(), process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(trials_of(process.pid), [])
        self.assertEqual([v["passed"] for v in self.verdicts()], [True], "no verdict on a trial that was given up")

    def test_a_kill_ends_both(self):
        self.fault("hang-build")
        process = self.begin(*RACE, "--devices", "cpu,opencl:0")
        self.wait_for(lambda: "opencl:0: first use" in process.stderr.readline(), process)
        self.assertEqual(len(trials_of(process.pid)), 1)
        process.kill()
        process.communicate(timeout=60)
        end = time.monotonic() + 20
        while trials_of(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(trials_of(process.pid), [])

    def test_values_of_variables_are_checked(self):
        for name, value in (("OVERTAKE_TRIAL", "maybe"), ("OVERTAKE_TRIAL_SECONDS", "0"), ("OVERTAKE_TRIAL_SECONDS", "1h")):
            self.refused(2, "devices", says=(name, value), environment={name: value})


class Cuda(DriverTest):
    def setUp(self):
        super().setUp()
        self.environment["OCL_ICD_VENDORS"] = str(self.folder / "no-opencl")
        driver = DRIVERS / "cuda" / "libcuda.so.1"
        skip_unless(driver.exists(), "this build makes no such driver")
        self.environment["LD_LIBRARY_PATH"] = f"{DRIVERS / 'cuda'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        skip_unless("starting it" in self.with_fault("abort-cuda")["reason"], "this build has no CUDA backend")

    def with_fault(self, name, **environment):
        self.run_tool("cache", "clear")
        self.environment["OVERTAKE_TEST_FAULT"] = name
        return self.device("cuda", environment=environment)

    def test_one_that_crashes_when_it_starts(self):
        listed = self.with_fault("abort-cuda")
        self.assertFalse(listed["usable"])
        self.assertIn("SIGABRT", listed["reason"])
        self.refused(DEVICE, *TRAIN, "cuda", says=("cuda:0", "SIGABRT", "nvidia-smi"))
        self.run_tool(*TRAIN, "cpu")

    def test_one_that_hangs_when_it_starts(self):
        listed = self.with_fault("hang-cuda", OVERTAKE_TRIAL_SECONDS="2")
        self.assertFalse(listed["usable"])
        self.assertIn("its driver hangs: nothing happened for 2 s", listed["reason"])
        begin = time.monotonic()
        self.run_tool(*TRAIN, "auto")  # no second wait: the verdict is kept
        self.assertLess(time.monotonic() - begin, 60)


if __name__ == "__main__":
    main()
