# SPDX-License-Identifier: MIT
"""Faults of NVIDIA's driver, its card and its libraries, made below the loader, and the finding of "overtake doctor" that each
must have: docs/doctor.md lists them."""
import functools
import glob
import json
import os
import shutil
import subprocess

from doctor import DRIVERS, DoctorTest
from fault import main, skip_unless
from machine import Machine

CARD = {"0000:01:00.0/vendor": "0x10de\n", "0000:01:00.0/class": "0x030200\n"}


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
        """NVRTC, cuBLASLt and cuDNN, where this machine has them, hidden."""
        machine = self.machine().search_path("/nowhere")
        for file in {*installed("libnvrtc"), *installed("libcublasLt"), *installed("libcudnn")}:
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

    def test_a_damaged_file(self):
        damaged = self.folder / "damaged"
        damaged.mkdir()
        (damaged / "libcuda.so.1").write_bytes((DRIVERS / "cuda" / "libcuda.so.1").read_bytes()[:100])
        self.environment["LD_LIBRARY_PATH"] = str(damaged)
        found = self.told("driver-unloadable", "--device", "cuda", severity="error", evidence=str(damaged / "libcuda.so.1"), cure="LD_LIBRARY_PATH")
        self.assertNotIn("no-driver", found)

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

    def test_one_card_of_two_is_hidden(self):
        shown = {"CUDA_VISIBLE_DEVICES": "0"}
        self.told("hidden-devices", severity="note", cause="1 of 2", environment=shown, machine=self.machine().devices("nvidia0", "nvidia1"))

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

    def test_cudnn_is_missing(self):
        found = self.told("cudnn-missing", severity="note", cause="convolutions", cure="nvidia-cudnn-cu13", evidence="libcudnn.so.9",
                          machine=self.without_vendor_libraries(),
                          environment={"OVERTAKE_LIBRARY_PATH": folders("nvrtc-13", "cublaslt-13")})
        self.assertNotIn("cublaslt-missing", found)

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


if __name__ == "__main__":
    main()
