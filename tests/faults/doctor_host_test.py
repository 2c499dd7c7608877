# SPDX-License-Identifier: MIT
"""Faults of the computer under the devices, and the finding of "overtake doctor" that each must have: docs/doctor.md lists
them."""
import os
import pathlib

from doctor import REAL, DoctorTest
from fault import main, skip_unless
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

    def test_little_memory_may_be_locked(self):
        self.told("locked-memory-low", *self.cpu, cure="ulimit -l", limits={"MEMLOCK": 65536})

    def test_a_healthy_cpu_has_none_of_them(self):
        found = self.findings(*self.cpu)
        for name in ("cache-unwritable", "cache-full", "cache-damaged", "driver-fails", "wrong-results"):
            self.assertNotIn(name, found)
        self.assertEqual(self.code, 0)


if __name__ == "__main__":
    main()
