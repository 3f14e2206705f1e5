"""Classes and categories that the training part lacks."""

import warnings

import numpy as np
import pandas as pd
import pytest

from mtl_keras import datasets


def frame(**columns):
    base = {
        "a": np.arange(30.0),
        "part": ["train"] * 20 + ["validation"] * 5 + ["test"] * 5,
        "y": ["p", "q"] * 15,
    }
    return pd.DataFrame({**base, **columns})


def read(table, tasks=("y",), **arguments):
    return datasets.from_dataframe(
        table, list(tasks), split="part", **arguments
    )


def test_one_warning_names_columns_values_and_counts():
    table = frame(
        y=["p", "q"] * 10 + ["r"] * 10,
        city=["u"] * 20 + ["v"] * 7 + ["w"] * 3,
        hour=[1, 2] * 10 + [7] * 10,
    )
    with pytest.warns(UserWarning) as caught:
        read(table, categories=["hour"])
    (warning,) = caught
    text = str(warning.message)
    assert warning.filename == __file__
    for part in (
        "occur in validation and test",
        "task 'y': 'r' (10 rows)",
        "input 'city': 2 values in 10 rows, such as 'v' (7 rows)",
        "input 'hour': '7' (10 rows)",
    ):
        assert part in text


def test_labels_of_several_columns():
    table = frame(l1=[0, 1] * 15, l2=[0] * 28 + [1] * 2)
    with pytest.warns(UserWarning, match=r"task 'l': 'l2' \(2 rows\)"):
        datasets.from_dataframe(table, {"l": ["l1", "l2"]}, ["a"], split="part")


@pytest.mark.parametrize(
    "changes",
    [
        {"city": ["u", "v"] * 15},
        {"city": ["u", "v"] * 10 + [None] * 10},
        {"city": ["rare", *["u", "v"] * 14, "rare"]},
        {"y": ["p", "q"] * 10 + [None] * 10},
        {"y": np.arange(30) / 7},
    ],
)
def test_what_the_training_part_has_is_not_named(changes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(frame(**changes))


def test_data_without_other_parts_and_of_another_encoding_are_not_named():
    table = frame(city=["u"] * 20 + ["v"] * 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = datasets.from_dataframe(
            table.drop(columns="part"), ["y"], validation=0, test=0
        )
        read(table, like=first)
