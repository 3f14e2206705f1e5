"""What is written as TOML is read as it was."""

import tomllib

import pytest

from mtl_keras.tuning.toml_text import toml_text


@pytest.mark.parametrize(
    "table",
    [
        {"a": 1, "b": 0.1, "c": 'x "y" \\ é', "d": True, "e": [1, 2]},
        {"a": {"b": {"c": 1e-5}}, "d": {"e": {"f": []}, "g": ""}},
        {"loss_weight/right": {"a b": 1.5}, "": 1},
        {},
        {"empty": {}},
    ],
)
def test_round_trip(table):
    assert tomllib.loads(toml_text(table)) == table


def test_what_is_none_is_left_out():
    assert tomllib.loads(toml_text({"a": None, "b": 1})) == {"b": 1}
