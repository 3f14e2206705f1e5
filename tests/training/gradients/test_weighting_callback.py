"""The mean losses that a weighting receives at the end of an epoch."""

import keras
import numpy as np
import tensorflow as tf

import mtl_keras
from mtl_keras.tasks import Regression
from mtl_keras.weighting import Weighting


class Sum(Weighting):
    """The plain sum, which stores the losses that it receives."""

    told = None

    def combine(self, losses):
        return tf.reduce_sum(losses)

    def on_epoch_end(self, mean_losses):
        self.told = mean_losses


def test_mean_losses_have_the_loss_weights(rng):
    model = mtl_keras.build_mlp(
        (3,), [Regression("a"), Regression("b")], hidden_units=(), compile=False
    )
    weighting = Sum()
    model.compile(
        keras.optimizers.SGD(0.0),
        loss_weights={"a": 0.5},
        weighting=weighting,
        run_eagerly=True,
    )
    x = rng.normal(size=(5, 3)).astype("float32")
    y = {name: rng.normal(size=(5, 1)).astype("float32") for name in "ab"}
    model.fit(x, y, batch_size=5, verbose=0)
    expected = [
        weight * np.square(model(x)[name] - y[name]).mean()
        for name, weight in (("a", 0.5), ("b", 1.0))
    ]
    np.testing.assert_allclose(weighting.told, expected, rtol=1e-5)
