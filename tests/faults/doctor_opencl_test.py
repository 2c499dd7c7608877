# SPDX-License-Identifier: MIT
"""Faults of OpenCL drivers, and the finding of "overtake doctor" that each must have: docs/doctor.md lists them."""
import os
import pwd
import subprocess
import time

from doctor import DRIVERS, REAL, DoctorTest
from fault import BINARY, IRIS, faulty_opencl, main, skip_unless
from machine import Machine

DEVICE = 4


class OpenCl(DoctorTest):
    """The driver that is installed, with a fault in its table of functions: tests/icd/faulty_icd.cpp."""

    def setUp(self):
        super().setUp()
        self.vendors, variables = faulty_opencl(self.folder, DRIVERS, REAL)
        self.environment.update(variables)

    def fault(self, name):
        self.environment["OVERTAKE_TEST_FAULT"] = name

    def must_work_without_a_fault(self):
        """Some real drivers do not, PoCL 7.1 for one."""
        process = self.begin("train", IRIS, "--target", "species", "--epochs", "1", "--device", "opencl:0")
        process.communicate(timeout=240)
        skip_unless(process.returncode != DEVICE, "the OpenCL driver here fails its trial")

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

    def test_a_line_that_ends_in_white_space(self):
        """Loaders take it for a part of the name."""
        name = (self.vendors / "faulty.icd").read_text().strip()
        for end in ("\r\n", " \n"):
            (self.vendors / "faulty.icd").write_bytes(f"{name}{end}".encode())
            self.told("icd-missing-file", "--device", "opencl", severity="error", evidence=f'"{name} "', cure="sed -i")

    def test_a_missing_file_beside_a_driver_that_works(self):
        self.must_work_without_a_fault()
        (self.vendors / "missing.icd").write_text("libmissing.so.1\n")
        self.told("icd-missing-file", "--device", "cpu", "--device", "opencl", severity="warning", evidence="libmissing.so.1")

    def test_a_library_that_a_variable_names_and_that_is_missing(self):
        self.told("icd-missing-file", "--device", "opencl", severity="error", evidence="OCL_ICD_FILENAMES", cure="unset OCL_ICD_FILENAMES",
                  environment={"OCL_ICD_FILENAMES": "/nowhere/libmissing.so", "OCL_ICD_VENDORS": str(self.folder / "none")})
        self.told("icd-missing-file", "--device", "opencl", severity="error", evidence="OCL_ICD_VENDORS", cure="unset OCL_ICD_VENDORS",
                  environment={"OCL_ICD_VENDORS": "libmissing.so"})

    def test_a_named_pipe_in_place_of_a_file(self):
        """Who opens it waits for ever."""
        pipe = self.folder / "pipe.so"
        os.mkfifo(pipe)
        (self.vendors / "faulty.icd").write_text(f"{pipe}\n")
        elsewhere = {"OCL_ICD_FILENAMES": str(pipe), "OCL_ICD_VENDORS": str(self.folder / "none")}
        (self.folder / "libs").mkdir()
        os.mkfifo(self.folder / "libs" / "libpiped.so")
        by_name = {"LD_LIBRARY_PATH": str(self.folder / "libs"), "OCL_ICD_VENDORS": "libpiped.so"}
        (self.folder / "piped").mkdir()
        os.mkfifo(self.folder / "piped" / "driver.icd")
        icd = {"OCL_ICD_VENDORS": str(self.folder / "piped")}
        devices = {"OCL_ICD_VENDORS": "/dev/zero"}
        for variables in ({}, elsewhere, by_name, icd, devices, {"OPENCL_LAYERS": str(pipe), "OCL_ICD_VENDORS": str(REAL)}):
            begin = time.monotonic()
            found = self.told("icd-missing-file", "--device", "opencl", severity="error", environment=variables)
            self.assertLess(time.monotonic() - begin, 30, variables)
            self.assertNotIn("driver-hangs", found)
            self.assertEqual(self.code, 1)

    def test_named_pipes_in_place_of_libraries_that_are_looked_for(self):
        (self.folder / "libs").mkdir()
        for name in ("libOpenCL.so.1", "libcuda.so.1", "libnvrtc.so.13", "libnvidia-ml.so.1"):
            os.mkfifo(self.folder / "libs" / name)
        begin = time.monotonic()
        self.findings(environment={"OVERTAKE_LIBRARY_PATH": str(self.folder / "libs"), "OCL_ICD_VENDORS": str(self.folder / "none")})
        self.assertLess(time.monotonic() - begin, 30)
        (self.folder / "libs" / "libOpenCL.so.1").unlink()  # that one the system's loader opens before the tool begins
        self.told("no-driver", "--device", "cuda", environment={"LD_LIBRARY_PATH": str(self.folder / "libs")})
        self.assertLess(time.monotonic() - begin, 60)

    def test_a_gpu_without_a_driver(self):
        card = {"0000:03:00.0/vendor": "0x1002\n", "0000:03:00.0/class": "0x030000\n"}
        machine = Machine(self.folder).folder("/sys/bus/pci/devices", card)
        (self.vendors / "faulty.icd").unlink()
        self.told("gpu-unused", severity="note", cause="AMD", cure="OpenCL driver", machine=machine)
        self.assertEqual(self.code, 0)

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
        self.must_work_without_a_fault()
        self.fault("no-fp64")
        found = self.told("no-fp64", "--device", "opencl", evidence="cl_khr_fp64")
        self.assertEqual(self.code, 0, f"it works all the same: {found}")

    def test_no_memory(self):
        self.fault("no-memory")
        self.told("no-device-memory", "--device", "opencl", severity="error")

    def test_hidden_devices(self):
        skip_unless("pocl" in self.environment["OVERTAKE_TEST_ICD"], "the OpenCL driver here is not PoCL, which obeys POCL_DEVICES")
        hidden = {"POCL_DEVICES": ""}
        self.told("hidden-devices", severity="warning", evidence='POCL_DEVICES=""', cure="unset POCL_DEVICES;", environment=hidden)
        self.told("hidden-devices", "--device", "opencl", severity="error", environment=hidden)
        self.assertEqual(self.code, 1)

    def test_a_folder_that_pocl_cannot_make(self):
        skip_unless("pocl" in self.environment["OVERTAKE_TEST_ICD"], "the OpenCL driver here is not PoCL")
        nowhere = {"POCL_CACHE_DIR": "/proc/none"}
        found = self.told("driver-cache-unwritable", severity="warning", evidence="/proc/none", cure="POCL_CACHE_DIR", environment=nowhere)
        self.assertNotIn("no-device", found)
        self.told("driver-cache-unwritable", "--device", "opencl", severity="error", environment=nowhere)

    def test_a_folder_that_pocl_may_not_write(self):
        skip_unless("pocl" in self.environment["OVERTAKE_TEST_ICD"], "the OpenCL driver here is not PoCL")
        skip_unless(os.getuid() == 0, "only root can become another user")
        nobody = pwd.getpwnam("nobody").pw_uid
        skip_unless(subprocess.run(["test", "-x", BINARY], user=nobody, check=False).returncode == 0, "the tool lies where other users cannot run it")
        for folder in (self.folder, *self.folder.iterdir()):
            folder.chmod(0o777)
        roots = self.folder / "roots"
        roots.mkdir(mode=0o755)
        found = self.told("driver-cache-unwritable", "--device", "opencl", severity="error", cause=str(roots), cure="POCL_CACHE_DIR", user=nobody,
                          environment={"POCL_CACHE_DIR": str(roots)})
        self.assertNotIn("driver-fails", found)

    def test_without_a_fault_none_is_told(self):
        self.must_work_without_a_fault()
        found = self.findings("--device", "opencl")
        for name in ("no-opencl-icd", "icd-missing-file", "driver-aborts", "driver-hangs", "wrong-results", "no-fp64", "no-device-memory",
                     "driver-fails", "hidden-devices", "cache-unwritable", "cache-full", "cache-damaged", "library-copies"):
            self.assertNotIn(name, found)
        self.assertEqual(self.code, 0)


if __name__ == "__main__":
    main()
