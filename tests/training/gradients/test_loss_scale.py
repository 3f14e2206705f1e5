"""Weightings together with loss scaling."""

import keras
import numpy as np
import pytest

import mtl_keras
from mtl_keras.tasks import Regression


@pytest.mark.parametrize("gradients", ["parameters", "features"])
def test_gramians_are_of_gradients_without_the_scale(gradients, rng):
    model = mtl_keras.build_mlp(
        (4,), [Regression("a"), Regression("b")], hidden_units=(3,)
    )
    x = rng.normal(size=(6, 4)).astype("float32")
    y = {name: rng.normal(size=6).astype("float32") for name in "ab"}
    found = []
    for optimizer in (
        keras.optimizers.SGD(0.0),
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.0), initial_scale=1024.0
        ),
    ):
        model.compile(
            optimizer,
            weighting="pcgrad",
            gradients=gradients,
            monitor=True,
            run_eagerly=True,
        )
        logs = model.train_on_batch(x, y, return_dict=True)
        found.append([logs[key] for key in ("norm/a", "norm/b", "cosine/a/b")])
    assert found[0][0] > 0
    np.testing.assert_allclose(*found, rtol=1e-4)
