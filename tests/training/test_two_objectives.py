"""The toy of CAGrad and Nash-MTL, trained through compile and fit.

Two objectives of a point in the plane; the Pareto set is a line at the bottom,
and a slope of one objective hides it from methods that add losses up.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

import mtl_keras
from mtl_keras.tasks import Regression

LOW = 5e-6
STEPS = 50_000
HARD_STARTS = [(-8.5, 7.5), (9.0, 9.0)]


class Objectives(keras.layers.Layer):
    """The two objectives of a trainable point."""

    def __init__(self, start):
        super().__init__(name="objectives")
        self.start = start

    def build(self, input_shape):
        self.point = self.add_weight(
            shape=(2,), initializer=lambda shape, dtype: ops.array(self.start)
        )

    def call(self, inputs):
        x, y = self.point[0], self.point[1]
        first = ops.abs(0.5 * (-x - 7) - ops.tanh(-y))
        second = ops.abs(0.5 * (-x + 3) + ops.tanh(-y) + 2)
        f = [ops.log(ops.maximum(v, LOW)) + 6 for v in (first, second)]
        q = [
            ((-x + shift) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20
            for shift in (7, -7)
        ]
        above = ops.maximum(ops.tanh(y / 2), 0.0)
        below = ops.maximum(ops.tanh(-y / 2), 0.0)
        return [
            (above * f[i] + below * q[i]) * ops.ones_like(inputs)
            for i in range(2)
        ]


def value(y_true, y_pred):
    """The objective itself."""
    return y_pred[:, 0]


def descend(weighting, start):
    """Where 50,000 steps of Adam lead to."""
    inputs = keras.Input((1,))
    layer = Objectives(np.array(start, "float32"))
    tasks = [
        Regression(name, loss=value, metrics=(), complete_labels=True)
        for name in ("first", "second")
    ]
    outputs = {
        task.name: keras.layers.Identity(name=task.name)(objective)
        for task, objective in zip(tasks, layer(inputs), strict=True)
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile(
        keras.optimizers.Adam(1e-3),
        weighting=weighting,
        steps_per_execution=5000,
    )
    one = tf.ones((1, 1))
    batch = (one, {"first": one, "second": one})
    batches = tf.data.Dataset.from_tensors(batch).repeat(STEPS)
    model.fit(batches, verbose=0)
    return layer.point.numpy()


@pytest.mark.slow
@pytest.mark.parametrize("start", HARD_STARTS, ids=["left", "right"])
@pytest.mark.parametrize(
    "weighting",
    [
        "mgda",
        "imtl_g",
        "nash",
        "aligned",
        {
            "class_name": "famo",
            "config": {"min_losses": {"first": -25.0, "second": -25.0}},
        },
    ],
    ids=lambda w: w if isinstance(w, str) else w["class_name"],
)
def test_methods_that_reach_the_pareto_set(weighting, start):
    x, y = descend(weighting, start)
    assert -7.1 <= x <= 7.1
    assert y == pytest.approx(-8.3552, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("start", HARD_STARTS, ids=["left", "right"])
def test_the_sum_of_losses_is_stuck_at_hard_starts(start):
    x, y = descend(None, start)
    assert y > 1
    assert np.sign(x) == np.sign(start[0])


@pytest.mark.slow
def test_the_sum_of_losses_reaches_its_optimum_from_elsewhere():
    x, y = descend("equal", (-8.5, -5.0))
    np.testing.assert_allclose([x, y], [0, -8.36], atol=0.1)
