# SPDX-License-Identifier: MIT
"""``python -m overtake script.py [args]`` and ``python -m overtake -m module [args]``: scikit-learn's scripts, unchanged.

What Overtake has runs here, the rest stays scikit-learn's; a last line on standard error says what ran where and why.
"""

from __future__ import annotations

import os
import runpy
import sys
import types

USAGE = "usage: python -m overtake SCRIPT.py [ARGUMENT...]\n       python -m overtake -m MODULE [ARGUMENT...]"


def main(arguments: list[str]) -> int:
    """Run a script or a module with scikit-learn patched; the exit code of mistakes is 2."""
    as_module = arguments[:1] == ["-m"]
    target = arguments[1:2] if as_module else arguments[:1]
    if target and target[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if not target or target[0].startswith("-"):
        print(f"error: a script is missing\n{USAGE}", file=sys.stderr)
        return 2
    if not as_module and not os.path.exists(target[0]):
        print(f"error: {target[0]} does not exist\nhint: name a script, or a module behind -m", file=sys.stderr)
        return 2
    from .sklearn import patch, summary

    patch()
    sys.argv = arguments[1:] if as_module else arguments
    try:
        if as_module:
            sys.path[0] = os.getcwd()
            runpy.run_module(target[0], run_name="__main__", alter_sys=True)
        else:
            sys.path[0] = os.path.dirname(os.path.abspath(target[0]))
            _run_file(target[0])
    finally:
        sys.stdout.flush()
        print(summary(), file=sys.stderr)
    return 0


def _run_file(path: str) -> None:
    if os.path.isfile(path) or os.path.isdir(path):
        runpy.run_path(path, run_name="__main__")
        return
    # runpy reads a file twice, and a pipe gives its text once.
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    main_module = types.ModuleType("__main__")
    main_module.__file__ = path
    sys.modules["__main__"] = main_module
    exec(code, vars(main_module))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
