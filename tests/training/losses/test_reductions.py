"""Losses with reduction="sum", and penalties, on two replicas.

Without a graph, which would take longer to trace than to run.
"""

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras.tasks import Regression


def test_two_replicas_train_on_the_sum_of_the_whole_batch(two_replicas, rng):
    loss = keras.losses.MeanSquaredError(reduction="sum")
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (3,), [Regression("a", loss=loss)], hidden_units=()
        )
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
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


@pytest.mark.parametrize("weighting", mostly_slow([None, "pcgrad"], ["pcgrad"]))
def test_two_replicas_penalize_weights_once(weighting, two_replicas, rng):
    with two_replicas.scope():
        model = mtl_keras.build_mlp(
            (3,), [Regression("a"), Regression("b")], hidden_units=(2,), l2=0.1
        )
        model.compile(
            keras.optimizers.SGD(0.5), weighting=weighting, run_eagerly=True
        )
    kernel = model.layers[1].kernel.numpy()
    x = rng.normal(size=(6, 3)).astype("float32")
    # Nothing else is to be learned.
    y = {name: values.numpy() for name, values in model(x).items()}
    model.fit(x, y, batch_size=6, verbose=0)
    found = model.layers[1].kernel.numpy()
    np.testing.assert_allclose(found, kernel * (1 - 0.5 * 2 * 0.1), rtol=1e-5)
