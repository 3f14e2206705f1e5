"""The command as a process: quiet, quick help, safe to interrupt."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).parent / "mtl-keras"
# Set by the tests of this process, where users have nothing set.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if key != "TF_CPP_MIN_LOG_LEVEL"
}

pytestmark = pytest.mark.skipif(
    not COMMAND.is_file(), reason="the command is not installed"
)


def test_help_does_not_import_tensorflow():
    done = subprocess.run(
        [COMMAND, "--help"],
        env={**ENVIRONMENT, "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "train" in done.stdout
    assert "tensorflow" not in done.stderr


# In this process: an interruption in test_commands, and tests/zoo of the rest.
@pytest.mark.slow
def test_interrupted_and_resumed(
    recipe_path, tmp_path, default_interruption, run_command
):
    output = tmp_path / "run"
    options = ["train", recipe_path, "--seed", "0"]
    options += ["--epochs", "150", "--output", output]
    with subprocess.Popen(
        [COMMAND, *options],
        env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        first = next(line for line in process.stdout if "epoch" in line)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)
    assert "epoch 15/150" in first
    assert process.returncode == 130
    assert "model.keras" in said and "--resume" in said
    assert complained == ""
    assert (output / "model.keras").is_file()
    epochs = len((output / "history.csv").read_text().splitlines()) - 1
    assert 14 <= epochs < 150  # the 15th may not be recorded yet
    assert run_command(*options, "--resume").exit_code == 0
    assert len((output / "history.csv").read_text().splitlines()) == 151
    assert json.loads((output / "metrics.json").read_text())["epochs"] == 150
