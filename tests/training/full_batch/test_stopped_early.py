"""Interruptions and NaN losses leave the best weights."""

import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from factory_harness import mostly_slow
from full_batch_problems import linear, small

from mtl_keras import Regression, fit_full_batch
from mtl_keras.training import NonFiniteLossError


@pytest.mark.parametrize(
    "error", mostly_slow([KeyboardInterrupt, RuntimeError], [KeyboardInterrupt])
)
def test_interruption_leaves_the_best_weights(error, data):
    x, y = data
    model, losses = small(), []

    def interrupt(epoch, logs):
        losses.append(logs["loss"])
        if epoch == 2:
            model.set_weights([0 * w + 9 for w in model.get_weights()])
            raise error

    callback = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    with pytest.raises(error):
        fit_full_batch(model, x, y, callbacks=[callback], verbose=0)
    found = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.slow
def test_ctrl_c_in_a_real_process():
    """The signal comes while SciPy or TensorFlow is at work."""
    code = """
import numpy as np, keras, mtl_keras
keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(400, 20)).astype("float32")
y = {"a": np.sin(9 * x[:, 0]), "b": np.cos(9 * x[:, 1])}
tasks = [mtl_keras.Regression(name) for name in y]
model = mtl_keras.build_mlp((20,), tasks, hidden_units=(64, 64))
losses = []
def record(epoch, logs):
    losses.append(logs["loss"])
    if epoch == 4:
        print("ready", flush=True)
callback = keras.callbacks.LambdaCallback(on_epoch_end=record)
try:
    mtl_keras.fit_full_batch(
        model, x, y, iterations=10**6, tolerance=0, callbacks=[callback],
        verbose=0,
    )
except KeyboardInterrupt:
    loss = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert loss <= min(losses) * (1 + 1e-5), (loss, min(losses))
    print("kept", flush=True)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=300)[0] == "kept\n"


@pytest.mark.slow
def test_non_finite_loss_names_the_task(data):
    x, y = data

    def inverse(y_true, y_pred):
        return keras.ops.mean(y_pred, axis=-1) * np.float32(np.inf)

    tasks = [Regression("left"), Regression("right", loss=inverse)]
    model = linear(tasks)
    before = model.get_weights()
    with pytest.raises(NonFiniteLossError, match=r"task 'right' .*iteration 1"):
        fit_full_batch(model, x, y, verbose=0)
    for value, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.slow
def test_non_finite_on_the_way_leaves_the_best_weights(data):
    x, y = data

    def cliff(y_true, y_pred):
        # Falls towards a cliff, behind which there is nothing.
        value = keras.ops.mean(y_pred, axis=-1)
        return keras.ops.where(value > -50, value, np.float32(np.nan))

    model = linear([Regression("left", loss=cliff), Regression("right")])
    with pytest.raises(NonFiniteLossError, match=r"task 'left' \(nan\)"):
        fit_full_batch(model, x, y, verbose=0)
    found = model.evaluate(x, y, verbose=0, return_dict=True)["loss"]
    assert np.isfinite(found)
