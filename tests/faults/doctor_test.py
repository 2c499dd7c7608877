# SPDX-License-Identifier: MIT
"""Faults below the loader, and the finding of "overtake doctor" that each must have: docs/doctor.md lists them."""
import functools
import glob
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from fault import SANITIZED, FaultTest, main, skip_unless
from machine import Machine

DRIVERS = pathlib.Path(os.environ["OVERTAKE_TEST_DRIVERS"])
REAL = pathlib.Path(os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors")
CARD = {"0000:01:00.0/vendor": "0x10de\n", "0000:01:00.0/class": "0x030200\n"}
# What a user's own settings may say of libraries and devices.
UNSET = ("CUDA_VISIBLE_DEVICES", "POCL_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_PATH", "CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "OVERTAKE_LIBRARY_PATH",
         "OVERTAKE_VENDOR_LIBRARIES", "OVERTAKE_THREADS", "OVERTAKE_TRIAL", "KUBERNETES_SERVICE_HOST")


@functools.cache
def installed(library):
    """Files of the library, of any version, where this machine's loader and Overtake look."""
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False).stdout
    found = [line.split(" => ")[1] for line in listing.splitlines() if line.strip().startswith(library + ".so")]
    for pattern in ("/usr/local/cuda*/lib64", "/opt/cuda*/lib64", "/usr/local/lib", "/usr/lib", "/opt/conda/lib",
                    "/usr/local/lib/python3*/*-packages/nvidia/*/lib", "/usr/lib/python3*/*-packages/nvidia/*/lib",
                    "/opt/conda/lib/python3*/site-packages/nvidia/*/lib"):
        found += glob.glob(f"{pattern}/{library}.so*")
    return tuple(sorted(set(found)))


def folders(*names):
    return ":".join(str(DRIVERS / name) for name in names)


