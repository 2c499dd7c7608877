#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the rules of CONTRIBUTING.md that can be seen in the text of one file.

Usage: tools/check_text.py [ROOT]    (exit 1 and one line per finding when a rule is broken)
"""
import pathlib
import re
import subprocess
import sys

CPP = {".cpp", ".hpp", ".h", ".cu", ".cuh"}
KERNELS = {".cl", ".k", ".cu", ".cuh", ".inc"}
LIBRARY = ("src/", "include/")

# (name, where, but not where, pattern, what to do): sought in the code, comments and string literals taken out.
RULES = [
    ("getenv", ("src/", "include/", "cli/"), ("src/core/config.",), r"\b(secure_)?getenv\s*\(", "read it in src/core/config.*"),
    ("prints", LIBRARY, (), r"(?<![\w])(printf|fprintf|vprintf|puts|fputs|putchar)\s*\(|\bstd::c(out|err|log)\b|\bfmt::print\b",
     "the library never prints: return text or call the observer"),
    ("exits", LIBRARY, (), r"(?<![\w.>:])(std::)?(exit|abort|_exit|quick_exit|terminate)\s*\(", "the library never exits: throw"),
    ("new", ("src/", "include/", "cli/", "examples/"), (), r"\bnew\s+[A-Za-z_:(]|\bdelete\s+[A-Za-z_*]|\bdelete\s*\[",
     "use std::make_unique or a container"),
    ("using namespace", ("src/", "include/", "cli/", "examples/"), (), r"\busing\s+namespace\s+(?!std::(string_view_|chrono_)?literals)",
     "name what you use"),
    ("json", ("src/", "cli/"), (), r"\b[Jj]son::(parse|accept)\s*\((?!\s*shallow_json\()", "bound the depth: Json::parse(shallow_json(text), ...)"),
    # What standard headers of POSIX systems declare beside the standard; their own headers are tools/check_includes.py's.
    ("system", ("src/", "include/", "cli/"), ("src/platform/posix/", "src/platform/linux/", "cli/system."),
     r"(?<![\w.>])(mkstemp|mkdtemp|setenv|unsetenv|realpath|popen|fileno|fdopen|strptime(_l)?|strtod_l|localtime_r|gmtime_r|timegm|sigaction)\s*\(",
     "ask src/platform"),
    ("library", ("src/", "include/", "cli/"), ("src/kernels/",), r"\bstd::(ranges::\w+|jthread|stop_token|format(_to)?)\b",
     "not in libc++ 14: use the algorithm with iterators, ThreadGroup (core/threads.hpp), fmt::format"),
    ("malloc", ("src/", "include/", "cli/"), ("src/kernels/",), r"(?<![\w.>:])(std::)?(malloc|calloc|realloc)\s*\(",
     "use a container or a unique_ptr with a deleter"),
]
# Vendor words in the kernels, outside the dialect preludes.
VENDOR = re.compile(r"__CUDA_ARCH__|__OPENCL_\w+__|\bget_(global|local|group)_(id|size)\b|\bthreadIdx\b|\bblock(Idx|Dim)\b|\bgridDim\b"
                    r"|__syncthreads|__(global|kernel|local|shared|device|restrict__)\b|\bCLK_\w+|\batomic(Add|_add|CAS|_cmpxchg)\b|__shfl\w*"
                    r"|\bNVRTC|#\s*include\s*<")

# A function of a kernel file: to the brace that closes it, on its one line or alone on the last.
KERNEL_FUNCTION = re.compile(r"^(?:KERNEL|DEVICE)(?:[^\n]*\}$|.*?^\})", re.MULTILINE | re.DOTALL)
MOST_KERNEL_LINES = 80  # C++: clang-tidy counts


def code_only(text):
    """`text` with comments and string literals blanked, line breaks kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    raw = r'R"([^()\\\s]{0,16})\((?:.|\n)*?\)\1"'
    return re.sub(raw + r'|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', blank, text)


def tracked_files(root):
    """What git tracks or would track; every file where there is no git."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                             capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        return sorted(name for name in listing.stdout.split("\0") if name and (root / name).is_file())
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())


def check(name, text, findings):
    suffix = pathlib.PurePath(name).suffix
    is_cpp = suffix in CPP
    in_kernels = name.startswith("src/kernels/") and suffix in KERNELS

    def report(offset, message):
        line = text.count("\n", 0, offset) + 1
        findings.append(f"{name}:{line}: {message}")

    if is_cpp or in_kernels or suffix == ".py":
        if "SPDX-License-Identifier: MIT" not in "".join(text.splitlines(True)[:3]):
            report(0, "the first line must be the SPDX tag")
        if match := re.search(r"[^\x00-\x7f]", text):
            report(match.start(), "not ASCII")
    if is_cpp or in_kernels:
        for match in re.finditer(r"[ \t]+$|\t", text, re.MULTILINE):
            report(match.start(), "tab or trailing space")
    if suffix in {".hpp", ".h"} and not re.search(r"^#pragma once$|HWY_TARGET_INCLUDE|HWY_ONCE", text, re.MULTILINE):
        report(0, "a header needs #pragma once")
    if re.search(r"\b(" + "TO" + "DO|FIX" + "ME|XX" + r"X)\b", text) and suffix != ".json":
        report(re.search(r"\b(" + "TO" + "DO|FIX" + "ME|XX" + r"X)\b", text).start(), "unfinished work")

    if name.startswith("tests/") and is_cpp and (match := re.search(r'"[^"\n]*\[  SKIPPED \]', text)):
        report(match.start(), "ctest would take the whole test for skipped, failures included: use GTEST_SKIP or other words")

    if is_cpp:
        code = code_only(text)
        for rule, where, exempt, pattern, cure in RULES:
            if name.startswith(where) and not (exempt and name.startswith(exempt)):
                for match in re.finditer(pattern, code):
                    report(match.start(), f"{rule}: `{match.group(0).strip()}`; {cure}")
    if in_kernels:
        for match in KERNEL_FUNCTION.finditer(code_only(text)):
            if (lines := match.group(0).count("\n") + 1) > MOST_KERNEL_LINES:
                report(match.start(), f"a function of {lines} lines, {MOST_KERNEL_LINES} at most: split it into DEVICE functions")
    if in_kernels and "/dialect/" not in name:
        for match in VENDOR.finditer(code_only(text)):
            report(match.start(), f"vendor word `{match.group(0)}`: use a dialect macro (src/kernels/dialect)")


def check_links(root, name, text, findings):
    """Documents that are named must exist: docs/... in any text, relative links in Markdown."""
    here = (root / name).parent
    targets = [(m.start(), root / m.group(0)) for m in re.finditer(r"\bdocs/[\w./-]+\.(md|svg|png)\b", text)]
    if name.endswith(".md"):
        text = re.sub(r"```.*?```|`[^`\n]*`", lambda code: re.sub(r"[^\n]", " ", code.group(0)), text, flags=re.DOTALL)
        targets = [(m.start(), here / m.group(1)) for m in re.finditer(r"\]\((?!https?:|#)([^)#\s]+)", text)]
    for offset, target in targets:
        if not target.exists():
            line = text.count("\n", 0, offset) + 1
            findings.append(f"{name}:{line}: {target.name} does not exist")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    findings = []
    files = 0
    for name in tracked_files(root):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        files += 1
        check(name, text, findings)
        check_links(root, name, text, findings)
    for finding in findings:
        print(finding)
    print(f"text rules: {files} files, {len(findings)} findings")
    return 1 if findings or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
