"""A killed command continues with --resume."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mtl_keras
from mtl_keras.training.backups.atomic_file import partial_path
from mtl_keras.zoo.run_folder import BACKUP

COMMAND = Path(sys.executable).parent / "mtl-keras"


@pytest.mark.slow
@pytest.mark.skipif(
    not COMMAND.is_file(), reason="the command is not installed"
)
def test_killed_and_resumed(recipe_path, tmp_path, run_command):
    options = ("train", recipe_path, "--seed", "0", "--epochs", "60")
    output = tmp_path / "killed"
    with subprocess.Popen(
        [COMMAND, *options, "--output", output],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        next(line for line in process.stdout if "epoch" in line)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    partial_path(output / BACKUP).write_bytes(b"half of a back")
    resumed = run_command(*options, "--output", output, "--resume")
    assert resumed.exit_code == 0, resumed.output
    undisturbed = tmp_path / "undisturbed"
    assert run_command(*options, "--output", undisturbed).exit_code == 0
    found, expected = (
        mtl_keras.load_model(folder / "model.keras").get_weights()
        for folder in (output, undisturbed)
    )
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not list(output.glob("*.partial*"))
