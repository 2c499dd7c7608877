# SPDX-License-Identifier: MIT
"""What the doctor finds becomes the verdict on a driver, also where an earlier one was another."""
import json

from doctor import DRIVERS, REAL, DoctorTest
from fault import main, skip_unless


class Verdicts(DoctorTest):
    def setUp(self):
        super().setUp()
        shim = DRIVERS / "opencl" / "faulty_icd.so"
        skip_unless(shim.exists(), "this build has no OpenCL backend")
        real = sorted(REAL.glob("*.icd"))
        skip_unless(real, f"no OpenCL driver is installed in {REAL}")
        vendors = self.folder / "vendors"
        vendors.mkdir()
        (vendors / "faulty.icd").write_text(f"{shim}\n")
        self.environment.update(OCL_ICD_VENDORS=str(vendors), OVERTAKE_TEST_ICD=real[0].read_text().strip())
        skip_unless(self.works(), "the driver behind the faults fails its own trial")

    def works(self):
        self.findings("--device", "opencl")
        return self.code == 0

    def is_used(self):
        out, _ = self.run_tool("devices", "--json", "--no-measure")
        return next(d["usable"] for d in json.loads(out)["devices"] if d["id"].startswith("opencl"))

    def test_a_driver_that_was_cured(self):
        self.environment["OVERTAKE_TEST_FAULT"] = "wrong-results"
        self.told("wrong-results", "--device", "opencl", severity="error")
        self.environment["OVERTAKE_TEST_FAULT"] = "none"
        self.assertFalse(self.is_used(), "the verdict was not kept")
        self.assertTrue(self.works())
        self.assertTrue(self.is_used(), "the earlier verdict still counts")

    def test_one_that_could_not_be_started(self):
        self.environment["OVERTAKE_TEST_FAULT"] = "abort-list"  # it listed its devices before: setUp()
        self.told("driver-aborts", "--device", "opencl", severity="error")
        self.environment["OVERTAKE_TEST_FAULT"] = "none"
        self.assertFalse(self.is_used(), "the verdict was not kept")
        self.assertTrue(self.works())
        self.assertTrue(self.is_used(), "the earlier verdict still counts")

    def test_trials_that_are_switched_off_are_made_here(self):
        self.environment.update(OVERTAKE_TEST_FAULT="abort-build", OVERTAKE_TRIAL="off")
        self.told("driver-aborts", "--device", "opencl", severity="error")
        self.assertEqual(self.code, 1, "it ended by itself, and not by the driver's signal")


if __name__ == "__main__":
    main()
