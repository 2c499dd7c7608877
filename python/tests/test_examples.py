# SPDX-License-Identifier: MIT
"""The programs of examples/kernels/ run to their end, say nothing on stderr, and find their results right."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from networks import DEVICES

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples" / "kernels"
SIZES = {
    "average": 100_000,
    "branchy": 100_000,
    "histogram": 100_000,
    "lennard_jones": 1000,
    "mandelbrot": 120,
    "monte_carlo_pi": 100_000,
    "stencil": 5000,
    "tiled_product": 50,
}


def said(name, device, folder, *more):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(FOLDER / f"{name}.py"), device, str(SIZES[name]), *more]
    run = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0 and not run.stderr, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert lines[-1] == "right"
    return lines


def test_every_example_has_a_test():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted([*SIZES, "atoms", "timing"])
    assert sorted(path.stem for path in FOLDER.glob("*.cpp")) == sorted(SIZES)


@pytest.mark.parametrize("name", SIZES)
def test_on_the_cpu(name, tmp_path):
    lines = said(name, "cpu", tmp_path)
    assert any(re.match(r"cpu +\d", line) for line in lines)
    assert not list(tmp_path.iterdir())  # nothing is written that was not asked for


def test_a_picture(tmp_path):
    said("mandelbrot", "cpu", tmp_path, "set.png")
    assert (tmp_path / "set.png").read_bytes().startswith(b"\x89PNG")


def test_energy_over_many_steps(tmp_path):
    lines = said("lennard_jones", "cpu", tmp_path, "1000")
    assert any(re.search(r"drift [0-9.]+e-0[5-9]$", line) for line in lines)


@pytest.mark.skipif("opencl:0" not in DEVICES, reason="there is no OpenCL device")
@pytest.mark.parametrize("name", ["histogram", "branchy"])
def test_on_opencl(name, tmp_path):
    lines = said(name, "opencl:0", tmp_path)
    assert any(re.match(r"cpu +\d", line) for line in lines)
    assert any(re.match(r"opencl:0 .* with the copies$", line) for line in lines)
