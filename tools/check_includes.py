#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks who includes whom, against tools/include_rules.toml and each module's DEPENDS in its CMakeLists.txt.

Usage: tools/check_includes.py [ROOT]    (exit 1 and one line per finding when a rule is broken)
"""
import pathlib
import re
import sys
import tomllib

SOURCES = {".cpp", ".hpp", ".h", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
# The standard library has no slash and no dot. Of the rest, what ends in .h and is in no table is the system's.
STANDARD = re.compile(r"^[a-z_]+$")


def module_of(path, modules):
    """The longest module name that `path` (relative to src/) lies in."""
    inside = [name for name in modules if path == name or path.startswith(name + "/")]
    return max(inside, key=len, default=None)


def declared_depends(folder):
    """DEPENDS of the folder's overtake_module(), or None where there is none."""
    cmake = folder / "CMakeLists.txt"
    if not cmake.exists():
        return None
    call = re.search(r"overtake_module\(([^)]*)\)", cmake.read_text())
    if call is None:
        return None
    depends = re.search(r"\bDEPENDS\s+(.*?)(?:\bLIBRARIES\b|\bSUBFOLDERS\b|\bWITHOUT\b|$)", call.group(1), re.DOTALL)
    return depends.group(1).split() if depends else []


class Checker:
    def __init__(self, root):
        self.root = root
        with open(pathlib.Path(__file__).with_name("include_rules.toml"), "rb") as file:
            self.rules = tomllib.load(file)
        self.modules = self.rules["modules"]
        self.third_party = self.rules["third_party"]
        self.findings = []
        self.files = 0

    def report(self, path, line, message):
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {message}")

    def check_system(self, path, line, header):
        """`header` is in no list of third parties, and `path` is not free."""
        places = self.rules["system"]["places"]
        if header in self.rules["system"]["standard"]:
            return
        if header not in self.rules["system"]["headers"] and not header.endswith(".h"):
            if not STANDARD.match(header):
                self.report(path, line, f"<{header}> is in no list of tools/include_rules.toml")
        elif not str(path.relative_to(self.root)).startswith(tuple(places)):
            self.report(path, line, f"<{header}> is the operating system's; allowed in: {', '.join(places)}")

    def check_third_party(self, path, line, header, owner):
        """`owner` is a module, a guest folder, "include" or None (free)."""
        known = max((p for p in self.third_party if header.startswith(p)), key=len, default=None)
        if known is None:
            if owner is not None:
                self.check_system(path, line, header)
            return
        if owner == "include":
            self.report(path, line, f"a public header must not include <{header}>")
        elif owner is not None and owner not in (self.third_party[known] or [owner]):
            self.report(path, line, f"{owner} must not include <{header}>; allowed in: {', '.join(self.third_party[known])}")
        if path.suffix in {".hpp", ".h"} and any(header.startswith(p) for p in self.rules["not_in_headers"]["prefixes"]):
            self.report(path, line, f"<{header}> belongs in a .cpp file, not in a header")

    def check_file(self, path, owner, allowed):
        """`allowed`: modules of src/ this file may include, or None for all."""
        self.files += 1
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            quote, header = match.groups()
            if quote == "<":
                self.check_third_party(path, line, header, owner)
            elif header.startswith("overtake/"):
                if not (self.root / "include" / header).exists():
                    self.report(path, line, f'"{header}" does not exist')
            elif (target := module_of(header, self.modules)) is not None:
                if allowed is not None and target not in allowed:
                    self.report(path, line, f'{owner} must not include "{header}" (may: {", ".join(sorted(allowed)) or "nothing"})')
            elif owner in self.modules or owner == "include":
                self.report(path, line, f'"{header}" is neither "overtake/..." nor a path from src/')

    def check_folder(self, folder, owner, allowed):
        for path in sorted(folder.rglob("*")):
            if path.suffix in SOURCES:
                self.check_file(path, owner, allowed)

    def run(self):
        source = self.root / "src"
        for module, table in self.modules.items():
            folder = source / module
            depends = declared_depends(folder)
            for name in depends or []:
                if name not in table:
                    self.report(folder / "CMakeLists.txt", 1, f"{module} must not depend on {name}")
            allowed = {module, *(table if depends is None else depends)}
            for path in sorted(folder.rglob("*")):
                if path.suffix in SOURCES and module_of(str(path.relative_to(source)), self.modules) == module:
                    self.check_file(path, module, allowed)
        for path in sorted(source.rglob("*")):
            if path.suffix in SOURCES and module_of(str(path.relative_to(source)), self.modules) is None:
                self.report(path, 1, "lies in no module of tools/include_rules.toml")
        self.check_folder(self.root / "include", "include", set())
        for guest in self.rules["guests"]["folders"]:
            self.check_folder(self.root / guest, guest, set())
        for free in ("tests", "bench"):
            self.check_folder(self.root / free, None, None)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    checker = Checker(root)
    checker.run()
    for finding in checker.findings:
        print(finding)
    print(f"include rule: {checker.files} files, {len(checker.findings)} findings")
    return 1 if checker.findings or checker.files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
