#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints how large Overtake is: lines a folder, primitives, kernels, environment variables; fails over the budget.

Lines are those with code on them: blank lines and comment lines do not count.
Usage: tools/size_report.py [ROOT]
"""
import pathlib
import re
import sys

SOURCES = {".cpp", ".hpp", ".c", ".k", ".prelude", ".py", ".sh", ".cmake", ".js", ".css", ".html"}
# What the product may weigh. Raise a number in the change that needs it, and say why there.
# Raised from 24,000 when forests and searches came (11,000 lines with their kernels, reports and tool), and from 42,000 when
# CUDA came to need no toolkit, drivers to be tried first, and forests to need no double precision (3,000 lines).
# To 63,000 when arrays came to hold every type and to know what NumPy's know, with their C interface, and networks what
# PyTorch users reach for first (5,500 lines so far; indexing, DLPack, streams and the profile are still to come).
# By 500 when the doctor came to tell limits of the process from faults of drivers, and to hide names part by part.
# To 68,500 when the CPU came to compile kernels at run time (src/backend/cpu/kernels, fibers) and users to write their own (src/user_kernel).
# By 1,700 when images came to be training data (src/image and its kernel).
# To 76,000 when networks for images came: convolutions and pooling on three backends (oneDNN, cuDNN, the dialect), layers, models,
# training on image sets, and the Python functions that translate and watch kernels of one's own.
# By 400 when trainings on images came to go on after a stop, to run in parts of a batch, and to write a page.
# By 900 when plans and runs of two devices and kept rates came to say what is so, and the tool to work, or to say what is too small, under the limits of a process.
BUDGET = {"lines of src, include and cli": 82000, "environment variables": 8, "lines of the longest file": 500}


def code_lines(path):
    marks = ("#",) if path.suffix in {".py", ".sh", ".cmake"} or path.name == "CMakeLists.txt" else ("//", "*", "/*")
    return sum(1 for line in path.read_text(errors="replace").splitlines() if line.strip() and not line.strip().startswith(marks))


def files_of(folder):
    return [p for p in sorted(folder.rglob("*")) if p.is_file() and (p.suffix in SOURCES or p.name == "CMakeLists.txt")]


def count(pattern, files):
    return len({match for path in files for match in re.findall(pattern, path.read_text(errors="replace"))})


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    folders = ["include", *(f"src/{p.name}" for p in sorted((root / "src").iterdir()) if p.is_dir() and p.name != "backend"),
               *(f"src/backend/{p.name}" for p in sorted((root / "src/backend").iterdir()) if p.is_dir()),
               "cli", "tests", "bench", "examples", "tools", "cmake"]
    print(f"{'folder':<24}{'files':>7}{'lines':>8}{'longest':>9}")
    product = 0
    longest = (0, "")
    for name in folders:
        sized = [(code_lines(path), path) for path in files_of(root / name)]
        if not sized:
            continue
        total = sum(lines for lines, _ in sized)
        lines, path = max(sized)
        print(f"{name:<24}{len(sized):>7}{total:>8}{lines:>9}  {path.relative_to(root)}")
        if name.startswith(("src", "include", "cli")):
            product += total
            longest = max(longest, (lines, str(path.relative_to(root))))

    variables = count(r'(?:variable|folders)\("(OVERTAKE_\w+)"\)', files_of(root / "src/core"))
    figures = {
        "lines of src, include and cli": product,
        "environment variables": variables,
        "lines of the longest file": longest[0],
    }
    print()
    print(f"{'primitives':<32}{count(PRIMITIVE, files_of(root / 'src/graph/primitives')):>8}")
    print(f"{'kernel families':<32}{len(list((root / 'src/kernels').rglob('*.k'))):>8}")
    over = [name for name, value in figures.items() if value > BUDGET[name]]
    for name, value in figures.items():
        print(f"{name:<32}{value:>8} of {BUDGET[name]}{'  OVER BUDGET' if name in over else ''}")
    return 1 if over or product == 0 else 0


# A primitive is a row of the element-wise rules or a class of one of the four kinds.
PRIMITIVE = r"const Rule \w+|class \w+ final : public (?:Elementwise|View|Core|Primitive)\b"

if __name__ == "__main__":
    sys.exit(main())
