#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every kernel program that a device without double precision is given compiles where `double` is refused.

clang compiles the texts as OpenCL C 1.2 for a device without cl_khr_fp64. Lowered kernels are those of
tests/golden/kernels, forests are compiled in all their variants.
"""
import itertools
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNELS = ROOT / "src" / "kernels"
CLANG = shutil.which("clang")
COMMAND = ["-x", "cl", "-cl-std=CL1.2", "--target=spir64", "-Xclang", "-finclude-default-header",
           "-Xclang", "-cl-ext=-cl_khr_fp64", "-w", "-fsyntax-only", "-"]


def kernel_text(name):
    return (KERNELS / f"{name}.k").read_text()


def complaints(defines, text):
    """What the compiler says against a program; nothing when it takes it."""
    source = (KERNELS / "dialect" / "opencl.prelude").read_text()
    source += "".join(f"#define {define}\n" for define in defines) + text
    done = subprocess.run([CLANG, *COMMAND], input=source, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr


def joined_text(program):
    """The parts of a program, in the order in which src/kernels/CMakeLists.txt joins them; of others their file."""
    name = program.rsplit("/", 1)[-1]  # records name the file that a joined text is called after
    joined = re.search(rf"overtake_join_kernels\(\s*{name}\s([^)]*)\)", (KERNELS / "CMakeLists.txt").read_text())
    return "".join(kernel_text(part) for part in joined[1].split()) if joined else kernel_text(program)


def forest_text():
    return joined_text("forest")


def forest_variants(soft):
    for classify, small, width in itertools.product((0, 1), (0, 1), ("char", "short")):
        yield [f"CLASSIFY {classify}", f"SMALL {small}", f"BIN unsigned {width}", f"SOFT_REAL {soft}"]


def lowered_programs():
    """The recorded kernels, each with the files that its record names put back."""
    for path in sorted((ROOT / "tests" / "golden" / "kernels").glob("*.txt")):
        for number, section in enumerate(re.split(r"(?m)^== .*\n", path.read_text())[1:]):
            lines = []
            for line in section.splitlines():
                if line.startswith("= "):
                    break
                part = re.fullmatch(r"\.\.\. src/kernels/([\w/]+)\.k \.\.\.", line)
                lines.append(joined_text(part.group(1)) if part else "" if line.startswith("argument:") else line)
            yield f"{path.name} kernel {number}", "\n".join(lines)


class NoDouble(unittest.TestCase):
    def test_the_compiler_refuses_double(self):
        for defines in forest_variants(soft=0):
            self.assertIn("cl_khr_fp64", complaints(defines, forest_text()), defines)

    def test_forests_from_whole_numbers(self):
        for defines in forest_variants(soft=1):
            self.assertEqual("", complaints(defines, forest_text()), defines)

    def test_complete_programs(self):
        for name in ("self_test", "peak"):  # the interpreted kernels are CUDA's alone, whose devices all have it
            self.assertEqual("", complaints([], joined_text(name)), name)

    def test_lowered_programs(self):
        programs = list(lowered_programs())
        self.assertGreater(len(programs), 5)
        for name, text in programs:
            self.assertIn("KERNEL", text, name)
            self.assertEqual("", complaints([], text), name)

    def test_double_is_named_where_it_may_be(self):
        for path in KERNELS.rglob("*.k"):
            name = str(path.relative_to(KERNELS))
            if name not in ("forest/real.k", "self_test.k", "peak_double.k", "graph/elements.k", "graph/interpreted.k"):
                code = re.sub(r"//.*", "", path.read_text())
                self.assertNotRegex(code, r"\bdouble\b", name)


if __name__ == "__main__":
    if CLANG is None:
        print("skipped: clang is not installed")
        sys.exit(77)
    unittest.main()
