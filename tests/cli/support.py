# SPDX-License-Identifier: MIT
"""What every script here needs: the binary, a folder of its own, and a runner that can skip."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BINARY = os.environ["OVERTAKE_BINARY"]
DATASETS = pathlib.Path(os.environ["OVERTAKE_DATASETS"])
IRIS = str(DATASETS / "iris.csv")


class CliTest(unittest.TestCase):
    """Each test runs in an empty folder that is removed afterwards."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *arguments, **options):
        return subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **options)

    def overtake(self, *arguments, expect=0, timeout=300):
        """Runs the tool, checks the exit code, returns (stdout, stderr)."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        self.assertEqual(process.returncode, expect, f"overtake {' '.join(map(str, arguments))}\n{out}\n{err}")
        return out, err

    def fails(self, code, *arguments, says=(), files=None):
        """The tool must end with `code`, say `error:` and every text of `says`, and leave the folder as it was."""
        before = sorted(p.name for p in self.folder.iterdir())
        _, err = self.overtake(*arguments, expect=code)
        self.assertTrue(err.startswith("error: "), err)
        for text in says:
            self.assertIn(text, err)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), before, "something was left behind")
        return err

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


def main():
    program = unittest.main(exit=False)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun > 0 and len(result.skipped) == result.testsRun else 0)
