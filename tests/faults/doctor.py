# SPDX-License-Identifier: MIT
"""The doctor under a fault: its findings, and what every one of them must say."""
import json
import os
import pathlib
import tempfile
import unittest

from fault import SANITIZED, FaultTest

DRIVERS = pathlib.Path(os.environ["OVERTAKE_TEST_DRIVERS"])
REAL = pathlib.Path(os.environ.get("OCL_ICD_VENDORS") or "/etc/OpenCL/vendors")
# What a user's own settings may say of libraries and devices.
UNSET = ("CUDA_VISIBLE_DEVICES", "POCL_DEVICES", "ROCR_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "CUDA_PATH", "CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "OVERTAKE_LIBRARY_PATH",
         "OVERTAKE_VENDOR_LIBRARIES", "OVERTAKE_THREADS", "OVERTAKE_TRIAL", "KUBERNETES_SERVICE_HOST")


@unittest.skipIf(SANITIZED, "the library under the drivers reports their faults as its own")
class DoctorTest(FaultTest):
    """self.environment holds what the tool is run with; a cache of its own for each test, but for PoCL's, which would compile
    all kernels for a minute anew."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pocl = os.environ.get("POCL_CACHE_DIR")
        if not cls.pocl:
            folder = tempfile.TemporaryDirectory()
            cls.addClassCleanup(folder.cleanup)
            cls.pocl = folder.name

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
        out, err = process.communicate(timeout=480)
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
