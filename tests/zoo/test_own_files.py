"""Recipes with custom files."""

import numpy as np
import pytest

from mtl_keras import datasets, zoo
from mtl_keras.zoo.read import check_recipe, write_recipe

ROWS = 60


@pytest.fixture
def table(tmp_path):
    """Writes a table with missing labels of both tasks."""
    rng = np.random.default_rng(0)
    lines = ["age,sex,patient,stage,months"]
    for row in range(ROWS):
        stage = ("I", "II", "", "III")[row % 4]
        months = "" if row % 3 == 0 else f"{rng.normal():.3f}"
        age = rng.normal()
        lines.append(f"{age:.3f},{'fm'[row % 2]},p{row // 2},{stage},{months}")
    path = tmp_path / "patients.csv"
    path.write_text("\n".join(lines))
    return path


def make_recipe(path, arguments=None, **tables):
    values = {
        "name": "patients",
        "factory": {
            "name": "build_mlp",
            "arguments": {"trunk_width": 4, "trunk_depth": 1},
        },
        "data": {
            "name": "from_csv",
            "arguments": {
                "path": str(path),
                "inputs": ["age", "sex"],
                "tasks": ["stage", "months"],
                "group": "patient",
                **(arguments or {}),
            },
        },
        "fit": {"epochs": 1, "batch_size": 16},
        **tables,
    }
    return check_recipe(values, "a test")


def test_a_recipe_takes_the_parts_of_the_file(table):
    data = zoo.load_data(make_recipe(table))
    splits = datasets.from_csv(
        table, ["stage", "months"], ["age", "sex"], group="patient"
    )
    assert [task.name for task in data.tasks] == ["stage", "months"]
    assert data.tasks[0].class_names == ("I", "II", "III")
    for part in ("train", "validation", "test"):
        x, y = splits.arrays(part)
        found_x, found_y = getattr(data, part)
        np.testing.assert_array_equal(found_x, x)
        for name, values in y.items():
            np.testing.assert_array_equal(found_y[name], values)


@pytest.mark.slow
def test_training_reads_the_same_recipe_again(table, tmp_path):
    recipe = make_recipe(
        table, {"tasks": {"stage": "Classification", "wait": ["months"]}}
    )
    metrics = zoo.train(recipe, tmp_path / "run")
    assert np.isfinite(metrics["test"]["wait"]["rmse"])
    assert np.isfinite(metrics["test"]["stage"]["accuracy"])
    again = zoo.load_recipe(tmp_path / "run" / "recipe.toml")
    assert again.data == recipe.data
    assert zoo.train(recipe, tmp_path / "run", resume=True) == metrics


def test_names_of_columns_survive_in_toml(table, tmp_path):
    tasks = {"a.b": {"kind": "Classification", "columns": ["stage"]}}
    recipe = make_recipe(table, {"tasks": tasks})
    write_recipe(recipe, tmp_path / "recipe.toml")
    again = zoo.load_recipe(tmp_path / "recipe.toml")
    assert again.data.arguments == recipe.data.arguments
    assert zoo.load_data(again).tasks[0].name == "a.b"


def test_tasks_of_the_recipe_are_those_of_the_file(table):
    stage = {
        "kind": "Classification",
        "name": "stage",
        "arguments": {"num_classes": 3, "loss_weight": 0.5},
    }
    recipe = make_recipe(table, tasks=[stage])
    values = recipe.model_dump()
    del values["data"]["arguments"]["tasks"]
    for each in (recipe, check_recipe(values, "a test")):
        data = zoo.load_data(each)
        assert [task.loss_weight for task in data.tasks] == [0.5]
        assert list(data.train[1]) == ["stage"]
    assert data.tasks[0].class_names == ("I", "II", "III")


def test_without_a_validation_part_the_recipe_holds_one_back(table):
    recipe = make_recipe(table, {"validation": 0, "group": "patient"})
    data = zoo.load_data(recipe)
    assert [len(x) for x, _ in (data.train, data.validation)] == [43, 5]
    recipe = make_recipe(table, {"validation": 0}, fit={"num_validation": 8})
    assert len(zoo.load_data(recipe).validation[0]) == 8


def test_folders_and_arrays(tmp_path):
    x = np.random.default_rng(0).random((20, 3))
    labels = np.arange(20) % 2
    np.savez(tmp_path / "arrays.npz", x=x, label=labels)
    values = make_recipe("").model_dump()
    values["data"] = {
        "name": "from_npz",
        "arguments": {
            "path": str(tmp_path / "arrays.npz"),
            "tasks": ["label"],
        },
    }
    data = zoo.load_data(check_recipe(values, "a test"))
    assert [len(part[0]) for part in (data.train, data.test)] == [14, 4]


@pytest.mark.parametrize(
    ("arguments", "tables", "message"),
    [
        ({"tasks": ["stages"]}, {}, r"mean 'stage'\?"),
        ({"test": 0}, {}, "found 'test'"),
        ({}, {"fit": {"num_validation": 3}}, "Set `validation` in"),
        ({}, {"fit": {"validation_split": 0.2}}, "Set `validation` in"),
    ],
)
def test_invalid_settings_are_refused(table, arguments, tables, message):
    with pytest.raises(ValueError, match=message):
        zoo.load_data(make_recipe(table, arguments, **tables))


def test_arguments_that_lack_or_do_not_exist(table):
    values = make_recipe(table).model_dump()
    with pytest.raises(ValueError, match=r"'data.arguments.grop'.*'group'\?"):
        make_recipe(table, {"grop": "patient"})
    for name, message in (
        ("tasks", "needs `tasks`; add it to"),
        ("path", "pass its path"),
    ):
        values = make_recipe(table).model_dump()
        del values["data"]["arguments"][name]
        with pytest.raises(ValueError, match=message):
            zoo.load_data(check_recipe(values, "a test"))
