"""TOML text is read back unchanged."""

import tomllib

import numpy as np
import pytest

from mtl_keras.zoo.toml_text import toml_text


@pytest.mark.parametrize(
    "table",
    [
        {"a": 1, "b": 0.1, "c": 'x "y" \\ é', "d": True, "e": [1, 2]},
        {"a": {"b": {"c": 1e-5}}, "d": {"e": {"f": []}, "g": ""}},
        {"loss_weight/right": {"a b": 1.5}, "": 1},
        {},
        {"a": [{"b": 1, "c": {"d": 2}}, {"b": 3}], "e": [{"f": 1}, "g"]},
        {"a": float("inf"), "b": 1e-300, "c": [[1, 2], [3.5]]},
    ],
)
def test_round_trip(table):
    assert tomllib.loads(toml_text(table)) == table


def test_none_is_omitted():
    table = {"a": None, "b": 1, "c": {"d": None}, "e": {}}
    # An empty table says something: a data set of a mixture, as it is.
    assert tomllib.loads(toml_text(table)) == {"b": 1, "c": {}, "e": {}}


def test_numbers_of_numpy_are_numbers():
    assert toml_text({"a": np.float64(0.5)}) == "a = 0.5\n"
