"""Heads that learn how tasks are related."""

import keras
import numpy as np
import pytest
from factory_harness import predictions

from mtl_keras import (
    BinaryClassification,
    Regression,
    build_mlp,
    build_task_relation_mlp,
)

TASKS = [Regression("same"), Regression("twin"), Regression("opposite")]


def test_without_a_penalty_it_is_hard_sharing(rng):
    model = build_task_relation_mlp((5,), TASKS, penalty=0)
    hard = build_mlp((5,), TASKS)
    hard.get_layer("trunk_dense_1").set_weights(
        model.get_layer("trunk_dense_1").get_weights()
    )
    related = model.get_layer("task_relation")
    for index, task in enumerate(TASKS):
        hard.get_layer(task.name).set_weights(
            [related.kernels[index], related.biases[index]]
        )
    x = rng.normal(size=(6, 5)).astype("float32")
    expected = predictions(hard, x)
    for name, values in predictions(model, x).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("weighting", [None, "pcgrad"])
def test_it_finds_which_tasks_are_alike(weighting, rng):
    model = build_task_relation_mlp(
        (5,),
        TASKS,
        hidden_units=(),
        penalty=0.05,
        optimizer=keras.optimizers.Adam(0.05),
        # A linear model shares nothing, so a trunk provides gradients.
        **({"weighting": weighting} if weighting is None else {}),
    )
    if weighting is not None:
        model = build_task_relation_mlp(
            (5,),
            TASKS,
            hidden_units=(8,),
            activation="linear",
            penalty=0.05,
            weighting=weighting,
            optimizer=keras.optimizers.Adam(0.05),
        )
    x = rng.normal(size=(64, 5)).astype("float32")
    target = x @ np.array([1.0, -1, 0.5, 0, 0])
    y = {"same": target, "twin": target, "opposite": -target}
    model.fit(x, y, epochs=30, verbose=0)
    correlations = model.get_layer("task_relation").correlations
    assert correlations[0, 1] > 0.8
    assert correlations[0, 2] < -0.8


def test_probabilities_and_logits(rng):
    tasks = [
        BinaryClassification("a"),
        BinaryClassification("b", activation=None),
    ]
    model = build_task_relation_mlp((5,), tasks)
    x = rng.normal(size=(200, 5)).astype("float32") * 9
    found = predictions(model, x)
    assert 0 <= found["a"].min() <= found["a"].max() <= 1
    assert found["b"].min() < 0 < 1 < found["b"].max()


def test_heads_of_different_width():
    with pytest.raises(ValueError, match="output of 1 and 'b' one of 2"):
        build_task_relation_mlp(
            (5,), [Regression("a"), Regression("b", units=2)]
        )
