"""Weightings that receive the losses of a batch after the update."""

import keras
import numpy as np

import mtl_keras
from mtl_keras.tasks import Regression


def test_a_second_look_leaves_batch_normalization_alone(rng):
    x = rng.normal(size=(6, 3)).astype("float32")
    y = {name: rng.uniform(size=(6, 1)).astype("float32") for name in "ab"}
    model = mtl_keras.build_mlp(
        (3,),
        [Regression("a"), Regression("b")],
        hidden_units=(4,),
        normalization="batch",
    )
    start = model.get_weights()
    statistics = [v for v in model.variables if "moving" in v.path]
    assert len(statistics) == 2
    found = []
    for weighting in ("equal", "famo"):
        model.set_weights(start)
        model.compile(
            keras.optimizers.SGD(0.0), weighting=weighting, run_eagerly=True
        )
        model.train_on_batch(x, y)
        found.append([variable.numpy() for variable in statistics])
    assert np.abs(found[0][0]).max() > 0
    for first, second in zip(*found, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-6)
