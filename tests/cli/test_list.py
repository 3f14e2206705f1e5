"""`mtl-keras list`"""

import os
import subprocess
import sys
from pathlib import Path

from mtl_keras import datasets, models, weighting, zoo

ROOT = str(Path(__file__).parents[2])


def test_list(run_command):
    result = run_command("list")
    assert result.exit_code == 0
    entries = [entry.name for entry in zoo.entries()]
    names = [*models.names(), *datasets.names(), *weighting.names(), *entries]
    for name in [*names, "None"]:
        assert name in result.stdout


def test_list_shows_what_entries_reach(run_command):
    shown = " ".join(run_command("list").stdout.split())
    for row in zoo.results():
        found = f"{row['task']} {row['metric']} {row['mean']:.4f}" in shown
        assert found == (row["metric"] != "loss"), row
    assert "No results yet." in shown


def test_readers_of_files_are_described(run_command):
    shown = " ".join(run_command("list").stdout.split())
    assert "for several tasks." in shown
    assert "mtl_keras[tfds]" in shown


def test_list_does_not_import_tensorflow():
    code = """
import sys
import sysconfig
sys.modules["tensorflow"] = sys.modules["keras"] = None  # cannot be imported
sys.argv = [sysconfig.get_path("scripts") + "/mtl-keras", "list"]
from mtl_keras.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
