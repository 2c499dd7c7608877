# SPDX-License-Identifier: MIT
"""overtake doctor on the machine that the tests run on: its page, its files, its exit codes."""
import getpass
import json
import os
import pathlib
import re
import resource
import signal
import socket
import tempfile
import time

from support import CliTest, main

CPU = ("doctor", "--device", "cpu", "--no-measure")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


class Doctor(CliTest):
    def diagnosis(self, *arguments, **how):
        out, _ = self.overtake("doctor", *arguments, "--json", **how)
        return json.loads(out)

    def test_page_of_the_cpu(self):
        out, _ = self.overtake(*CPU)
        for text in ("cpu: ", "checks ", "compiler ", "machine\n", "findings", "healthy: cpu computes rightly"):
            self.assertIn(text, out)
        self.assertNotIn("opencl", out.split("libraries")[0])

    def test_small_stacks_end_nothing(self):
        for kib in (64, 100):
            def limited(size=kib << 10):
                resource.setrlimit(resource.RLIMIT_STACK, (size, size))
            for command in (("doctor", "--device", "cpu", "--no-measure"), ("doctor",), ("devices",)):
                process = self.start(*command, preexec_fn=limited)
                out, err = process.communicate(timeout=300)
                self.assertIn(process.returncode, (0, 1), f"{kib} KiB, {command}\n{out}\n{err}")
                self.assertIn("cpu", out)

    def test_json_says_what_was_done(self):
        found = self.diagnosis("--device", "cpu")
        self.assertEqual(found["schema"], "overtake.doctor/1")
        self.assertTrue(found["healthy"])
        self.assertEqual(found["unmet"], [])
        (cpu,) = found["devices"]
        self.assertTrue(cpu["works"])
        self.assertIn("matrix products", [check["name"] for check in cpu["checks"]])
        self.assertEqual({check["trouble"] for check in cpu["checks"]}, {None})
        rates = {rate["name"]: rate for rate in cpu["rates"]["precisions"]}
        self.assertGreater(rates["fp32"]["measured_gflops"], 0)
        self.assertGreater(cpu["rates"]["copy_gbs"], 0)
        self.assertGreaterEqual(found["host"]["hardware_threads"], found["host"]["usable_cores"])
        paths = [library["path"] for library in found["libraries"]]
        self.assertTrue(any("libovertake.so" in path for path in paths), paths)
        for path in paths:
            self.assertEqual(path, str(pathlib.Path(path).resolve()))

    def test_without_measuring_there_are_no_rates(self):
        found = self.diagnosis("--device", "cpu", "--no-measure")
        self.assertEqual(found["devices"][0]["rates"]["precisions"], [])

    def test_rates_of_a_device_with_kernels(self):
        found = self.diagnosis("--no-measure")
        working = [d for d in found["devices"] if d["works"] and d["backend"] != "cpu"]
        if not working:
            self.skipTest("no device compiles kernels here")
        device = self.diagnosis("--device", working[0]["id"])["devices"][0]
        for name in ("launch_microseconds", "upload_gbs", "download_gbs", "copy_gbs"):
            self.assertGreater(device["rates"][name], 0, name)
        rates = {rate["name"]: rate["measured_gflops"] for rate in device["rates"]["precisions"]}
        self.assertGreater(rates["fp32"], 0)
        if device["double_precision"]:
            self.assertGreater(rates["fp64"], 0)
        for row in ("driver_limit", "runtime", "compiler"):
            self.assertTrue(device[row], row)

    def test_every_backend_is_looked_at(self):
        found = self.diagnosis("--no-measure")
        self.assertEqual({device["backend"] for device in found["devices"]}, {"cpu", "cuda", "opencl"})
        for device in found["devices"]:
            about = [f for f in found["findings"] if f["device"] in (device["id"], device["backend"])]
            self.assertTrue(device["works"] or about, device)

    def test_a_device_that_was_asked_for_and_is_not_there(self):
        out, _ = self.overtake("doctor", "--device", "cuda:99", "--device", "cpu", "--no-measure", "--json", expect=1)
        found = json.loads(out)
        self.assertEqual(found["unmet"], ["cuda:99"])
        self.assertFalse(found["healthy"])
        self.assertIn("error", {f["severity"] for f in found["findings"] if f["device"].startswith("cuda")})

    def test_files(self):
        self.overtake(*CPU, "--html", "d.html", "--bundle", "d.txt", "--json", "d.json")
        page = (self.folder / "d.html").read_text()
        self.assertIn("cpu: checks", page)
        self.assertNotRegex(page, r"(src|href)=\"https?:")
        self.assertIn("overtake.doctor/1", (self.folder / "d.json").read_text())
        self.assertIn("environment\n", (self.folder / "d.txt").read_text())

    def test_a_bundle_names_nobody(self):
        home = self.folder / "home" / "jane-doe"
        (home / "cache").mkdir(parents=True)
        variables = {"HOME": str(home), "USER": "jane-doe", "LOGNAME": "jane-doe", "OVERTAKE_CACHE_DIR": f"{home}/cache",
                     "LD_LIBRARY_PATH": "/home/erika/lib", "HOSTNAME": "secret-host",
                     "CUDA_VISIBLE_DEVICES": "GPU-01234567-89ab-cdef-0123-456789abcdef,secret-host"}
        self.overtake_with(variables, *CPU, "--bundle", "d.txt")
        text = (self.folder / "d.txt").read_text()
        self.assertIn("LD_LIBRARY_PATH=/home/USER/lib", text)
        self.assertIn("CUDA_VISIBLE_DEVICES=UUID,HOST", text)
        for name in ("jane-doe", "erika", "secret-host", "01234567-89ab", socket.gethostname()):
            self.assertIsNone(re.search(rf"\b{re.escape(name)}\b", text), name)
        if getpass.getuser() != "root":
            self.assertNotRegex(text, rf"\b{re.escape(getpass.getuser())}\b")

    def overtake_with(self, variables, *arguments, expect=0, timeout=300):
        process = self.start(*arguments, env={**os.environ, **variables})
        self.addCleanup(process.kill)
        out, err = process.communicate(timeout=timeout)
        self.assertEqual(process.returncode, expect, err)
        return out

    def ids_with(self, variables, **how):
        found = json.loads(self.overtake_with(variables, *CPU, "--json", **how))
        return {finding["id"]: finding for finding in found["findings"]}

    def test_cache_that_is_off_damaged_or_no_folder(self):
        self.assertIn("cache-off", self.ids_with({"OVERTAKE_CACHE_DIR": ""}))
        folder = self.folder / "cache"
        folder.mkdir()
        self.assertNotIn("cache-damaged", self.ids_with({"OVERTAKE_CACHE_DIR": str(folder)}))
        self.write("cache/" + "0" * 32 + ".program", b"OVTKPRG1 cut off")
        self.assertIn("cache-damaged", self.ids_with({"OVERTAKE_CACHE_DIR": str(folder)}))
        self.write("file", "")
        self.assertIn("cache-unwritable", self.ids_with({"OVERTAKE_CACHE_DIR": str(self.folder / "file" / "cache")}))

    def test_what_is_no_file_in_the_cache_is_not_opened(self):
        """Who opens a named pipe waits for ever; a device may act when it is opened."""
        for ending in (".program", ".verdict", ".rates"):
            for name, make in (("pipe", os.mkfifo), ("socket", make_socket),
                               ("device", lambda path: path.symlink_to("/dev/tty")), ("folder", os.mkdir)):
                with tempfile.TemporaryDirectory() as folder:
                    path = pathlib.Path(folder) / ("0123456789abcdef" * 2 + ending)
                    make(path)
                    found = self.ids_with({"OVERTAKE_CACHE_DIR": folder}, timeout=60)["cache-damaged"]
                    self.assertEqual(found["evidence"], str(path), name)
                    self.overtake_with({"OVERTAKE_CACHE_DIR": folder}, "cache", timeout=60)

    def test_more_threads_than_cores(self):
        found = self.ids_with({"OVERTAKE_THREADS": "4096"})
        self.assertEqual(found["fewer-cores"]["severity"], "warning")
        self.assertIn("4096", found["fewer-cores"]["cause"])

    def test_explain(self):
        out, _ = self.overtake("doctor", "--explain", "CUDA error 209")
        self.assertIn("CUDA_ERROR_NO_BINARY_FOR_GPU", out)
        self.assertIn("first check: ", out)
        self.fails(2, "doctor", "--explain", "the weather is bad", says=('nothing is known of "the weather is bad"', "OpenCL"))
        self.fails(2, "doctor", "--explain", "", says=("--explain has no value",))
        self.fails(2, "doctor", "--explain", "KeyError\n" * 50, says=("nothing is known of these 450 bytes",))
        out, _ = self.overtake("doctor", "--explain", "Traceback:\n  line 35\n  clGetPlatformIDs   failed:\nPLATFORM_NOT_FOUND_KHR")
        self.assertTrue(out.startswith("CL_PLATFORM_NOT_FOUND_KHR (-1001)\n"), out)
        self.assertEqual(out.count("first check: "), 1, out)
        out, _ = self.overtake("doctor", "--explain=-5")
        self.assertIn("CL_OUT_OF_RESOURCES", out)

    def test_explain_beside_other_flags(self):
        for flags in (("--device", "cpu"), ("--no-measure",), ("--html", "d.html"), ("--bundle", "d.txt")):
            self.fails(2, "doctor", "--explain", "wsl", *flags, says=(flags[0], "--explain"))
        self.assertEqual(list(self.folder.glob("d.*")), [])
        out, _ = self.overtake("doctor", "--explain", "CUDA error 209", "--json")
        found = json.loads(out)
        self.assertEqual(found["schema"], "overtake.explain/1")
        (one,) = found["explanations"]
        self.assertEqual(set(one), {"error", "meaning", "causes", "first_check", "findings"})
        self.assertIn("CUDA_ERROR_NO_BINARY_FOR_GPU", one["error"])
        out, _ = self.overtake("doctor", "--explain", "CUDA error 209", "--json", "e.json")
        self.assertIn("CUDA_ERROR_NO_BINARY_FOR_GPU", out)
        self.assertEqual(json.loads((self.folder / "e.json").read_text()), found)

    def test_explain_knows_what_the_tool_itself_says(self):
        for message in ("opencl:9: there is no such device", "the computer's memory is exhausted"):
            self.overtake("doctor", "--explain", message)
        found = self.diagnosis("--no-measure")
        for finding in found["findings"]:
            out, _ = self.overtake("doctor", "--explain", finding["id"])
            self.assertTrue(out.startswith(finding["id"] + "\n"), out)

    def test_a_device_is_shown_once(self):
        found = self.diagnosis("--device", "cpu", "--device", "cpu", "--device", "cpu:0", "--no-measure")
        self.assertEqual([device["id"] for device in found["devices"]], ["cpu"])

    def test_a_bundle_shows_no_secret_and_nothing_that_a_terminal_obeys(self):
        variables = {"GPU_TOKEN": "hunter2", "CUDA_SECRET": "hunter2", "OMP_PLACES": "cores\n\x1b[2J", "USER": "overtake", "HOSTNAME": "cpu"}
        self.overtake_with(variables, *CPU, "--bundle", "d.txt")
        text = (self.folder / "d.txt").read_text()
        self.assertNotIn("hunter2", text)
        self.assertIn("  OMP_PLACES=cores\\n\\x1b[2J\n", text)
        self.assertNotIn("\x1b", text)
        self.assertIn('"schema": "overtake.doctor/1"', text)
        self.assertIn('"id": "cpu"', text)

    def test_bad_input(self):
        self.fails(2, "doctor", "--device", "gpu", says=("unknown device 'gpu'",))
        self.fails(2, "doctor", "--device", "null", says=("computes nothing",))
        self.fails(2, "doctor", "--json", "-", "--bundle", "-", says=("only one output",))
        self.fails(3, "doctor", "--html", "no/such/folder/d.html")

    def test_interrupt(self):
        process = self.start("doctor")
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("it was faster than the signal")
        self.assertEqual(process.returncode, 130)
        self.assertEqual(out, "")
        self.assertLess(time.monotonic() - begin, 10)


if __name__ == "__main__":
    main()
