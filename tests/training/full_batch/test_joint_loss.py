"""The objective of SciPy: its gradient and its terms."""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow, random_targets
from full_batch_problems import joint_loss, small
from holes import KINDS, make_holes

import mtl_keras


@pytest.mark.parametrize("kind", mostly_slow(sorted(KINDS), ["regression"]))
def test_gradient_and_chunks_of_every_kind(kind, rng):
    task, shape = KINDS[kind]
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(
        int(np.prod(shape[:-1])) * 3,
        "tanh",
        kernel_regularizer="l2",
        activity_regularizer="l2",
    )(inputs)
    hidden = keras.layers.Reshape((*shape[:-1], 3))(hidden)
    model = mtl_keras.MultiTaskModel(
        inputs, {"a": task.head(hidden)}, tasks=[task]
    )
    model.compile()
    x = rng.normal(size=(10, 4)).astype("float32")
    targets = random_targets(task, shape, 10, rng)
    y = {"a": make_holes(task, targets, shape, rng)}
    y["a"][0] = targets[0]
    weights = rng.uniform(1, 2, size=10).astype("float32")
    whole = joint_loss(model, x, y, sample_weight=weights)
    vector = whole.weights()
    found = whole(vector)
    chunked = joint_loss(model, x, y, batch_size=3, sample_weight=weights)
    in_chunks = chunked(vector)
    assert in_chunks.value == pytest.approx(found.value, rel=1e-5)
    np.testing.assert_allclose(in_chunks.gradient, found.gradient, atol=1e-5)
    for direction in rng.normal(size=(3, len(vector))):
        step = 1e-2 * direction / np.linalg.norm(direction)
        slope = whole(vector + step).value - whole(vector - step).value
        expected = 2 * step @ found.gradient
        assert slope == pytest.approx(expected, rel=2e-2, abs=2e-6)


@pytest.mark.slow
def test_chunks_of_a_loss_that_is_a_sum(data):
    x, y = data
    losses = {task: keras.losses.MeanSquaredError("sum") for task in y}
    model = small()
    model.compile(loss=losses)
    whole = joint_loss(model, x, y)
    vector = whole.weights()
    in_chunks = joint_loss(model, x, y, batch_size=8)(vector)
    found = whole(vector)
    assert in_chunks.value == pytest.approx(found.value, rel=1e-5)
    outputs = model.predict(x, verbose=0)["left"][:, 0]
    errors = np.sum((outputs - y["left"]) ** 2)
    assert found.logs["left_loss"] == pytest.approx(errors, rel=1e-5)
