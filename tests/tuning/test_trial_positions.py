"""Positions of values in their space."""

import numpy as np
import pytest
from trial_records import make_space

from mtl_keras.tuning.dimensions import read_dimension
from mtl_keras.tuning.trial_positions import (
    positions,
    random_labels,
    varied_dimensions,
)

DIMENSIONS = {
    "linear": (2.0, 4.0),
    "log": (1e-4, 1e-2),
    "integers": (3, 7),
    "integers, log": (1, 100),
    "numbers": [32, 8, 16],
    "names": ["relu", None, "gelu"],
}


@pytest.mark.parametrize("kind", DIMENSIONS)
def test_ends_are_0_and_1(kind):
    dimension = read_dimension(kind, DIMENSIONS[kind])
    first = dimension.at(0.0)
    assert dimension.position(first) == 0
    last = {"numbers": 32, "names": "gelu"}.get(kind)
    last = getattr(dimension, "high", last)
    assert dimension.position(last) == pytest.approx(1)


def test_positions_are_between_in_proportion():
    dimension = read_dimension("learning_rate", DIMENSIONS["log"])
    assert dimension.position(1e-3) == pytest.approx(0.5)
    dimension = read_dimension("x", DIMENSIONS["linear"])
    assert dimension.position(2.5) == pytest.approx(0.25)
    dimension = read_dimension("batch_size", DIMENSIONS["numbers"])
    assert dimension.position(16) == 0.5  # numbers in order of size
    dimension = read_dimension("activation", DIMENSIONS["names"])
    assert dimension.position("None") == 0.5  # names in order as given


@pytest.mark.parametrize("kind", DIMENSIONS)
def test_quantiles_are_those_of_random_values(kind, rng):
    """Choices and integers are uniform; log ranges are uniform in logs."""
    dimension = read_dimension(kind, DIMENSIONS[kind])
    drawn = [dimension.at(share) for share in rng.random(6000)]
    places = np.array([dimension.position(value) for value in drawn])
    assert places.min() >= 0 and places.max() <= 1
    if kind in ("linear", "log"):
        assert np.mean(places) == pytest.approx(0.5, abs=0.02)
        assert np.std(places) == pytest.approx(12**-0.5, abs=0.02)
    elif kind != "integers, log":
        _, counts = np.unique(places, return_counts=True)
        assert counts / len(drawn) == pytest.approx(1 / len(counts), abs=0.03)


def test_kerastuner_draws_from_the_same_quantiles():
    import keras_tuner

    for kind, given in DIMENSIONS.items():
        if kind == "numbers":  # ours are in order of size
            continue
        hp = keras_tuner.HyperParameters()
        dimension = read_dimension(kind, given)
        dimension.declare(hp)
        for share in (0.01, 0.3, 0.5, 0.77, 0.99):
            assert dimension.at(share) == pytest.approx(
                hp.space[0].prob_to_value(share)
            )


def test_inactive_values_have_no_position(rng):
    space = make_space()
    labels = {
        "trunk_width": 8,
        "activation": "gelu",
        "learning_rate": 1e-3,
        "loss_weight/right": 10.0,
        "batch_size": 16,
    }
    found = positions(
        space,
        [
            {**labels, "weighting": "cagrad", "weighting/c": 0.5},
            {**labels, "weighting": "pcgrad"},
            {**labels, "weighting": "None", "weighting/c": 0.5},
        ],
    )
    assert found["weighting/c"] == pytest.approx(
        [0.5, np.nan, np.nan], nan_ok=True
    )
    assert found["weighting"] == pytest.approx([0.5, 1, 0])
    assert found["loss_weight/right"] == pytest.approx([1, 1, 1])


def test_draws_are_in_the_space_and_independent(rng):
    space = make_space()
    columns = random_labels(space, 2000, rng)
    assert list(columns) == list(varied_dimensions(space))
    assert set(columns["activation"]) == {"relu", "gelu", "None"}
    rates = np.log(columns["learning_rate"])
    together = np.corrcoef(rates, columns["trunk_width"])[0, 1]
    assert abs(together) < 0.1


def test_fixed_values_are_not_varied():
    space = make_space(trunk_width=8, learning_rate=(1e-3, 1e-2))
    assert list(varied_dimensions(space)) == ["learning_rate"]
