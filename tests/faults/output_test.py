# SPDX-License-Identifier: MIT
"""Outputs that cannot be written: streams that are closed or full, limits, full disks, folders, pipes, sockets."""
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import time

from fault import BINARY, FOREST, IRIS, NETWORK, FaultTest, main, skip_unless


class Streams(FaultTest):
    def test_standard_output_is_full(self):
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "3", "--save", "m")
        for arguments in (("--version",), ("--help",), ("search", "--help"), ("devices", "--no-measure"), ("describe", IRIS),
                          ("predict", "m", IRIS), ("predict", "m", IRIS, "--out", "p.csv"),
                          ("train", IRIS, *FOREST, "--n-estimators", "3", "--save", "n")):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                expected = "p.csv" in arguments  # it was written before that was to be said
                before = self.files()
                _, err = self.run_tool(*arguments, expect=3, stdout=full)
                self.assertIn("standard output: No space left", err)
                self.assertEqual(err.count("error: "), 1, err)
                self.assertEqual(set(self.files()) - set(before), {"p.csv"} if expected else set())

    def test_standard_error_is_full(self):
        with open("/dev/full", "w") as full:
            out, _ = self.run_tool("describe", IRIS, stderr=full)
            self.assertIn("species", out)
            self.run_tool("--bogus", expect=2, stderr=full)
            self.run_tool("describe", "nothing.csv", expect=3, stderr=full)
            self.run_tool("train", IRIS, *NETWORK, "--device", "opencl:99", expect=2, stderr=full)
            self.run_tool("describe", IRIS, expect=3, stdout=full, stderr=full)

    def shell(self, line):
        """A line of sh, where "overtake" is the tool; returns exit code and standard error."""
        done = subprocess.run(["sh", "-c", line.replace("overtake", f'"{BINARY}"')], cwd=self.work, capture_output=True,
                              text=True, timeout=60)
        return done.returncode, done.stderr

    def test_streams_are_closed(self):
        self.iris(1)
        self.assertEqual(self.shell("overtake --bogus 2>&-")[0], 2)
        self.assertEqual(self.shell("overtake describe nothing.csv 2>&-")[0], 3)
        self.assertEqual(self.shell("overtake describe d.csv >&- 2>&- <&-")[0], 3)
        self.assertEqual(self.shell("overtake describe d.csv > o <&- 2>&-")[0], 0)
        for arguments in ("--version", "--help", "describe d.csv", "devices --no-measure"):
            code, err = self.shell(f"overtake {arguments} >&-")
            self.assertEqual(code, 3, err)
            self.assertIn("standard output", err)

    def test_files_do_not_get_the_numbers_of_closed_streams(self):
        self.iris(1)
        train = "overtake train d.csv --target species --estimator random-forest --n-estimators 3"
        self.assertEqual(self.shell(f"{train} --save m > /dev/null")[0], 0)
        self.assertEqual(self.shell(f"{train} --save n > o <&- 2>&-")[0], 0)
        self.assertEqual((self.work / "n").read_bytes(), (self.work / "m").read_bytes())

    def test_a_stream_that_does_not_block(self):
        """A shell, ssh or another program of the pipeline may have set it so: a full pipe is waited for."""
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "50", "--save", "m")
        self.iris(10)
        for arguments in (("search", "--help"), ("predict", "m", "d.csv", "--apply")):
            expected, _ = self.run_tool(*arguments)
            reader, writer = os.pipe()
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
            self.assertGreater(len(expected), 4096)
            os.set_blocking(writer, False)
            process = self.begin(*arguments, stdout=writer)
            os.close(writer)
            time.sleep(0.3)
            with open(reader) as stream:
                self.assertEqual(stream.read(), expected)
            self.assertEqual(process.wait(timeout=60), 0, process.stderr.read())

    def test_a_reader_that_leaves(self):
        self.iris(100)
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "50", "--save", "m")
        before = self.files()
        process = self.begin("predict", "m", "d.csv", "--apply")
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        self.assertEqual(process.wait(timeout=60), 3, err)
        self.assertIn("reader closed it", err)
        self.assertEqual(self.files(), before)


