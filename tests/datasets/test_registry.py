"""Data sets by name."""

import inspect
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


def test_names_are_sorted_and_modules():
    assert datasets.names() == sorted(datasets.names())
    assert datasets.names() == [
        "census_income",
        "cifar10",
        "cifar100",
        "digit_scenes",
        "energy",
        "fashion_mnist",
        *FILES,
        "mnist",
        "multi_mnist",
        "nuclei",
        "snips",
        "spoken_digits",
        "synthetic_regression",
        "tox21",
    ]


@pytest.mark.parametrize("name", MODULES)
def test_every_data_set_loads_data_and_states_its_origin(name):
    dataset = datasets.get(name)
    assert dataset is getattr(datasets, name)
    assert callable(dataset.load_data)
    assert callable(dataset.tasks)
    assert "Origin:" in dataset.__doc__
    assert "Licence:" in dataset.__doc__


@pytest.mark.parametrize("name", MODULES)
def test_every_call_of_tasks_gives_a_list_of_its_own(name):
    dataset = datasets.get(name)
    dataset.tasks().clear()
    assert dataset.tasks()


@pytest.mark.parametrize("name", FILES)
def test_files_of_your_own_take_what_their_function_takes(name):
    dataset = datasets.get(name)
    assert dataset.read is getattr(datasets, name)
    assert "tasks" in inspect.signature(dataset.load_data).parameters


def test_a_misspelt_name_is_told_the_nearest_and_all():
    with pytest.raises(ValueError, match="'digit_scene'") as error:
        datasets.get("digit_scene")
    assert "mean 'digit_scenes'?" in str(error.value)
    assert all(repr(name) in str(error.value) for name in datasets.names())


@pytest.mark.parametrize("name", ["imagenet-21k", None, ["energy"], 3])
def test_what_resembles_no_name_gets_the_list(name):
    with pytest.raises(ValueError, match="'mnist', 'multi_mnist'"):
        datasets.get(name)
