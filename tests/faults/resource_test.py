# SPDX-License-Identifier: MIT
"""No threads, no memory, no temporary folder, no cache: one error with its cure, or the work is done all the same."""
import json
import os
import unittest

from fault import FOREST, IRIS, MIB, NETWORK, SANITIZED, FaultTest, main

# A stack of a thread that no address space has room for: every start of a thread is refused. Also for root, whom the
# limit of processes does not bind.
NO_THREADS = {"STACK": 4096 * MIB, "AS": 3072 * MIB}
DEVICE = 4
CPU = ("--target", "species", "--device", "cpu", "--threads")


@unittest.skipIf(SANITIZED, "sanitizers reserve more address space than these limits leave")
class Threads(FaultTest):
    cure = ("refuses more", "--threads 1", "ulimit -u")

    def commands(self, threads):
        d = self.iris(100)
        forest = (*CPU, threads, "--estimator", "random-forest")
        return (("train", d, *forest, "--n-estimators", "20", "--save", "n"),
                ("search", d, *forest, "--grid", "n_estimators=5,10", "--grid", "max_bins=8,16"),
                ("train", d, *CPU, threads, "--epochs", "2"),
                ("predict", "m", d, "--apply", "--threads", threads, "--out", "p.csv"))

    def setUp(self):
        super().setUp()
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "50", "--save", "m")

    def test_refused_threads_are_an_error_with_its_cure(self):
        for command in self.commands("4"):
            with self.subTest(command=command):
                self.refused(DEVICE, *command, limits=NO_THREADS, says=self.cure)

    def test_the_limit_of_processes(self):
        user = self.ordinary_user()
        command = self.commands("4")[0]
        self.refused(DEVICE, *command, limits={"NPROC": 1}, user=user, says=self.cure)
        self.run_tool(*self.commands("1")[0], limits={"NPROC": 1}, user=user)

    def test_the_cure_cures(self):
        for command in self.commands("1"):
            with self.subTest(command=command):
                self.run_tool(*command, limits=NO_THREADS)

    def test_drivers_that_need_threads_are_left_alone(self):
        out, _ = self.run_tool("devices", "--no-measure", limits=NO_THREADS)
        self.assertIn("cpu", out)
        self.refused(DEVICE, "train", IRIS, "--target", "species", "--epochs", "1", "--device", "opencl", limits=NO_THREADS, says=("opencl",))


@unittest.skipIf(SANITIZED, "sanitizers reserve more address space than these limits leave")
class Memory(FaultTest):
    def least(self):
        """MiB of address space with which the tool starts: what its libraries take."""
        for limit in range(32, 4096, 2):
            process = self.begin("--version", limits={"AS": limit * MIB})
            process.communicate(timeout=60)
            if process.returncode == 0:
                return limit
        self.fail("it does not start at all")

    def test_whatever_is_refused_is_one_error(self):
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "50", "--save", "m")
        d = self.iris(250)
        commands = (("train", d, *FOREST, "--n-estimators", "100", "--save", "n"),
                    ("train", d, *FOREST[:-1], "2", "--n-estimators", "100", "--save", "n"),
                    ("train", IRIS, *CPU, "1", "--hidden", "2000,1000", "--epochs", "1", "--save", "n"),
                    ("train", d, *CPU, "1", "--epochs", "1", "--save", "n"),
                    ("train", d, *CPU, "2", "--epochs", "1", "--save", "n"),
                    ("search", d, *FOREST, "--grid", "max_bins=8,16,32", "--save", "n"),
                    ("predict", "m", d, "--apply", "--threads", "2", "--out", "n"),
                    ("describe", d))
        start = self.least()
        for command in commands:
            refusals = 0
            for more in (2, 4, 6, 9, 16, 40):
                with self.subTest(command=command, more=more):
                    process = self.begin(*command, limits={"AS": (start + more) * MIB})
                    out, err = process.communicate(timeout=60)
                    self.assertIn(process.returncode, (0, DEVICE), f"{out}\n{err}")
                    refusals += process.returncode == DEVICE
                    (self.work / "n").unlink(missing_ok=True) if process.returncode == 0 else None
                    if process.returncode == DEVICE:
                        self.assertEqual(err.count("error: "), 1, err)
                        self.assertIn("\nhint: ", err)
                    self.assertEqual(sorted(os.listdir(self.work)), ["d.csv", "m"])
            self.assertGreater(refusals, 0, f"{command} was never short of memory")

    def test_no_command_ends_by_a_signal(self):
        """Measuring and libraries throw where memory is short, some out of the C library, which must have its unwinder by then."""
        environment = {"OVERTAKE_CACHE_DIR": str(self.folder / "cache")}
        start = self.least()
        named = {"AS": 0, "DATA": 0}
        for kind, limits in (("AS", range(start + 24, start + 52, 2)), ("DATA", range(6, 46, 3))):
            for limit in limits:
                for command in (("devices",), ("doctor", "--no-measure"), ("train", IRIS, *CPU, "2", "--epochs", "1")):
                    with self.subTest(command=command, kind=kind, limit=limit):
                        process = self.begin(*command, limits={kind: limit * MIB}, environment=environment)
                        out, err = process.communicate(timeout=60)
                        self.assertIn(process.returncode, (0, 1, DEVICE), f"{out}\n{err}")
                        self.assertLessEqual(err.count("error: "), 1, err)
                        flag = "ulimit -v" if kind == "AS" else "ulimit -d"
                        self.assertNotIn("the computer has", err)
                        if "memory is exhausted" in err:
                            self.assertIn(f"memory is exhausted under a limit of this process, {flag} {limit * 1024}\nhint: Raise the limit: {flag} unlimited", err)
                            named[kind] += 1
        self.assertGreater(min(named.values()), 0, named)

    def test_the_doctor_tells_a_limit_of_memory(self):
        """A page where one can be printed, and the limit among its findings."""
        environment = {"OVERTAKE_CACHE_DIR": str(self.folder / "cache")}
        for kind, flag, limits in (("AS", "ulimit -v", range(self.least() + 20, self.least() + 44, 3)), ("DATA", "ulimit -d", (20, 25, 30))):
            for limit in limits:
                with self.subTest(kind=kind, limit=limit):
                    out, _ = self.run_tool("doctor", "--no-measure", "--json", expect=1, limits={kind: limit * MIB}, environment=environment)
                    (tight,) = [finding for finding in json.loads(out)["findings"] if finding["id"] == "tight-limits"]
                    self.assertIn(flag, tight["cause"] + tight["evidence"])
                    self.assertIn(f"{flag} unlimited", tight["cure"])

    def test_a_stack_that_libraries_overflow_is_one_error(self):
        self.run_tool("train", IRIS, *FOREST, "--save", "m")
        bare = {name: None for name in os.environ if not name.startswith("LD_")}  # variables lie on the stack, where the system's loader fails, too
        for command in (("--help",), ("devices",), ("doctor",), ("search", IRIS, *FOREST, "--grid", "max_bins=8,16"), ("train", IRIS, *FOREST), ("predict", "m", IRIS), ("cache",)):
            with self.subTest(command=command):
                self.refused(DEVICE, *command, limits={"STACK": 16 * 1024}, environment=bare, says=("ulimit -s 8192",))


