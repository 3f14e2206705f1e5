"""The toy of CAGrad and Nash-MTL, trained through compile and fit.

Two objectives of a point in the plane. Two steep valleys, one of each
objective, lead down to the Pareto set; the sum of the objectives gets stuck in
them. `benchmarks/studies/two_objectives.py` draws it.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import mtl_keras

TASKS = ("first", "second")
STEPS = 50_000
# As in the toy of FAMO, which takes logarithms: the losses are at least 1. A
# constant changes no gradient, so methods of gradients are unaffected.
OFFSET = 21.0
# The Pareto set is a line at the bottom, the least sum its middle.
PARETO_X = (-7.0, 7.0)
PARETO_Y = -8.3552

_LOW = 5e-6


def objectives(x, y):
    """Returns the two objectives, of tensors or arrays of one shape."""
    first = ops.abs(0.5 * (-x - 7) - ops.tanh(-y))
    second = ops.abs(0.5 * (-x + 3) + ops.tanh(-y) + 2)
    valleys = [ops.log(ops.maximum(v, _LOW)) + 6 for v in (first, second)]
    bowls = [
        ((-x + shift) ** 2 + 0.1 * (-y - 8) ** 2) / 10 - 20 for shift in (7, -7)
    ]
    above = ops.maximum(ops.tanh(y / 2), 0.0)
    below = ops.maximum(ops.tanh(-y / 2), 0.0)
    return [
        above * valley + below * bowl
        for valley, bowl in zip(valleys, bowls, strict=True)
    ]


def is_pareto(x, y):
    """Returns whether a point is within 0.1 of the Pareto set."""
    low, high = PARETO_X
    return low - 0.1 <= x <= high + 0.1 and abs(y - PARETO_Y) < 0.1


def descend(weighting, start, steps=STEPS, epochs=1, **compile_arguments):
    """Follows a point through steps of Adam.

    Returns the point at the start and after each epoch, `(epochs + 1, 2)`.
    """
    inputs = keras.Input((1,))
    layer = _Objectives(np.array(start, "float32"))
    tasks = [
        mtl_keras.Regression(
            name, loss=_output, metrics=(), complete_labels=True
        )
        for name in TASKS
    ]
    outputs = {
        name: keras.layers.Identity(name=name)(objective)
        for name, objective in zip(TASKS, layer(inputs), strict=True)
    }
    model = mtl_keras.MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile(
        keras.optimizers.Adam(1e-3),
        weighting=weighting,
        steps_per_execution=min(steps // epochs, 5000),
        **compile_arguments,
    )
    one = tf.ones((1, 1))
    batch = (one, dict.fromkeys(TASKS, one))
    path = [layer.point.numpy()]
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: path.append(layer.point.numpy())
    )
    model.fit(
        tf.data.Dataset.from_tensors(batch).repeat(steps // epochs),
        epochs=epochs,
        callbacks=[note],
        verbose=0,
    )
    return np.stack(path)


class _Objectives(keras.layers.Layer):
    """The two objectives of a trainable point."""

    def __init__(self, start):
        super().__init__(name="objectives")
        self.start = start

    def build(self, input_shape):
        self.point = self.add_weight(
            shape=(2,), initializer=lambda shape, dtype: ops.array(self.start)
        )

    def call(self, inputs):
        return [
            (objective + OFFSET) * ops.ones_like(inputs)
            for objective in objectives(self.point[0], self.point[1])
        ]


def _output(y_true, y_pred):
    return y_pred[:, 0]
