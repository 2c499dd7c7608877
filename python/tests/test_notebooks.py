# SPDX-License-Identifier: MIT
"""The notebooks of examples/ run to their end, say nothing on stderr, and show what they promise."""

import base64
import json
import pathlib
import re
import shutil
import sys

import nbclient
import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
pytestmark = pytest.mark.once


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """What runs a notebook with this interpreter. All that Jupyter, IPython and matplotlib write goes to a temporary folder."""
    places = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "MPLCONFIGDIR": "matplotlib",
        "TMPDIR": "tmp",
    }
    for variable, name in places.items():
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    kernel = tmp_path / "data" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": command, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(described))
    specs = KernelSpecManager(kernel_dirs=[str(kernel.parent)])
    # Beside the data, as in the repository.
    examples = tmp_path / "examples"
    examples.mkdir()
    shutil.copytree(ROOT / "datasets", tmp_path / "datasets")

    def run(notebook):
        manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
        resources = {"metadata": {"path": str(examples)}}
        nbclient.NotebookClient(notebook, km=manager, timeout=300, resources=resources).execute()
        return notebook

    return run


def outputs_of(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def complaints(notebook):
    """What a cell says on stderr: warnings, too."""
    return [
        output.text for output in outputs_of(notebook) if output.output_type == "stream" and output.name == "stderr"
    ]


def printed(notebook):
    return "".join(o.text for o in outputs_of(notebook) if o.output_type == "stream" and o.name == "stdout")


def shown(notebook, kind):
    return [output.data[kind] for output in outputs_of(notebook) if kind in output.get("data", {})]


def executed(execute, name):
    notebook = execute(nbformat.read(ROOT / "examples" / name, as_version=4))
    assert not complaints(notebook)
    return notebook


def reports(notebook, title):
    return [text for text in shown(notebook, "text/html") if "<iframe" in text and f"&lt;title&gt;{title}" in text]


def test_every_notebook_has_a_test():
    assert [path.name for path in NOTEBOOKS] == ["disc.ipynb", "iris_grid_search.ipynb", "own_data.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_failures_and_warnings_are_seen(execute):
    def notebook(source):
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])

    with pytest.raises(nbclient.exceptions.CellExecutionError):
        execute(notebook("1 / 0"))
    assert "heard" in "".join(complaints(execute(notebook("import warnings; warnings.warn('heard')"))))


def test_a_search_in_a_notebook_has_a_bar(execute):
    source = (
        "from overtake._calls import Step\nfrom overtake._progress import bar\n"
        "with bar('trees', True) as tell:\n    tell(Step(3, 4, 1.0, 1.0, 0.5, ''))"
    )
    notebook = execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))
    assert not complaints(notebook)
    (line,) = shown(notebook, "text/plain")
    assert "trees" in line and "3/4" in line


def test_iris_grid_search(execute):
    notebook = executed(execute, "iris_grid_search.ipynb")
    (report,) = reports(notebook, "GridSearchCV")
    assert "Best of 72 candidates" in report
    assert reports(notebook, "Overtake race")
    devices = [text for text in shown(notebook, "text/html") if "<th" in text and ">usable</th>" in text]
    assert len(devices) == 1 and ">cpu</td>" in devices[0]
    said = printed(notebook)
    assert "candidates: 72" in said and "'max_depth'" in said
    scores = [float(score) for score in re.findall(r"best score (0\.\d+)", said)]
    assert len(scores) == 2 and min(scores) > 0.9


def test_disc(execute):
    notebook = executed(execute, "disc.ipynb")
    pictures = [base64.b64decode(text) for text in shown(notebook, "image/png")]
    assert len(pictures) == 2 and all(picture.startswith(b"\x89PNG") and len(picture) > 5000 for picture in pictures)
    said = printed(notebook)
    shares = [float(share) for share in re.findall(r"([0-9.]+) % wrong", said)]
    assert len(shares) == 3 and max(shares) < 10
    assert shares[0] == shares[1]  # the same network on another device
    rows = re.findall(r"^ +(\d+) +([\d,]+)(?: +[0-9.]+ s)+$", said, re.MULTILINE)
    assert [int(layers) for layers, _ in rows] == list(range(2, 9))
    assert rows[4][1] == "2,982"


def test_own_data(execute):
    notebook = executed(execute, "own_data.ipynb")
    (report,) = reports(notebook, "GridSearchCV")
    assert "Best of 81 candidates" in report and "neg_log_loss" in report
    pictures = [base64.b64decode(text) for text in shown(notebook, "image/png")]
    assert len(pictures) == 2 and all(picture.startswith(b"\x89PNG") and len(picture) > 5000 for picture in pictures)
    said = printed(notebook)
    for line in ("loaded, the same shares: True", "ONNX, the same answers: True", "ONNX, the same shares:  True"):
        assert line in said
    assert float(re.search(r"accuracy +(0\.\d+|1\.000)", said)[1]) > 0.9