class Files(FaultTest):
    """Few files may be open, or none may grow."""

    def commands(self):
        return (("devices", "--no-measure"), ("doctor", "--device", "cpu", "--no-measure"), ("train", IRIS, *NETWORK, "--epochs", "1"),
                ("search", IRIS, *FOREST, "--grid", "max_bins=8,16", "--journal", "j"), ("predict", "m", IRIS, "--out", "p.csv"), ("show", "k"), ("cache",))

    def setUp(self):
        super().setUp()
        self.run_tool("train", IRIS, *FOREST, "--save", "m")
        self.run_tool("search", IRIS, *FOREST, "--grid", "max_bins=8,16", "--journal", "k")

    def test_each_limit_is_one_error_with_its_cure(self):
        for limits, said, cure in (({"NOFILE": 5}, "Too many open files", "ulimit -n"), ({"NOFILE": 8}, "Too many open files", "ulimit -n"), ({"FSIZE": 0}, "File too large", "ulimit -f")):
            for command in self.commands():
                with self.subTest(command=command, limits=limits):
                    process = self.begin(*command, limits=limits, environment={"OVERTAKE_CACHE_DIR": str(self.folder / "cache")})
                    out, err = process.communicate(timeout=60)
                    self.assertIn(process.returncode, (0, 1, 3, DEVICE), f"{out}\n{err}")
                    self.assertEqual(err.count("error: "), int(process.returncode > 1), err)
                    if said in err:
                        self.assertIn(cure, err)

    def test_results_without_a_file_to_write(self):
        self.refused(3, "predict", "m", IRIS, "--out", "p.csv", limits={"NOFILE": 4}, says=("ulimit -n",))
        _, err = self.run_tool("search", IRIS, *FOREST, "--grid", "max_bins=8,16", "--journal", "j", expect=3, limits={"NOFILE": 5})
        self.assertIn("ulimit -n", err)
        self.assertFalse((self.work / "j").exists(), "an empty journal stayed")


class Folders(FaultTest):
    def test_the_temporary_folder_refuses(self):
        for folder in ("/proc", "/nothing/here", "/dev/full"):
            self.run_tool("search", IRIS, *FOREST, "--grid", "max_bins=4,8,16", "--journal", "j", "--report", "r.html",
                          "--save", "m", environment={"TMPDIR": folder, "SQLITE_TMPDIR": folder})
            self.run_tool("show", "j", environment={"TMPDIR": folder, "SQLITE_TMPDIR": folder})
            self.run_tool("predict", "m", IRIS, "--out", "p.csv", environment={"TMPDIR": folder})

    def test_the_cache_refuses(self):
        for folder in ("/proc/cache", "/dev/full"):
            self.run_tool("train", IRIS, *NETWORK, "--epochs", "1", environment={"OVERTAKE_CACHE_DIR": folder, "HOME": folder})


if __name__ == "__main__":
    main()
