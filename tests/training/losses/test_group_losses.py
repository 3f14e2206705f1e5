"""Logged losses of tasks that are computed together."""

import keras
import numpy as np

import mtl_keras
from mtl_keras.tasks import Regression, groups


def test_eager_losses_count_a_short_batch_by_its_samples(rng):
    names = [f"size_{index}" for index in range(groups.LEAST_TASKS)]
    model = mtl_keras.build_mlp(
        (3,), list(map(Regression, names)), hidden_units=(), compile=False
    )
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    x = rng.normal(size=(3, 3)).astype("float32")
    y = {name: rng.normal(size=(3, 1)).astype("float32") for name in names}
    logs = model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history
    for name, predicted in model(x).items():
        expected = np.square(predicted - y[name]).mean()
        np.testing.assert_allclose(logs[f"{name}_loss"], [expected], rtol=1e-5)
