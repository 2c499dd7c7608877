# SPDX-License-Identifier: MIT
"""The Python of docs/python-networks.md runs as it stands there, from top to bottom."""

import pathlib
import re

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "python-networks.md"


def test_networks(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    names = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert "finished" in said and "(scale)" not in said and "(first): Linear(in_features=2, out_features=16" in said
    assert names["report"].training.error < 0.1
    assert names["optimizer"].lr == 0.0001
    assert names["seen"].training.error < 0.1
    assert "Conv2d(1, 6, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))" in said
