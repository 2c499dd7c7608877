#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that a file includes, itself or through headers of ours, the header of what it uses of the standard library and
of {fmt}. Their headers include one another as they like, so that a file which compiles with one version may not with the next.

Usage: tools/check_standard_headers.py [ROOT]    (exit 1 and one line per finding)
"""
import functools
import pathlib
import re
import subprocess
import sys

# Header: the names in namespace std that mean it. Names that many headers declare (std::size_t, std::swap) are not here.
NAMES = {
    "algorithm": "sort stable_sort min max minmax clamp copy copy_n fill fill_n find find_if any_of all_of none_of count count_if transform "
    "reverse unique remove_if lower_bound upper_bound equal_range nth_element max_element min_element minmax_element equal "
    "rotate shuffle generate binary_search is_sorted adjacent_find mismatch partition stable_partition for_each",
    "array": "array",
    "atomic": "atomic atomic_flag memory_order_relaxed",
    "bit": "bit_cast popcount countl_zero countr_zero endian bit_width has_single_bit",
    "charconv": "from_chars to_chars",
    "chrono": "chrono",
    "cmath": "sqrt exp log pow floor ceil round isnan isfinite isinf fabs lround llround log2 log10 log1p expm1 ldexp frexp trunc tanh "
    "sin cos fmod nextafter signbit copysign hypot nearbyint ilogb fma",
    "condition_variable": "condition_variable",
    "cstdio": "printf fopen fclose snprintf",
    "cstdlib": "getenv strtod strtoull exit abort",
    "cstring": "memcpy memset memcmp strlen strcmp memmove",
    "exception": "exception_ptr current_exception rethrow_exception",
    "filesystem": "filesystem",
    "fstream": "ifstream ofstream fstream",
    "functional": "function",
    "iterator": "back_inserter istreambuf_iterator make_move_iterator",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared",
    "mutex": "mutex scoped_lock lock_guard unique_lock once_flag",
    "numeric": "accumulate iota partial_sum inner_product exclusive_scan inclusive_scan gcd lcm midpoint",
    "optional": "optional nullopt",
    "random": "mt19937 mt19937_64 random_device uniform_real_distribution uniform_int_distribution normal_distribution",
    "set": "set multiset",
    "span": "span",
    "sstream": "ostringstream istringstream stringstream",
    "thread": "thread this_thread",
    "tuple": "tuple make_tuple",
    "unordered_map": "unordered_map",
    "variant": "variant get_if holds_alternative",
    "vector": "vector",
}
FMT_NAMES = {"fmt/ranges.h": "join", "fmt/chrono.h": "gmtime localtime"}
HEADER_OF = {f"{space}::{name}": header for space, table in (("std", NAMES), ("fmt", FMT_NAMES))
             for header, names in table.items() for name in names.split()}
USE = re.compile(r"\b(?:std|fmt)::\w+")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
PLACES = ("include", "src", "tests", "cli", "bench")


@functools.cache
def text_of(path):
    return path.read_text()


def standard_headers(path, root, seen):
    """What `path` includes in angle brackets, and the headers of this project that it includes."""
    found = set()
    seen.add(path)
    for quote, header in INCLUDE.findall(text_of(path)):
        if quote == "<":
            found.add(header)
            continue
        for folder in (path.parent, *(root / place for place in PLACES)):
            other = (folder / header).resolve()
            if other.is_file():
                if other not in seen:
                    found |= standard_headers(other, root, seen)
                break
    return found


def findings_of(path, root):
    lines = [re.sub(r"//.*", "", line) for line in text_of(path).splitlines()]
    present = standard_headers(path, root, set())
    for number, line in enumerate(lines, 1):
        for name in USE.findall(line):
            header = HEADER_OF.get(name)
            if header is not None and header not in present:
                present.add(header)  # one finding a header
                yield f"{path.relative_to(root)}:{number}: {name} needs <{header}>"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.cpp", "*.hpp"],
                            check=True, capture_output=True, text=True).stdout.split()
    files = [root / name for name in listed if (root / name).is_file()]
    findings = [finding for path in files for finding in findings_of(path, root)]
    print(*findings, f"standard headers: {len(files)} files, {len(findings)} findings", sep="\n")
    return 1 if findings or not files else 0


if __name__ == "__main__":
    sys.exit(main())
