"""The examples of a guide run one after the other."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "backups",
        "full-batch",
        "sequences",
        "sharing",
        "tables",
        "distribution",
        "surgery",
        "tuning",
        "weighting",
        "your-own-files",
    ],
)
def test_guide_runs(name, tmp_path, monkeypatch, capsys):
    text = (DOCS / f"{name}.md").read_text()
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "guide"}
    for block in BLOCK.findall(text):
        exec(compile(block, f"{name}.md", "exec"), names)
    # What the guide shows as output is what it prints.
    printed = capsys.readouterr().out
    for shown in re.findall(r"^```text\n(.*?)^```", text, re.S | re.M):
        assert shown in printed
