# SPDX-License-Identifier: MIT
"""Faults of the computer under the devices, and the finding of "overtake doctor" that each must have: docs/doctor.md lists
them."""
import os
import pathlib
import pwd
import re
import resource
import subprocess
import sys
import tempfile
import time

from doctor import REAL, DoctorTest
from fault import BINARY, MIB, main, skip_unless
from machine import Machine


class Host(DoctorTest):
    """The computer under the devices; "--device cpu" is quick and must go on."""
    cpu = ("--device", "cpu")

    def test_the_cache_cannot_be_written(self):
        machine = Machine(self.folder).folder(str(self.cache), options="ro")
        self.told("cache-unwritable", *self.cpu, severity="warning", evidence=str(self.cache), cure="OVERTAKE_CACHE_DIR", machine=machine)
        self.assertEqual(self.code, 0)

    def test_the_cache_cannot_be_made(self):
        self.told("cache-unwritable", *self.cpu, environment={"OVERTAKE_CACHE_DIR": "/proc/cache"})

    def test_the_cache_is_full(self):
        machine = Machine(self.folder).folder(str(self.cache), {"other": "x" * 8000}, options="size=16k")
        found = self.told("cache-full", *self.cpu, severity="warning", cure="overtake cache clear", machine=machine)
        self.assertNotIn("cache-unwritable", found)
        self.not_told("cache-full", *self.cpu)

    def test_the_cache_is_damaged(self):
        real = sorted(REAL.glob("*.icd"))
        skip_unless(real, f"no OpenCL driver, whose kernels would be kept, is installed in {REAL}")
        self.environment["OCL_ICD_VENDORS"] = str(REAL)
        self.run_tool("devices", "--no-measure")
        kept = [file for file in self.cache.iterdir() if file.stat().st_size > 0]
        skip_unless(kept, "this build keeps nothing here")
        self.not_told("cache-damaged", *self.cpu)
        for file in kept:
            file.write_bytes(file.read_bytes()[:-7] + b"damaged")
        self.told("cache-damaged", *self.cpu, severity="warning", evidence=str(self.cache), cure="overtake cache clear")

    def test_folders_that_have_the_names_of_files(self):
        digest = "0123456789abcdef" * 2
        for ending in ("program", "verdict", "rates"):
            folder = self.cache / f"{digest}.{ending}"
            folder.mkdir()
            self.told("cache-damaged", *self.cpu, severity="warning", evidence=str(folder), cure=f"rm -r {folder}")
            folder.rmdir()
        self.not_told("cache-damaged", *self.cpu)

    def test_what_killed_runs_left(self):
        folder = self.cache / ("0" * 32 + ".unfinished-aB3dE6")
        file = self.cache / ("1" * 32 + ".unfinished-aB3dE6")

        def leave(hours):
            folder.mkdir(exist_ok=True)
            (folder / "kernel.c").write_text("int x;")
            file.write_text("half a progr")
            for path in (folder, file):
                os.utime(path, (time.time() - hours * 3600,) * 2)

        leave(hours=0)
        out, _ = self.run_tool("cache", "clear")
        self.assertIn("2 unfinished files", out)
        self.assertEqual(list(self.cache.iterdir()), [])
        leave(hours=2)
        self.run_tool("devices", "--no-measure", environment={"OCL_ICD_VENDORS": str(REAL)})  # keeps a verdict, if there is a driver
        if any(self.cache.glob("*.verdict")):
            self.assertFalse(folder.exists() or file.exists())
        leave(hours=0)
        self.run_tool("cache", "clear")

    def test_a_root_without_devices(self):
        machine = Machine(self.folder).folder("/dev")
        self.told("not-tried", *self.cpu, severity="error", evidence="/dev/null: No such file", cure="mknod -m 666 /dev/null", machine=machine)

    def test_more_threads_than_cores(self):
        cores = len(os.sched_getaffinity(0))
        self.told("fewer-cores", *self.cpu, severity="warning", cure="--threads", environment={"OVERTAKE_THREADS": str(cores + 6)})
        self.not_told("fewer-cores", *self.cpu, environment={"OVERTAKE_THREADS": "1"}) if cores == os.cpu_count() else None

    def test_a_quota_of_the_control_group(self):
        files = {"cgroup.controllers": "cpu memory\n", "cpu.max": "50000 100000\n"}
        machine = Machine(self.folder).folder("/sys/fs/cgroup", files)
        groups = pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8")
        skip_unless("0::/" in groups, "this system has no control groups of version 2")
        self.told("fewer-cores", *self.cpu, severity="warning", evidence="quota", machine=machine, environment={"OVERTAKE_THREADS": "4"})

    def test_few_files_may_be_opened(self):
        for files in (5, 8, 11, 14):
            found = self.told("tight-limits", *self.cpu, "--device", "opencl", severity="error", cure="ulimit -n", limits={"NOFILE": files})
            self.assertEqual(len(found["tight-limits"]), 1, found["tight-limits"])
            self.assertEqual(self.code, 1)
            for name in ("not-tried", "icd-fails", "driver-fails", "no-opencl-icd"):
                self.assertNotIn(name, found, files)

    def test_few_processes_may_be_started(self):
        nobody = self.as_nobody()
        for processes in (1, 2):
            found = self.told("tight-limits", severity="error", cure="ulimit -u", user=nobody, limits={"NPROC": processes})
            self.assertEqual(len(found["tight-limits"]), 1, found["tight-limits"])
            self.assertNotIn("driver-fails", found)

    def test_processes_that_just_suffice_for_the_tool(self):
        """Somewhere between the tool and a driver with its threads the limit is met: whoever meets it names it."""
        self.environment["OCL_ICD_VENDORS"] = str(REAL)
        self.environment["POCL_CACHE_DIR"] = str(self.folder / "home")
        nobody, tight = self.as_nobody(), 0
        for processes in range(4, 9):
            begin = time.monotonic()
            found = self.findings("--device", "opencl", user=nobody, limits={"NPROC": processes})
            self.assertLess(time.monotonic() - begin, 30, "a compiler was left to try its fork again and again")
            for name in ("driver-aborts", "driver-hangs", "driver-fails", "not-tried"):
                self.assertNotIn(name, found, processes)
            for finding in found.get("tight-limits", []):
                tight += 1
                self.assertIn("ulimit -u", finding["cure"], processes)
        self.assertGreater(tight, 0)

    def test_processes_that_suffice_for_the_check_and_not_for_a_compiler(self):
        found = self.told("tight-limits", *self.cpu, severity="warning", cure="ulimit -u", user=self.as_nobody(), limits={"NPROC": 5},
                          environment={"OVERTAKE_THREADS": "1"})
        self.assertEqual(self.code, 0, found)

    def test_a_small_stack(self):
        """The program that tries drivers has a larger one, so PoCL compiles there as it does without the limit."""
        real = sorted(REAL.glob("*.icd"))
        skip_unless(real, f"no OpenCL driver is installed in {REAL}")
        self.environment["OCL_ICD_VENDORS"] = str(REAL)
        self.environment["POCL_CACHE_DIR"] = tempfile.mkdtemp(dir=self.folder)  # what is compiled already needs no stack
        errors = self.folder / "errors"
        with errors.open("w") as stream:
            process = self.begin("doctor", "--device", "opencl", "--no-measure", limits={"STACK": 64 * 1024}, stderr=stream)
            beyond_the_first_compile = re.compile("opencl:0: (?!opening it|kernels of programs)")
            self.wait_for(lambda: beyond_the_first_compile.search(errors.read_text()), process, seconds=300)

    def test_a_driver_that_fails_with_a_small_stack(self):
        script = self.folder / "trial.sh"
        script.write_text("#!/bin/sh\necho begin >&3\nkill -SEGV $$\n")
        script.chmod(0o755)
        found = self.told("tight-limits", *self.cpu, severity="error", cure="ulimit -s 8192", limits={"STACK": 100 * 1024},
                          environment={"OVERTAKE_TRIAL_PROGRAM": str(script)})
        self.assertNotIn("driver-aborts", found)

    def test_children_get_the_stack_that_they_may_have(self):
        script, seen = self.folder / "trial.sh", self.folder / "seen"
        script.write_text(f"#!/bin/sh\nulimit -s > {seen}\n")
        script.chmod(0o755)
        process = self.begin("doctor", *self.cpu, environment={"OVERTAKE_TRIAL_PROGRAM": str(script)},
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (100 * 1024, 32 * MIB)))
        process.communicate(timeout=60)
        self.assertEqual(seen.read_text().strip(), "8192")

    def as_nobody(self):
        """Another user than root, who may write to the folders of the test."""
        skip_unless(os.getuid() == 0, "only root can become another user")
        nobody = pwd.getpwnam("nobody").pw_uid
        skip_unless(subprocess.run(["test", "-x", BINARY], user=nobody, check=False).returncode == 0, "the tool lies where other users cannot run it")
        for folder in (self.folder, *self.folder.iterdir()):
            folder.chmod(0o777)
        return nobody

    def test_files_of_the_cache_belong_to_another_user(self):
        kept = self.cache / ("0" * 32 + ".program")
        kept.write_bytes(b"of root")
        kept.chmod(0o600)
        found = self.told("cache-unreadable", *self.cpu, severity="warning", evidence="belongs to the user root", cure="OVERTAKE_CACHE_DIR",
                          user=self.as_nobody())
        self.assertNotIn("cache-damaged", found)

    def test_files_may_not_be_large(self):
        found = self.told("tight-limits", *self.cpu, severity="warning", cure="ulimit -f", limits={"FSIZE": 10240})
        self.assertNotIn("cache-unwritable", found)
        self.assertEqual(self.code, 0)

    def test_little_memory_is_left_to_the_control_group(self):
        files = {"cgroup.controllers": "cpu memory\n", "memory.max": "60000000\n", "memory.current": "1000000\n"}
        machine = Machine(self.folder).folder("/sys/fs/cgroup", files)
        groups = pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8")
        skip_unless("0::/" in groups, "this system has no control groups of version 2")
        self.told("memory-low", *self.cpu, severity="warning", evidence="control group", cure="--memory", machine=machine)

    def test_a_control_group_ends_a_trial_for_want_of_memory(self):
        group = pathlib.Path(f"/sys/fs/cgroup/memory/overtake-{os.getpid()}")
        try:
            group.mkdir()
        except OSError:
            self.skipTest("no control group of version 1 can be made here")
        self.addCleanup(group.rmdir)
        (group / "memory.limit_in_bytes").write_text(str(60 * MIB))
        trial = self.folder / "trial.sh"
        trial.write_text(f"#!/bin/sh\necho begin >&3; echo check copies >&3\nexec {sys.executable} -c \"b'x' * {400 * MIB}\"\n")
        trial.chmod(0o755)
        found = self.told("memory-low", *self.cpu, severity="error", evidence="whose limit is 60 MiB", cure="memory.max",
                          environment={"OVERTAKE_TRIAL_PROGRAM": str(trial)},
                          preexec_fn=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
        self.assertNotIn("driver-fails", found)

    def test_a_system_that_says_nothing(self):
        machine = Machine(self.folder).folder("/proc")
        out, _ = self.run_tool("doctor", *self.cpu, "--no-measure", machine=machine, environment=self.environment)
        self.assertIn("unknown usable", out)
        self.assertNotIn("TiB", out)

    def test_nothing_is_healthy_that_was_not_checked(self):
        for program in ("/nonexistent", "/bin/true"):
            found = self.told("not-tried", severity="error", cure="OVERTAKE_TRIAL_PROGRAM", environment={"OVERTAKE_TRIAL_PROGRAM": program})
            self.assertIn("cpu", [finding["device"] for finding in found["not-tried"]])
            self.assertEqual(self.code, 1)

    def test_little_memory_may_be_locked(self):
        self.told("locked-memory-low", *self.cpu, cure="ulimit -l", limits={"MEMLOCK": 65536})

    def test_a_healthy_cpu_has_none_of_them(self):
        found = self.findings(*self.cpu)
        for name in ("cache-unwritable", "cache-full", "cache-damaged", "driver-fails", "wrong-results"):
            self.assertNotIn(name, found)
        self.assertEqual(self.code, 0)


if __name__ == "__main__":
    main()
