# SPDX-License-Identifier: MIT
"""Makes the wheel: the package, and a build of the library and the tool beside it (PEP 517; pip install ./python, ./dev wheel).

The wheel serves every Python from 3.10 on, because nothing in it is compiled against Python. Its tag is that of this machine;
tools/wheel.sh makes it one for all of them. OVERTAKE_STAGE names an installed tree to take the library from; without it,
build/release is brought up to date and used.
"""

import base64
import contextlib
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import zipfile

import tomllib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent
NATIVE = "overtake/_native"
# Found in the installed tree -> in the package.
PARTS = {
    "lib/libovertake.so.0": "lib/libovertake.so.0",
    "libexec/overtake-trial": "libexec/overtake-trial",
    "bin/overtake": "bin/overtake",
}
# What tools/wheel.sh adds: OpenCL's loader, which the library opens by its name, and what is linked to it.
OPTIONAL = ("lib/libOpenCL.so.1", "lib/libdnnl-overtake.so.2")
TAG = "py3-none-linux_x86_64"
# The tool, from wherever the package is; the package itself, which needs NumPy, is not imported.
TOOL = """#!python
import importlib.util
import os
import sys

(folder,) = importlib.util.find_spec("overtake").submodule_search_locations
sys.path.insert(0, folder)
from _vendor import tell_vendor_libraries

tell_vendor_libraries(folder)
tool = os.path.join(folder, "_native", "bin", "overtake")
os.execv(tool, ["overtake", *sys.argv[1:]])
"""


def version() -> str:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.search(r"^project\(overtake VERSION ([0-9.]+)", text, re.MULTILINE)[1]


def metadata() -> str:
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version()}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in project["dependencies"]),
    ]
    for extra, needs in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {needed}; extra == "{extra}"' for needed in needs]
    text = (HERE / project["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", text])


@contextlib.contextmanager
def installed_tree():
    """The folder that the library was installed into."""
    if given := os.environ.get("OVERTAKE_STAGE"):
        yield pathlib.Path(given)
        return
    build = ROOT / "build" / "release"
    with tempfile.TemporaryDirectory() as stage:
        for command in (
            ["cmake", "--preset", "release"],
            ["cmake", "--build", build, "--target", "overtake", "overtake_cli", "overtake_trial"],
            ["cmake", "--install", build, "--prefix", stage, "--strip"],
        ):
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        yield pathlib.Path(stage)


class Wheel:
    """A zip file that notes what is in it."""

    def __init__(self, path: pathlib.Path) -> None:
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.record = []

    def add(self, name: str, content: bytes, mode: int = 0o644) -> None:
        entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # one time, so that equal files make equal wheels
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(entry, content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        self.record.append(f"{name},sha256={digest},{len(content)}")

    def close(self, record: str) -> None:
        self.add(record, "\n".join([*self.record, f"{record},,", ""]).encode())
        self.zip.close()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Write the wheel into a folder; its name is returned."""
    base = f"overtake_ml-{version()}"
    name = f"{base}-{TAG}.whl"
    with installed_tree() as stage:
        wheel = Wheel(pathlib.Path(wheel_directory) / name)
        source = HERE / "src"
        for file in sorted(source.rglob("*")):
            if file.suffix == ".py" or file.name == "py.typed":
                wheel.add(str(file.relative_to(source)), file.read_bytes())
        for theirs, ours in PARTS.items():
            wheel.add(f"{NATIVE}/{ours}", (stage / theirs).read_bytes(), 0o755)
        for part in OPTIONAL:
            if (stage / part).exists():
                wheel.add(f"{NATIVE}/{part}", (stage / part).read_bytes(), 0o755)
        for licence in sorted((stage / "share/doc/overtake").rglob("licences/*")):
            wheel.add(f"{base}.dist-info/licenses/{licence.name}", licence.read_bytes())
        wheel.add(f"{base}.dist-info/licenses/LICENSE", (ROOT / "LICENSE").read_bytes())
        wheel.add(f"{base}.data/scripts/overtake", TOOL.encode(), 0o755)
        wheel.add(f"{base}.dist-info/METADATA", metadata().encode())
        tags = f"Wheel-Version: 1.0\nGenerator: overtake\nRoot-Is-Purelib: false\nTag: {TAG}\n"
        wheel.add(f"{base}.dist-info/WHEEL", tags.encode())
        wheel.close(f"{base}.dist-info/RECORD")
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit("error: the sources of Overtake are its repository\nhint: git clone it, then pip install ./python")
