"""Custom files on the command line."""

import csv
import json

import numpy as np
import pytest
from image_folder import written

import mtl_keras
from mtl_keras import datasets, zoo
from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.zoo.read import write_recipe
from mtl_keras.zoo.run_data import RunData


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
    """Checks that the labels are described once."""
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


@pytest.fixture
def run_folder(table, tmp_path):
    """Creates the folder of a run on the table, without training."""
    data = datasets.from_csv(table, ["stage", "months"], group="patient")
    folder = tmp_path / "run"
    data.encoding.save(folder)
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, hidden_units=(3,))
    model.optimizer.build(model.trainable_variables)  # as a training does
    model.save(folder / "model.keras")
    arguments = {"tasks": ["stage", "months"], "path": str(table)}
    recipe = zoo.make_recipe("build_mlp", "from_csv")
    recipe = zoo.change_recipe(recipe, data_arguments=arguments)
    write_recipe(recipe, folder / "recipe.toml")
    return folder, data, model


def write_rows(path, columns, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_another_file_is_read_whole_by_the_codes_of_the_run(
    run_command, run_folder, tmp_path
):
    folder, data, model = run_folder
    # Its classes come in another order, and one of them not at all.
    rows = [("II", "f", age, age / 9) for age in (50, 20, 70)]
    path = write_rows(
        tmp_path / "other.csv", ("stage", "sex", "age", "months"), rows
    )
    result = run_command("evaluate", folder, "--data-path", path)
    assert result.exit_code == 0, result.output
    assert f"all 3 rows of '{path}'" in result.stdout.replace("\n", " ")
    columns = {"age": np.array([50.0, 20, 70]), "sex": np.array(["f"] * 3)}
    x = data.encoding.encode(columns)
    right = model(x)["stage"].numpy().ravel() > 0.5
    assert f"{right.mean():.3f}" in result.stdout


def test_a_file_without_labels_is_predicted(run_command, run_folder, tmp_path):
    folder, _, _ = run_folder
    path = write_rows(tmp_path / "new.csv", ("sex", "age"), [("m", 31)] * 5)
    out = tmp_path / "out"
    how = ("--data-path", path, "--output", out)
    result = run_command("predict", folder, *how)
    assert result.exit_code == 0, result.output
    assert "which have no labels" in result.stdout
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 and not any("true" in name for name in rows[0])
    result = run_command("evaluate", folder, "--data-path", path)
    assert result.exit_code == 2
    assert "Call `mtl-keras predict` instead" in result.stderr


def test_a_file_with_the_labels_of_some_tasks_is_evaluated_on_these(
    run_command, run_folder, tmp_path
):
    rows = [("I", "f", 50), ("II", "m", 20)]
    path = write_rows(tmp_path / "some.csv", ("stage", "sex", "age"), rows)
    result = run_command("evaluate", run_folder[0], "--data-path", path)
    assert result.exit_code == 0, result.output
    assert "no labels of months" in result.stdout.replace("\n", " ")
    assert "accuracy" in result.stdout and "rmse" not in result.stdout


def test_all_rows_are_predicted_unless_fewer_are_wanted(
    run_command, run_folder, tmp_path
):
    rows = [("m", age) for age in range(70)]
    path = write_rows(tmp_path / "new.csv", ("sex", "age"), rows)
    for options, count in (((), 70), (("--num-samples", 3), 3)):
        out = tmp_path / f"out{count}"
        result = run_command(
            *("predict", run_folder[0], "--data-path", path),
            *("--output", out, *options),
        )
        assert result.exit_code == 0, result.output
        with (out / "predictions.csv").open() as file:
            assert len(list(csv.DictReader(file))) == count


def test_folders_are_evaluated_and_predicted_batch_by_batch(
    run_command, tmp_path, monkeypatch
):
    root = written(tmp_path / "folder")
    arguments = {
        "path": str(root),
        "tasks": ["stain", "count"],
        "masks": {"tissue": "masks/tissue"},
        "labels": "labels.csv",
    }
    data = datasets.from_folder(**arguments)
    folder = tmp_path / "run"
    folder.mkdir()
    model = mtl_keras.build_cnn_cls_seg(
        data.input_shape, data.tasks, filters=(2,)
    )
    model.optimizer.build(model.trainable_variables)
    model.save(folder / "model.keras")
    recipe = zoo.make_recipe("build_cnn_cls_seg", "from_folder")
    recipe = zoo.change_recipe(recipe, data_arguments=arguments)
    write_recipe(recipe, folder / "recipe.toml")
    RunData.describe(zoo.load_data(recipe)).save(folder)
    sizes = []
    read = FolderSource._read
    monkeypatch.setattr(
        FolderSource,
        "_read",
        lambda self, rows: (sizes.append(len(rows)), read(self, rows))[1],
    )
    how = ("--batch-size", 2, "--data-path", root)
    result = run_command("evaluate", folder, *how)
    assert result.exit_code == 0, result.output
    assert "tissue" in result.stdout and set(sizes) == {2}
    out = tmp_path / "out"
    result = run_command(
        *("predict", folder, "--output", out), *("--num-images", 1)
    )
    assert result.exit_code == 0, result.output
    with (out / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(data.indices["test"])
    assert "stain_confidence" in rows[0]
    assert (out / "predictions-1.png").is_file()


@pytest.mark.parametrize(
    ("columns", "row", "said"),
    [
        (("sex", "stage"), ("f", "I"), "the input column 'age'"),
        (("sex", "age", "stage"), ("f", 3, "IV"), "'IV' in line 2"),
        (("sex", "age"), ("f", "old"), "'old' in line 2, column 'age'"),
    ],
)
def test_a_file_that_does_not_fit_the_run(
    run_command, run_folder, tmp_path, columns, row, said
):
    path = write_rows(tmp_path / "other.csv", columns, [row])
    result = run_command("evaluate", run_folder[0], "--data-path", path)
    assert result.exit_code == 2
    assert said in result.stderr


def test_arrays_of_other_classes_are_refused(run_command, tmp_path):
    for name, classes in (("a", ["p", "q"]), ("b", ["q", "r"])):
        np.savez(
            tmp_path / f"{name}.npz",
            x=np.zeros((20, 2), "float32"),
            kind=np.array(classes * 10),
        )
    path = tmp_path / "a.npz"
    data = datasets.from_npz(path, ["kind"])
    model = mtl_keras.build_mlp((2,), data.tasks, hidden_units=(2,))
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    recipe = zoo.change_recipe(
        zoo.make_recipe("build_mlp", "from_npz"),
        data_arguments={"tasks": ["kind"], "path": str(path)},
    )
    write_recipe(recipe, tmp_path / "recipe.toml")
    how = ("evaluate", tmp_path / "model.keras", "--data-path")
    result = run_command(*how, tmp_path / "b.npz")
    assert result.exit_code == 2
    assert "found 'r' in index 1 of 'kind'" in result.stderr
    assert "Known: 'p', 'q'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "needs `tasks`; add it to [data.arguments]"),
        (("tasks=[stage]",), "expected NAME=VALUE"),
        (("tasks",), "expected NAME=VALUE"),
        (('tasks=["stag"]',), "Did you mean 'stage'?"),
        (('tasks=["stage"]', "grop=patient"), "Did you mean 'group'?"),
        (('tasks=["stage"]', "test=2"), "`test` must be a fraction"),
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
