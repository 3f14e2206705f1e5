"""Tasks under other names."""

import dataclasses

import pytest

from mtl_keras import Classification, Regression
from mtl_keras.tasks.rename import rename_tasks

TASKS = [
    Classification("classification", 3, class_names=["a", "b", "c"]),
    Regression("size", loss_weight=0.5, metrics=["mae"], direction="max"),
]


def test_some_tasks():
    stain, size = rename_tasks(TASKS, {"classification": "stain"})
    assert stain == dataclasses.replace(TASKS[0], name="stain")
    assert stain.class_names == ("a", "b", "c")
    assert size == TASKS[1]


def test_all_arguments_stay():
    _, found = rename_tasks(TASKS, {"size": "age"})
    for field in dataclasses.fields(found):
        if field.name != "name":
            assert getattr(found, field.name) is getattr(TASKS[1], field.name)


def test_two_tasks_can_swap_their_names():
    names = {"classification": "size", "size": "classification"}
    found = rename_tasks(TASKS, names)
    assert [task.name for task in found] == ["size", "classification"]
    assert isinstance(found[0], Classification)


@pytest.mark.parametrize("names", [None, {}, {"size": "size"}])
def test_nothing_to_rename(names):
    assert rename_tasks(TASKS, names) == TASKS


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (["stain"], TypeError, "expected a dict from the name of a task"),
        ({"clasification": "a"}, ValueError, "mean 'classification'"),
        ({"size": "classification"}, ValueError, "'size' to 'classification'"),
        ({"size": "a", "classification": "a"}, ValueError, "different name"),
        ({"size": "my size"}, ValueError, "'my size' cannot name"),
        ({"size": 3}, TypeError, "name is a string; got 3"),
    ],
)
def test_errors(names, error, message):
    with pytest.raises(error, match=message):
        rename_tasks(TASKS, names)
