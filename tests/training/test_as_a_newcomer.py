"""Regression tests of first steps with the defaults."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import eager

import mtl_keras
from mtl_keras import Classification, Regression
from mtl_keras.training import NonFiniteLossError

TASKS = [Regression("size"), Classification("kind", 3)]


def data(rng, count=6):
    x = rng.normal(size=(count, 3)).astype("float32")
    return x, {"size": x[:, 0], "kind": rng.integers(3, size=count)}


def small():
    model = mtl_keras.build_mlp((3,), TASKS, hidden_units=(2,))
    return eager(model)


def test_evaluate_lists_the_losses_first(rng):
    model, (x, y) = small(), data(rng)
    found = model.evaluate(x, y, verbose=0)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    names = ["loss", "size_loss", "kind_loss"]
    others = sorted(set(logs) - set(names))
    assert found == pytest.approx([logs[name] for name in names + others])


def test_everything_in_float64(rng):
    keras.config.set_floatx("float64")
    try:
        model = small()
        x, y = data(rng)
        history = model.fit(x.astype("float64"), y, verbose=0).history
    finally:
        keras.config.set_floatx("float32")
    assert np.isfinite(history["loss"]).all()


def test_a_loss_that_ignores_a_class_is_refused():
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=1)
    task = Classification("kind", 3, loss=loss)
    with pytest.raises(ValueError, match=r"'kind'.*ignore_class=1.*-1"):
        mtl_keras.build_mlp((3,), [task])


def of_a_dict():
    inputs = {name: keras.Input((2,), name=name) for name in "ab"}
    joined = keras.layers.Concatenate()(list(inputs.values()))
    task = Regression("size")
    model = mtl_keras.MultiTaskModel(
        inputs, {"size": task.head(joined)}, tasks=[task]
    )
    model.compile("sgd", run_eagerly=True)
    return model


def test_a_dict_may_hold_more_than_the_inputs(rng):
    model, x = of_a_dict(), rng.normal(size=(4, 2)).astype("float32")
    inputs = {"c": x, "b": x, "a": 2 * x}
    model.fit(inputs, {"size": x[:, 0]}, verbose=0)
    found = model.predict(inputs, verbose=0)["size"]
    expected = model({"a": 2 * x, "b": x})["size"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_dict_that_lacks_an_input_is_refused(rng):
    x = rng.normal(size=(4, 2)).astype("float32")
    with pytest.raises(ValueError, match=r"lack 'b'.*\['a'\]"):
        of_a_dict().fit({"a": x}, {"size": x[:, 0]}, verbose=0)


def test_a_last_batch_that_is_not_finite_on_another_replica_stops(
    two_replicas, rng
):
    with two_replicas.scope():
        model = small()
    x, y = data(rng, 8)
    y["size"][-1] = np.inf
    stream = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    with pytest.raises(NonFiniteLossError, match="'size'"):
        model.fit(stream, verbose=0)


def test_a_batch_is_predicted_once_on_two_replicas(two_replicas, rng):
    with two_replicas.scope():
        model = small()
    x, _ = data(rng, 5)
    found = model.predict_on_batch(x)["kind"]
    assert found.shape == (5, 3)
    np.testing.assert_allclose(found, model(x)["kind"], rtol=1e-5)


def test_metrics_of_a_step_of_ones_own_are_updated(rng):
    """The loop of Keras's guide, which updates each metric."""
    model, (x, y) = small(), data(rng)
    model.reset_metrics()
    y_pred = model(x)
    for metric in model.metrics:
        if metric.name == "loss":
            metric.update_state(3.0)
        else:
            metric.update_state(y, y_pred)
    logs = model.get_metrics_result()
    assert float(logs["loss"]) == 3.0
    errors = y_pred["size"].numpy()[:, 0] - y["size"]
    assert float(logs["size_mae"]) == pytest.approx(np.abs(errors).mean(), 1e-5)
