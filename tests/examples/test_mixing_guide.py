"""The examples of the guide to mixtures run one after the other."""

import re
from pathlib import Path

import image_files
import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "mixing-data-sets.md"


@pytest.mark.slow
def test_guide_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    image_files.write_mnist(tmp_path / "datasets" / "mnist.npz")
    image_files.write_fashion_mnist(tmp_path / "datasets" / "fashion-mnist")
    text = GUIDE.read_text()
    names = {"__name__": "guide"}
    for block in re.findall(r"^```python\n(.*?)^```", text, re.S | re.M):
        exec(compile(block, GUIDE.name, "exec"), names)
    printed = capsys.readouterr().out
    for shown in re.findall(r"^```text\n(.*?)^```", text, re.S | re.M):
        assert shown in printed
