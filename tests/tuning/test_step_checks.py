"""A range with a step is refused with the list to write."""

import re

import pytest
from tuning_problem import SMALL, build

import mtl_keras
from mtl_keras import tuning


@pytest.mark.parametrize(
    ("factory", "space", "expected"),
    [
        (build, {"trunk_width": (8, 32, 8)}, "[8, 16, 24, 32], or range(8, 33"),
        (
            mtl_keras.build_mlp,
            {**SMALL, "dropout": (0.1, 0.4, 0.1)},
            "[0.1, 0.2, 0.3, 0.4]",
        ),
        (
            build,
            {"learning_rate": (0.1, 10.0, 0.1)},
            "np.linspace(0.1, 10.0, 100)",
        ),
        (build, {"loss_weight": (1, 3, 1)}, "[1, 2, 3]"),
        (build, {"trunk_width": (32, 8, 8)}, "Write the choices as a list"),
        (
            build,
            {"trunk_width": {"low": 1, "high": 100, "step": 2}},
            "Write the choices: range(1, 101, 2)",
        ),
    ],
)
def test_steps_are_refused(factory, space, expected):
    with pytest.raises(ValueError, match=re.escape(expected)):
        tuning.MultiTaskHyperModel(factory, space, merge=False)


def test_a_declared_range_takes_no_step():
    def declare(hp):
        return build(hp.Int("width", 2, 8))

    with pytest.raises(ValueError, match=re.escape("[2, 4, 6, 8]")):
        tuning.search(
            declare,
            {"width": (2, 8, 2)},
            None,
            objective="left_loss",
        )


def test_three_numbers_are_a_value_of_an_argument_that_takes_several():
    space = {**SMALL, "hidden_units": (8, 16, 8), "dropout": [0.0, 0.1]}
    model = tuning.MultiTaskHyperModel(mtl_keras.build_mlp, space, merge=False)
    assert model.space["hidden_units"].content == (8, 16, 8)
