"""Losses whose reduction is a sum, which replicas must not divide."""

import keras
import numpy as np
import pytest

import mtl_keras
from mtl_keras.tasks import Regression


def test_two_replicas_train_on_the_sum_of_the_whole_batch(two_replicas, rng):
    loss = keras.losses.MeanSquaredError(reduction="sum")
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (3,),
            [Regression("a", loss=loss)],
            hidden_units=(),
            optimizer=keras.optimizers.SGD(0.01),
        )
    kernel, _ = model.get_weights()
    x = rng.normal(size=(6, 3)).astype("float32")
    y = rng.normal(size=(6, 1)).astype("float32")
    y[[1, 4]] = np.nan
    kept = ~np.isnan(y[:, 0])
    errors = (x @ kernel - y)[kept]
    logs = model.fit(x, {"a": y}, batch_size=6, verbose=0).history
    assert logs["a_loss"] == pytest.approx([np.square(errors).sum()], rel=1e-5)
    expected = kernel - 0.01 * 2 * x[kept].T @ errors
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)