class Files(FaultTest):
    def setUp(self):
        super().setUp()
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "50", "--save", "m")

    def test_the_limit_of_file_sizes(self):
        self.iris(20)
        self.put("old.csv", "old")
        limits = {"FSIZE": 4000}
        for name in ("new.csv", "old.csv"):
            self.refused(3, "predict", "m", "d.csv", "--apply", "--out", name, limits=limits, says=("File too large", "ulimit -f"))
        self.refused(3, "train", IRIS, *FOREST, "--n-estimators", "50", "--save", "n", limits=limits, says=("n: File too large",))
        self.refused(3, "train", IRIS, *NETWORK, "--epochs", "3", "--checkpoint", "c", limits={"FSIZE": 500}, says=("File too large",))
        with open(self.folder / "o.csv", "w") as target:
            self.refused(3, "predict", "m", "d.csv", "--apply", stdout=target, limits=limits, says=("standard output: File too large", "ulimit -f"))
        with open(self.folder / "o.txt", "w") as target:
            self.refused(3, "search", "--help", stdout=target, limits={"FSIZE": 1024}, says=("standard output: File too large", "ulimit -f"))

    def test_the_limit_of_file_sizes_and_a_journal(self):
        _, err = self.run_tool("search", IRIS, *FOREST, "--grid", "n_estimators=2,3,4", "--journal", "j", expect=3,
                               limits={"FSIZE": 4096})
        self.assertEqual(err.count("error: "), 1, err)
        self.assertIn("hint: ", err)
        self.assertNotIn("bug in Overtake", err)
        for size in (1, 2, 4, 20):  # KiB, as a shell counts; what could not begin leaves nothing
            before = self.files()
            _, err = self.run_tool("search", IRIS, *FOREST, "--grid", "n_estimators=2,3,4", "--journal", f"j{size}", expect=3,
                                   limits={"FSIZE": size * 1024})
            self.assertIn("File too large", err)
            self.assertIn("ulimit -f unlimited", err)
            self.assertEqual(self.files(), before)

    def test_a_full_device(self):
        for flags in (("predict", "m", IRIS, "--out", "/dev/full"), ("describe", IRIS, "--json", "/dev/full"),
                      ("search", IRIS, *FOREST, "--grid", "n_estimators=2", "--report", "/dev/full"),
                      ("train", IRIS, *NETWORK, "--epochs", "1", "--save", "/dev/full")):
            self.refused(3, *flags, says=("cannot write /dev/full: No space left",))

    def test_folders_that_refuse(self):
        (self.work / "folder").mkdir()
        self.put("file", "text")
        for name, says in (("folder", "it is a folder"), ("file/x", "Not a directory"), ("none/x", "No such file"),
                           ("/proc/x", "cannot write /proc/x"), ("n" * 256, "too long"), ("", "no file name")):
            for flags in (("predict", "m", IRIS, "--out", name), ("train", IRIS, *NETWORK, "--epochs", "1", "--save", name)):
                with self.subTest(flags=flags):
                    self.refused(2 if not name else 3, *flags, says=(says,))

    def test_what_permissions_refuse_is_known_before_the_work(self):
        user = self.ordinary_user()
        self.iris(1)
        (self.work / "locked").mkdir(mode=0o555)
        self.put("protected", "old")
        (self.work / "protected").chmod(0o444)
        for name, says in (("locked/m", "Permission denied"), ("protected", "write-protected")):
            self.refused(3, "train", "d.csv", *NETWORK, "--epochs", "1000000", "--save", name, user=user, says=(says,))

    def test_files_of_others_where_only_owners_replace_them(self):
        user = self.ordinary_user()
        skip_unless(user is not None, "only root can make files of somebody else")
        self.iris(1)
        sticky = self.work / "sticky"
        sticky.mkdir()
        sticky.chmod(0o1777)
        (sticky / "m").write_text("old")
        (sticky / "m").chmod(0o666)
        self.refused(3, "train", "d.csv", *NETWORK, "--epochs", "1000000", "--save", "sticky/m", user=user, says=("only owners",))
        self.run_tool("train", "d.csv", *NETWORK, "--epochs", "1", "--save", "sticky/n", user=user)
        self.run_tool("train", "d.csv", *NETWORK, "--epochs", "1", "--save", "sticky/n", user=user)

    def test_links_permissions_and_left_overs(self):
        """What a link points at is written; permissions stay; what killed processes left goes, whatever its number."""
        (self.work / "sub").mkdir()
        target = self.work / "sub" / "p.csv"
        target.write_text("old")
        target.chmod(0o600)
        (self.work / "link").symlink_to("sub/p.csv")
        dead = subprocess.Popen(["true"])
        dead.wait()
        for i in range(110):
            (self.work / "sub" / f"p.csv.{dead.pid}-{i}.tmp").write_text("half")
        self.run_tool("predict", "m", IRIS, "--out", "link")
        self.assertTrue((self.work / "link").is_symlink())
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o600)
        self.assertEqual(os.listdir(self.work / "sub"), ["p.csv"])
        self.assertEqual(len(target.read_text().splitlines()), 151)

    def test_a_full_disk(self):
        """On a file system of 64 kB in a name space of its own: the old file stays, nothing else does."""
        self.mounted("tmpfs -o size=64k", "No space left")

    def test_a_file_system_without_unnamed_files(self):
        skip_unless(shutil.which("unshare"), "no unshare")
        script = ('mount -t ramfs none mnt && cp old mnt/p.csv && "$0" predict m d.csv --out mnt/p.csv && ls mnt && '
                  'cmp mnt/p.csv mnt/p.csv && head -1 mnt/p.csv')
        done = self.in_name_space(script)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("\np.csv\nspecies\n", done.stdout)

    def in_name_space(self, script):
        self.iris(20)
        self.put("old", "old")
        (self.work / "mnt").mkdir()
        probe = subprocess.run(["unshare", "-m", "true"], capture_output=True)
        skip_unless(probe.returncode == 0, "mounting needs root")
        return subprocess.run(["unshare", "-m", "sh", "-c", script, BINARY], cwd=self.work, capture_output=True, text=True,
                              timeout=60)

    def mounted(self, kind, says):
        skip_unless(shutil.which("unshare"), "no unshare")
        done = self.in_name_space(f'mount -t {kind} none mnt && cp old mnt/p.csv && "$0" predict m d.csv --apply --out mnt/p.csv; '
                                  'echo "exit $?"; ls mnt; cat mnt/p.csv')
        self.assertEqual(done.stdout, "exit 3\np.csv\nold", done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stderr.count("error: "), 1)


