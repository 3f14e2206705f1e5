"""Training and evaluation on two replicas, from the command line."""

import json

import pytest


@pytest.mark.slow
def test_on_two_replicas(run_command, recipe_path, trained, tmp_path):
    folder = tmp_path / "run"
    spread = ("--distribution", "mirrored", "--replicas", 2)
    result = run_command(
        *("train", recipe_path, "--seed", 0, "--output", folder), *spread
    )
    assert result.exit_code == 0, result.output
    found, expected = (
        json.loads((path / "metrics.json").read_text())
        for path in (folder, trained)
    )
    assert found["test"].keys() == expected["test"].keys()
    assert found["epochs"] == expected["epochs"]
    result = run_command("evaluate", folder, *spread)
    assert result.exit_code == 0, result.output
    assert "classification" in result.stdout


def test_unknown_strategies_are_refused(run_command, recipe_path, tmp_path):
    result = run_command(
        "train", recipe_path, "--distribution", "miror", "--output", tmp_path
    )
    assert result.exit_code != 0
    assert "Unknown strategy 'miror'" in result.output
    assert not list(tmp_path.iterdir())
