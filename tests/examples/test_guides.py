"""The examples of a guide run one after the other."""

import pytest
from markdown_files import ROOT, code_blocks

import mtl_keras
from mtl_keras.datasets import digit_scenes


def run_guide(path, capsys):
    """Runs the examples; they print the output that the guide shows."""
    text = path.read_text(encoding="utf-8")
    names = {"__name__": "guide"}
    for block in code_blocks(text, "python"):
        exec(compile(block, path.name, "exec"), names)
    printed = capsys.readouterr().out
    for shown in code_blocks(text, "text"):
        assert shown in printed


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "backups",
        "cpu",
        "data-sets",
        "distribution",
        "from-the-texts",
        "full-batch",
        "own-tasks",
        "scope",
        "sequences",
        "sharing",
        "start",
        "surgery",
        "tables",
        "tuning",
        "weighting",
        "your-own-files",
    ],
)
def test_guide_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run_guide(ROOT / "docs" / f"{name}.md", capsys)


@pytest.mark.slow
def test_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    few = digit_scenes.load_data(num_train=64, num_test=8)
    monkeypatch.setattr(
        mtl_keras.datasets.digit_scenes, "load_data", lambda: few
    )
    run_guide(ROOT / "README.md", capsys)


def test_every_guide_with_code_is_run():
    elsewhere = {"from-the-texts.zh", "missing-labels", "mixing-data-sets"}
    (mark,) = (
        mark
        for mark in test_guide_runs.pytestmark
        if mark.name == "parametrize"
    )
    with_code = {
        path.stem
        for path in (ROOT / "docs").glob("*.md")
        if code_blocks(path.read_text(encoding="utf-8"), "python")
    }
    assert with_code - elsewhere == set(mark.args[1])