class Pipes(FaultTest):
    def setUp(self):
        super().setUp()
        self.run_tool("train", IRIS, *FOREST, "--n-estimators", "3", "--save", "m")
        os.mkfifo(self.work / "pipe")

    def test_pipes_without_a_reader_end_in_an_error(self):
        """Side by side, as each waits for its ten seconds."""
        begin = time.monotonic()
        commands = (("predict", "m", IRIS, "--out", "pipe"), ("train", IRIS, *NETWORK, "--epochs", "1", "--save", "pipe"),
                    ("search", IRIS, *FOREST, "--grid", "n_estimators=2", "--report", "pipe"),
                    ("describe", IRIS, "--json", "pipe"))
        processes = [self.begin(*command) for command in commands]
        for process in processes:
            _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 3, err)
            self.assertIn("pipe that no program reads", err)
        self.assertGreater(time.monotonic() - begin, 9)

    def test_a_reader_that_comes_later_gets_everything_at_once(self):
        process = self.begin("predict", "m", IRIS, "--out", "pipe")
        time.sleep(0.5)
        self.assertEqual(len((self.work / "pipe").read_text().splitlines()), 151)
        self.assertEqual(process.wait(timeout=60), 0)

    def test_data_through_a_pipe_and_results_to_another_one_after_the_other(self):
        os.mkfifo(self.work / "data")
        process = self.begin("predict", "m", "data", "--out", "pipe")
        (self.work / "data").write_bytes(pathlib.Path(IRIS).read_bytes())
        self.assertEqual(len((self.work / "pipe").read_text().splitlines()), 151)
        self.assertEqual(process.wait(timeout=60), 0)

    def test_what_cannot_be_a_pipe(self):
        self.refused(3, "predict", "pipe", IRIS, says=("no regular file",))
        self.refused(3, "show", "pipe", says=("pipe",))
        self.refused(2, "train", IRIS, *NETWORK, "--checkpoint", "pipe", says=("expected a file",))
        self.refused(2, "search", IRIS, *FOREST, "--grid", "n_estimators=2", "--journal", "pipe", says=("expected a file",))
        self.refused(3, "train", IRIS, *FOREST, "--more-trees", "pipe", "--save", "n", says=("pipe",))

    def test_sockets(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        here = os.getcwd()
        os.chdir(self.work)  # names of sockets are short
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        self.refused(3, "train", IRIS, *NETWORK, "--epochs", "1000000", "--save", "socket", says=("it is a socket",))
        self.refused(3, "describe", "socket", says=("socket",))
        self.refused(3, "predict", "socket", IRIS, says=("socket",))

    def test_waiting_for_a_pipe_can_be_ended(self):
        process = self.begin("describe", "pipe")  # whose writer may come in an hour
        time.sleep(0.3)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=10), -signal.SIGINT)


if __name__ == "__main__":
    main()
