"""Auto-Lambda against numpy, on a problem with a known meta-gradient."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras.weighting.auto_lambda import AutoLambda


def make(**arguments):
    """Creates and builds a weighting of two tasks."""
    weighting = AutoLambda(**arguments)
    weighting.build(["left", "right"])
    return weighting


def task_weights(weighting):
    """Returns the task weights."""
    losses = tf.ones(2)
    with tf.GradientTape() as tape:
        tape.watch(losses)
        loss = weighting.combine(losses)
    return tape.gradient(loss, losses).numpy()


def test_update_is_adam_on_the_difference(rng):
    weighting = make(initial_weight=0.5, learning_rate=0.01)
    weights, m, v = np.full(2, 0.5), np.zeros(2), np.zeros(2)
    for step in range(1, 6):
        above, below = np.exp(rng.normal(size=(2, 2))).astype("float32")
        weighting.update(above, below, learning_rate=0.1, epsilon=0.02)
        gradient = -0.1 * (above - below) / 0.04
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.999**step)
        weights = weights - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)
        np.testing.assert_allclose(task_weights(weighting), weights, rtol=1e-4)


def test_a_task_that_helps_gains_and_one_that_harms_loses():
    # The held-out loss is that of the left task; the right one pulls away.
    centres, rate = np.array([[1.0, 0.0], [-1.0, 0.0]]), 0.1
    theta = np.zeros(2)

    def losses(t):
        return 0.5 * ((t - centres) ** 2).sum(axis=1)

    weighting = make(learning_rate=0.01)
    for _ in range(5):
        gradients = theta - centres
        ahead = theta - rate * task_weights(weighting) @ gradients
        v = ahead - centres[0]
        epsilon = weighting.perturbation / np.linalg.norm(v)
        weighting.update(
            losses(theta + epsilon * v).astype("float32"),
            losses(theta - epsilon * v).astype("float32"),
            learning_rate=rate,
            epsilon=epsilon,
        )
    left, right = task_weights(weighting)
    assert left == pytest.approx(0.15, rel=1e-3)
    assert right == pytest.approx(0.05, rel=1e-3)


def test_absent_tasks_keep_their_weight():
    weighting = make(learning_rate=0.1)
    weighting.update(
        np.array([2.0, 0.0], "float32"),
        np.array([1.0, 0.0], "float32"),
        learning_rate=0.1,
        epsilon=0.1,
    )
    left, right = task_weights(weighting)
    assert left == pytest.approx(0.2, rel=1e-4)
    assert right == pytest.approx(0.1)


def test_round_trips():
    weighting = make(initial_weight=0.3)
    config = keras.saving.serialize_keras_object(weighting)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == weighting.get_config()
    again.build(weighting.task_names)
    above, below = np.array([[2.0, 3.0], [1.0, 5.0]], "float32")
    weighting.update(above, below, 0.1, 0.1)
    store = {}
    weighting.save_own_variables(store)
    again.load_own_variables(store)
    for each in (weighting, again):
        each.update(below, above, 0.1, 0.1)
    np.testing.assert_array_equal(task_weights(weighting), task_weights(again))


@pytest.mark.parametrize(
    "argument", ["initial_weight", "learning_rate", "perturbation"]
)
def test_impossible_arguments(argument):
    with pytest.raises(ValueError, match=f"{argument}=0; .*greater than 0"):
        AutoLambda(**{argument: 0})
