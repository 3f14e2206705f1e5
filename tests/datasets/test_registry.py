"""Tests data sets by name."""

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

from mtl_keras import datasets

MODULES = [
    name
    for name in datasets.names()
    if isinstance(datasets.get(name), ModuleType)
]
FILES = [
    "from_conll",
    "from_csv",
    "from_folder",
    "from_intent_slots",
    "from_npz",
    "from_tfds",
]


def test_names_are_sorted():
    assert datasets.names() == sorted(datasets.names())
    assert datasets.names() == sorted([*MODULES, *FILES])


def test_every_module_with_data_is_registered():
    with_data = [
        found.name
        for found in pkgutil.iter_modules(datasets.__path__)
        if hasattr(
            import_module(f"mtl_keras.datasets.{found.name}"), "load_data"
        )
    ]
    assert with_data == MODULES
    assert {"digit_scenes", "mnist", "tox21"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_every_data_set_loads_data_and_states_its_origin(name):
    dataset = datasets.get(name)
    assert dataset is getattr(datasets, name)
    assert callable(dataset.load_data)
    assert callable(dataset.tasks)
    assert "Origin:" in dataset.__doc__
    assert "Licence:" in dataset.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_every_call_of_tasks_returns_a_new_list(name):
    dataset = datasets.get(name)
    dataset.tasks().clear()
    assert dataset.tasks()


@pytest.mark.parametrize("name", FILES)
def test_file_data_sets_have_the_arguments_of_their_function(name):
    dataset = datasets.get(name)
    assert dataset.read is getattr(datasets, name)
    assert "tasks" in inspect.signature(dataset.load_data).parameters


@pytest.mark.parametrize("name", datasets.names())
def test_the_first_line_of_the_docstring_describes_the_data_set(name):
    line = datasets.get(name).__doc__.strip().splitlines()[0]
    if name in FILES:
        assert line == getattr(datasets, name).__doc__.splitlines()[0]
        assert line.startswith("Reads ")
    assert line.endswith(".") and "FileDataSet" not in line
    assert len(line) <= 80


def test_a_misspelt_name_gets_a_suggestion():
    with pytest.raises(ValueError, match="'digit_scene'") as error:
        datasets.get("digit_scene")
    assert "mean 'digit_scenes'?" in str(error.value)
    assert all(repr(name) in str(error.value) for name in datasets.names())


@pytest.mark.parametrize("name", ["imagenet-21k", None, ["energy"], 3])
def test_an_unknown_name_gets_the_list(name):
    with pytest.raises(ValueError, match="'mnist', 'multi_mnist'"):
        datasets.get(name)
