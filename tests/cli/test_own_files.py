"""Files of your own on the command line."""

import csv
import json

import numpy as np
import pytest

from mtl_keras import zoo
from mtl_keras.cli.data_arguments import data_arguments


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "patients.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["age", "sex", "patient", "stage", "months"])
        for row in range(40):
            stage = ("I", "II", "")[row % 3]
            months = round(rng.normal(), 3)
            writer.writerow([row, "fm"[row % 2], row // 2, stage, months])
    return path


@pytest.fixture
def command(table):
    return (
        *("train", "build_mlp", "--data", "from_csv", "--data-path", table),
        *("--data-argument", 'tasks=["stage", "months"]'),
        *("--data-argument", "group=patient"),
        *("--epochs", 1, "--seed", 0),
    )


def check_labels(head):
    """Whether the labels are described once."""
    assert "40 samples: 28 train, 4 validation, 8 test" in head
    assert "stage" in head and "Regression" in head
    assert "labelled for both" in head
    assert head.count("40 samples") == 1


def test_data_arguments_reach_the_training(
    run_command, command, table, trainings
):
    result = run_command(*command)
    assert result.exit_code == 0, result.output
    check_labels(result.stdout)
    ((recipe, _, _),) = trainings
    assert recipe.data.arguments == {
        "tasks": ["stage", "months"],
        "group": "patient",
        "path": str(table),
    }
    assert zoo.load_data(recipe).train[0].shape == (28, 4)


@pytest.mark.slow
def test_train_evaluate_and_predict(run_command, command, tmp_path):
    folder = tmp_path / "run"
    result = run_command(*command, "--output", folder)
    assert result.exit_code == 0, result.output
    check_labels(result.stdout)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["test"]) == {"stage", "months"}
    result = run_command("evaluate", folder)
    assert result.exit_code == 0, result.output
    output = tmp_path / "predicted"
    result = run_command("predict", folder, "--output", output)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "needs `tasks`; say it in [data.arguments]"),
        (("tasks=[stage]",), "expected NAME=VALUE"),
        (("tasks",), "expected NAME=VALUE"),
        (('tasks=["stag"]',), "Did you mean 'stage'?"),
        (('tasks=["stage"]', "grop=patient"), "Did you mean 'group'?"),
        (('tasks=["stage"]', "test=2"), "`test` must be a share"),
    ],
)
def test_errors_are_one_line(run_command, table, monkeypatch, arguments, said):
    monkeypatch.chdir(table.parent)
    options = [
        o for argument in arguments for o in ("--data-argument", argument)
    ]
    result = run_command(
        *("train", "build_mlp", "--data", "from_csv", "--data-path", table),
        *options,
    )
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (table.parent / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("a=1", 1),
        ("a=0.5", 0.5),
        ("a=true", True),
        ('a="1"', "1"),
        ("a=word", "word"),
        ("a=masks/nuclei one", "masks/nuclei one"),
        ("a=[64, 64]", [64, 64]),
        ('a={nuclei = "masks"}', {"nuclei": "masks"}),
        ("a = x=y", None),
        ("a b=1", None),
        ("=1", None),
        ("a=", None),
    ],
)
def test_values_are_read_as_in_toml(setting, value):
    if value is None:
        with pytest.raises(ValueError, match="expected NAME=VALUE"):
            data_arguments([setting])
    else:
        assert data_arguments([setting]) == {"a": value}