@unittest.skipIf(SANITIZED, "the library under the drivers reports their faults as its own")
class DoctorTest(FaultTest):
    """self.environment holds what the tool is run with; a cache of its own for each test, but for PoCL's, which would compile
    each kernel for half a minute anew."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pocl = tempfile.TemporaryDirectory()
        cls.addClassCleanup(pocl.cleanup)
        cls.pocl = pocl.name

    def setUp(self):
        super().setUp()
        self.cache = self.folder / "cache"
        for name in ("cache", "home"):
            (self.folder / name).mkdir()
        self.environment = {name: None for name in UNSET}
        self.environment.update(OVERTAKE_CACHE_DIR=str(self.cache), POCL_CACHE_DIR=self.pocl, HOME=str(self.folder / "home"),
                                OCL_ICD_VENDORS=str(self.folder / "no-drivers"), OVERTAKE_TEST_FAULT="none")

    def begin(self, *arguments, environment=None, **how):
        return super().begin(*arguments, environment={**self.environment, **(environment or {})}, **how)

    def findings(self, *arguments, **how):
        """{id: findings} of the doctor; self.code is its exit code."""
        process = self.begin("doctor", *arguments, "--no-measure", "--json", **how)
        out, err = process.communicate(timeout=240)
        self.code = process.returncode
        self.assertIn(self.code, (0, 1), f"{out}\n{err}")
        found = {}
        for finding in json.loads(out)["findings"]:
            found.setdefault(finding["id"], []).append(finding)
        return found

    def told(self, name, *arguments, severity=None, cause="", evidence="", cure="", **how):
        """The fault must be told as the finding `name`, with these words in what is wrong, what was seen and what cures it."""
        found = self.findings(*arguments, **how)
        self.assertIn(name, found, f"it says {sorted(found)}")
        for finding in found[name]:
            for part in ("cause", "evidence", "cure"):
                self.assertTrue(finding[part], f"{name} has no {part}")
        fits = [f for f in found[name] if cause in f["cause"] and evidence in f["evidence"] and cure in f["cure"]]
        self.assertTrue(fits, found[name])
        if severity:
            self.assertEqual(fits[0]["severity"], severity, fits[0])
        return found

    def not_told(self, name, *arguments, **how):
        self.assertNotIn(name, self.findings(*arguments, **how))


class Cuda(DoctorTest):
    """A driver and a card that are not there: tests/icd/fake_cuda.cpp."""

    def setUp(self):
        super().setUp()
        skip_unless((DRIVERS / "cuda" / "libcuda.so.1").exists(), "this build makes no such driver")
        self.environment.update(LD_LIBRARY_PATH=folders("cuda"), OVERTAKE_LIBRARY_PATH=folders("nvrtc-13", "cublaslt-13"))
        out, _ = self.run_tool("devices", "--json", "--no-measure", environment={"OVERTAKE_TRIAL": "off"})
        cuda = next(d for d in json.loads(out)["devices"] if d["id"].startswith("cuda"))
        skip_unless(cuda["name"] == "Card of a test", "this build has no CUDA backend")

    def fault(self, name):
        self.environment["OVERTAKE_TEST_FAULT"] = name

    def machine(self):
        """Not a container, and without a trace of an NVIDIA card."""
        machine = Machine(self.folder).without(".dockerenv", ".singularity.d").devices().folder("/run").folder("/sys/bus/pci/devices")
        return machine.folder("/proc/driver")

    def without_vendor_libraries(self):
        """NVRTC and cuBLASLt, where this machine has them, hidden."""
        machine = self.machine().search_path("/nowhere")
        for file in {*installed("libnvrtc"), *installed("libcublasLt")}:
            places = {os.path.dirname(file), os.path.dirname(os.path.realpath(file))}
            for place in places:
                skip_unless("cuda" in place or "nvidia" in place, f"{file} lies among the system's own libraries")
                if place not in machine.hidden:
                    machine.hidden.add(place)
                    machine.folder(place)
        return machine

    def test_no_driver(self):
        skip_unless(not installed("libcuda"), "this machine has an NVIDIA driver")
        self.environment["LD_LIBRARY_PATH"] = None
        self.told("no-driver", severity="note", evidence="libcuda.so.1")
        self.assertEqual(self.code, 0, "a machine without a GPU is healthy")
        self.told("no-driver", "--device", "cuda", severity="error")
        self.assertEqual(self.code, 1)
        self.environment["LD_LIBRARY_PATH"] = folders("cuda")
        self.not_told("no-driver", "--device", "cuda")

    def test_a_card_without_a_driver(self):
        skip_unless(not installed("libcuda"), "this machine has an NVIDIA driver")
        self.environment["LD_LIBRARY_PATH"] = None
        machine = self.machine().folder("/sys/bus/pci/devices", CARD)
        self.told("no-driver", severity="warning", cure="install the NVIDIA driver", machine=machine)

    def test_a_driver_that_lacks_functions(self):
        self.environment["LD_LIBRARY_PATH"] = folders("old-cuda")
        self.told("driver-too-old", "--device", "cuda", severity="error", cure="525")
        self.assertEqual(self.code, 1)

    def test_a_driver_of_an_old_version(self):
        self.fault("version-11040")
        self.told("driver-too-old", "--device", "cuda", severity="error", cure="525", evidence="11.4")

    def test_a_stub(self):
        self.fault("init-34")
        self.told("stub-driver", "--device", "cuda", severity="error", cure="stubs")

    def test_the_toolkits_own_stub(self):
        stubs = [p for p in ("/usr/local/cuda/lib64/stubs/libcuda.so", "/usr/local/cuda/lib/stubs/libcuda.so") if os.path.exists(p)]
        skip_unless(stubs, "no CUDA toolkit is installed")
        (self.folder / "stubs").mkdir()
        (self.folder / "stubs" / "libcuda.so.1").symlink_to(stubs[0])
        self.environment["LD_LIBRARY_PATH"] = str(self.folder / "stubs")
        self.told("stub-driver", "--device", "cuda", severity="error", cure="stubs")

    def test_no_device_node(self):
        self.fault("init-100")
        self.told("missing-device-node", "--device", "cuda", cure="nvidia-modprobe", machine=self.machine())

    def test_no_node_of_unified_memory(self):
        self.fault("init-999")
        machine = self.machine().devices("nvidia0", "nvidiactl")
        self.told("missing-device-node", "--device", "cuda", cure="modprobe nvidia_uvm", machine=machine)

    def test_with_all_nodes_it_is_something_else(self):
        self.fault("init-999")
        machine = self.machine().devices("nvidia0", "nvidiactl", "nvidia-uvm")
        found = self.told("driver-fails", "--device", "cuda", machine=machine)
        self.assertNotIn("missing-device-node", found)

    def test_hidden_devices(self):
        for value in ("", "-1"):
            found = self.told("hidden-devices", "--device", "cuda", cure="CUDA_VISIBLE_DEVICES", evidence=f'"{value}"',
                              environment={"CUDA_VISIBLE_DEVICES": value})
            self.assertNotIn("missing-device-node", found)
        self.not_told("hidden-devices", "--device", "cuda", environment={"CUDA_VISIBLE_DEVICES": "0"})

    def test_two_copies_of_a_library(self):
        (self.folder / "copy").mkdir()
        shutil.copy(DRIVERS / "cuda" / "libcuda.so.1", self.folder / "copy")
        both = f"{folders('cuda')}:{self.folder / 'copy'}"
        self.told("library-copies", "--device", "cuda", severity="warning", cause=folders("cuda"), evidence=str(self.folder / "copy"),
                  environment={"LD_LIBRARY_PATH": both})
        if not installed("libcuda") and not installed("libnvrtc") and not installed("libcublasLt"):
            self.not_told("library-copies", "--device", "cuda")

    def test_cublaslt_is_missing(self):
        machine = self.without_vendor_libraries()
        found = self.told("cublaslt-missing", severity="warning", cure="nvidia-cublas", machine=machine,
                          environment={"OVERTAKE_LIBRARY_PATH": folders("nvrtc-13")})
        self.assertNotIn("nvrtc-missing", found)
        self.assertNotIn("library-version", found)

    def test_nvrtc_is_missing(self):
        machine = self.without_vendor_libraries()
        found = self.told("nvrtc-missing", "--device", "cuda", cure="nvidia-cuda-nvrtc", machine=machine,
                          environment={"OVERTAKE_LIBRARY_PATH": folders("cublaslt-13")})
        self.assertNotIn("cublaslt-missing", found)

    def test_a_library_of_another_major_version(self):
        self.fault("version-12080")
        machine = self.without_vendor_libraries()
        found = self.told("library-version", "--device", "cuda", evidence="libnvrtc.so.13", machine=machine,
                          environment={"OVERTAKE_LIBRARY_PATH": folders("nvrtc-13", "cublaslt-12")})
        self.assertNotIn("nvrtc-missing", found)
        found = self.findings("--device", "cuda", machine=machine,
                              environment={"OVERTAKE_LIBRARY_PATH": folders("nvrtc-12", "cublaslt-12")})
        self.assertNotIn("library-version", found)

    def test_one_that_aborts(self):
        self.fault("abort-cuda")
        self.told("driver-aborts", "--device", "cuda", severity="error", evidence="SIGABRT")

    def test_one_that_hangs(self):
        self.fault("hang-cuda")
        self.told("driver-hangs", "--device", "cuda", severity="error", environment={"OVERTAKE_TRIAL_SECONDS": "2"})

    def test_one_that_computes_wrongly(self):
        """Kernels that do nothing leave wrong numbers."""
        self.told("wrong-results", "--device", "cuda", severity="error")

    def test_no_memory(self):
        self.fault("no-memory")
        found = self.told("no-device-memory", "--device", "cuda", severity="error")
        self.assertNotIn("wrong-results", found)

    def test_an_old_card(self):
        self.fault("old-card")
        self.told("device-old", "--device", "cuda", severity="error", cause="6.1")

    def test_a_container_without_its_gpu(self):
        self.fault("init-100")
        machine = self.machine().folder("/run", {".containerenv": ""})
        found = self.told("container-without-gpu", "--device", "cuda", cure="--gpus all", machine=machine)
        self.assertNotIn("missing-device-node", found)

    def test_a_container_without_driver_on_a_host_with_a_card(self):
        skip_unless(not installed("libcuda"), "this machine has an NVIDIA driver")
        machine = self.machine().folder("/run", {".containerenv": ""}).folder("/sys/bus/pci/devices", CARD)
        found = self.told("container-without-gpu", cure="--gpus all", machine=machine, environment={"LD_LIBRARY_PATH": None})
        self.assertNotIn("no-driver", found)


class OpenCl(DoctorTest):
    """The driver that is installed, with a fault in its table of functions: tests/icd/faulty_icd.cpp."""

    def setUp(self):
        super().setUp()
        shim = DRIVERS / "opencl" / "faulty_icd.so"
        skip_unless(shim.exists(), "this build has no OpenCL backend")
        real = sorted(REAL.glob("*.icd"))
        skip_unless(real, f"no OpenCL driver is installed in {REAL}")
        self.vendors = self.folder / "vendors"
        self.vendors.mkdir()
        (self.vendors / "faulty.icd").write_text(f"{shim}\n")
        self.environment.update(OCL_ICD_VENDORS=str(self.vendors), OVERTAKE_TEST_ICD=real[0].read_text().strip())

    def fault(self, name):
        self.environment["OVERTAKE_TEST_FAULT"] = name

    def test_no_driver(self):
        (self.vendors / "faulty.icd").unlink()
        self.told("no-opencl-icd", severity="note", cure="pocl-opencl-icd")
        self.assertEqual(self.code, 0, "a machine without OpenCL is healthy")
        self.told("no-opencl-icd", "--device", "opencl", severity="error")
        self.assertEqual(self.code, 1)

    def test_a_driver_whose_file_is_missing(self):
        (self.vendors / "faulty.icd").write_text("/nowhere/libmissing.so\n")
        found = self.told("icd-missing-file", "--device", "opencl", severity="error", evidence="/nowhere/libmissing.so", cure="faulty.icd")
        self.assertNotIn("no-opencl-icd", found)

    def test_a_missing_file_beside_a_driver_that_works(self):
        (self.vendors / "missing.icd").write_text("libmissing.so.1\n")
        self.told("icd-missing-file", "--device", "cpu", "--device", "opencl", severity="warning", evidence="libmissing.so.1")

    def test_one_that_aborts_while_it_compiles(self):
        self.fault("abort-build")
        self.told("driver-aborts", "--device", "opencl", severity="error")
        self.assertEqual(self.code, 1)

    def test_one_that_aborts_when_devices_are_listed(self):
        self.fault("abort-list")
        self.told("driver-aborts", "--device", "opencl", severity="error", evidence="SIGABRT")

    def test_one_that_hangs(self):
        self.fault("hang-build")
        self.told("driver-hangs", "--device", "opencl", severity="error", environment={"OVERTAKE_TRIAL_SECONDS": "3"})

    def test_one_that_computes_wrongly(self):
        self.fault("wrong-results")
        self.told("wrong-results", "--device", "opencl", severity="error")

    def test_no_double_precision(self):
        self.fault("no-fp64")
        self.told("no-fp64", "--device", "opencl", evidence="cl_khr_fp64")
        self.assertEqual(self.code, 0, "it works all the same")

    def test_no_memory(self):
        self.fault("no-memory")
        self.told("no-device-memory", "--device", "opencl", severity="error")

    def test_hidden_devices(self):
        skip_unless("pocl" in self.environment["OVERTAKE_TEST_ICD"], "the OpenCL driver here is not PoCL, which obeys POCL_DEVICES")
        hidden = {"POCL_DEVICES": ""}
        self.told("hidden-devices", severity="warning", evidence='POCL_DEVICES=""', cure="POCL_DEVICES", environment=hidden)
        self.told("hidden-devices", "--device", "opencl", severity="error", environment=hidden)
        self.assertEqual(self.code, 1)

    def test_without_a_fault_none_is_told(self):
        found = self.findings("--device", "opencl")
        for name in ("no-opencl-icd", "icd-missing-file", "driver-aborts", "driver-hangs", "wrong-results", "no-fp64", "no-device-memory",
                     "driver-fails", "hidden-devices", "cache-unwritable", "cache-full", "cache-damaged", "library-copies"):
            self.assertNotIn(name, found)
        self.assertEqual(self.code, 0)


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
