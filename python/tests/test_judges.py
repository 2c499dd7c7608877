# SPDX-License-Identifier: MIT
"""scikit-learn's own tests of forests and searches, from the installed package, against Overtake's classes."""

import os
import pathlib
import subprocess
import sys

import pytest
import sklearn

JUDGES = pathlib.Path(__file__).parent / "judges"
pytestmark = pytest.mark.once


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9), reason="the list of failures is that of 1.9"
)
@pytest.mark.parametrize("tests", ["sklearn.ensemble.tests.test_forest", "sklearn.model_selection.tests.test_search"])
def test_scikit_learn_judges(tests, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(JUDGES), *sys.path])}
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "patched",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore",
            "--pyargs",
            tests,
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:]
    assert " passed" in run.stdout.splitlines()[-1] and " xfailed" in run.stdout.splitlines()[-1]
