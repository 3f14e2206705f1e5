"""Weightings by name, config, class and instance, and their table."""

import keras
import numpy as np
import pytest
from weighting_harness import ARGUMENTS

import mtl_keras.weighting
from mtl_keras.weighting import DWA, Weighting, deserialize, get, serialize


@keras.saving.register_keras_serializable("tests")
class Halved(Weighting):
    """A custom weighting."""

    def combine(self, losses):
        return 0.5 * losses


@pytest.fixture(params=mtl_keras.weighting.names())
def name(request):
    """Names each method in turn."""
    return request.param


def test_get_takes_names_class_names_and_configs(name):
    arguments = ARGUMENTS.get(name, {})
    weighting = get({"class_name": name, "config": arguments})
    method = type(weighting)
    by_class = {"class_name": method.__name__, "config": arguments}
    assert type(get(by_class)) is method
    assert get(weighting) is weighting
    assert getattr(mtl_keras.weighting, method.__name__) is method
    assert method.__name__ in mtl_keras.weighting.__all__
    again = deserialize(serialize(weighting))
    assert type(again) is method
    assert again.get_config() == weighting.get_config()
    again = keras.saving.deserialize_keras_object(serialize(weighting))
    assert type(again) is method
    assert again.get_config() == weighting.get_config()
    assert get(serialize(weighting)).get_config() == weighting.get_config()
    if not arguments:
        assert type(get(name)) is type(get(method.__name__)) is method
        assert type(get(method)) is method


def test_a_method_is_in_the_file_of_its_name(name):
    method = type(get({"class_name": name, "config": ARGUMENTS.get(name, {})}))
    assert method.__module__ == f"mtl_keras.weighting.{name}"


def test_every_method_is_in_the_table(name):
    (row,) = [row for row in mtl_keras.weighting.table() if row.name == name]
    assert row.requires in ("losses", "gramian", "jacobian")
    looks_ahead = "three backward passes and held-out data"
    assert row.cost.startswith("one backward pass") or row.cost == looks_ahead
    assert row.summary
    if name not in ("equal", "importance"):
        assert row.reference.rstrip(")")[-4:].isdigit()
    line = str(mtl_keras.weighting.table()).splitlines()
    assert any(text.startswith(name + " ") for text in line)


def test_table_distinguishes_costs():
    costs = {row.name: row.cost for row in mtl_keras.weighting.table()}
    assert costs["equal"] == "one backward pass"
    assert costs["famo"] == "one backward pass and one more forward pass"
    assert "a task" in costs["graddrop"]
    assert max(map(len, str(mtl_keras.weighting.table()).split("\n"))) < 120


def test_none_returns_none():
    assert get(None) is None


def test_custom_weightings_round_trip():
    custom = Halved(name="mine")
    assert get(custom) is custom
    assert type(get(Halved)) is Halved
    assert type(get(serialize(custom))) is Halved
    assert get(serialize(custom)).name == "mine"


@pytest.mark.parametrize(
    ("identifier", "error", "match"),
    [
        ("dwb", ValueError, "Unknown weighting 'dwb'. Did you mean 'dwa'"),
        (3, TypeError, "weighting=3 of type int; expected a name"),
        (dict, TypeError, "expected a name"),
        ({"name": "dwa"}, ValueError, "'class_name': 'dwa'"),
        (
            {"class_name": "dwa", "temperature": 3.0},
            ValueError,
            "belong in 'config'",
        ),
        ({"class_name": "dwb"}, ValueError, "Did you mean 'dwa'"),
        ({"class_name": "dwa", "config": [3.0]}, TypeError, "expected a dict"),
        (
            {"class_name": "dwa", "config": {"temprature": 3.0}},
            ValueError,
            "has no argument 'temprature'. Did you mean 'temperature'",
        ),
        ("importance", ValueError, "expected exactly one of them"),
    ],
)
def test_wrong_identifiers(identifier, error, match):
    with pytest.raises(error, match=match):
        get(identifier)


def test_config_may_leave_out_arguments():
    assert type(get({"class_name": "dwa"})) is DWA
    assert get({"class_name": "DWA", "config": None}).temperature == 2.0


def test_a_weighting_must_implement_a_hook():
    class Nothing(Weighting):
        """Implements none."""

    with pytest.raises(TypeError, match="Nothing implements none of"):
        _ = Nothing().requires
    with pytest.raises(TypeError, match=r"not implement combine\(losses\)"):
        Nothing().combine(np.ones(2))
    assert Halved().requires == "losses"
