"""Losses of epochs, against plain sums over all labels."""

import contextlib

import keras
import numpy as np
import pytest
from factory_harness import build_small, mostly_slow, random_data

FACTORY = {"name": "build_mlp", "l2": 0.01}


def compiled(model, run_eagerly, plain=False):
    """A copy of a model, of this library or of plain Keras."""
    tasks = model.tasks
    weights = {task.name: 0.5 + i for i, task in enumerate(tasks)}
    arguments = {"loss_weights": weights, "run_eagerly": run_eagerly}
    if plain:
        outputs = dict(zip(model.output_names, model.outputs, strict=True))
        copy = keras.models.clone_model(keras.Model(model.inputs, outputs))
        copy.set_weights(model.get_weights())
        arguments["loss"] = {task.name: task.loss for task in tasks}
        model = copy
    model.compile(keras.optimizers.SGD(0.1), **arguments)
    return model


def logs_of(model, data):
    """Losses of two epochs with a short last batch, and of an evaluation."""
    how = {"batch_size": 4, "verbose": 0}
    logs = model.fit(
        *data, epochs=2, shuffle=False, validation_data=data, **how
    ).history
    evaluated = model.evaluate(*data, return_dict=True, **how)
    logs |= {f"evaluated_{name}": value for name, value in evaluated.items()}
    return {name: logs[name] for name in logs if name.endswith("loss")}


def assert_same_logs(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, 1e-5, err_msg=name)


@pytest.mark.parametrize("run_eagerly", mostly_slow([False, True], ()))
@pytest.mark.parametrize("own_step", mostly_slow([False, True], [True]))
def test_losses_of_short_batches_are_logged_as_in_keras(
    own_step, run_eagerly, rng
):
    model = build_small(**FACTORY)
    data = random_data(model, 9, rng)
    plain = logs_of(compiled(model, run_eagerly, plain=True), data)
    model = compiled(model, run_eagerly)
    model.non_finite = "skip" if own_step else "stop"
    logs = logs_of(model, data)
    assert_same_logs(logs, plain)


@pytest.mark.slow
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_two_replicas_log_losses_of_short_batches_as_in_keras(
    run_eagerly, two_replicas, rng
):
    one = build_small(**FACTORY)
    with two_replicas.scope():
        model = build_small(**FACTORY)
    model.set_weights(one.get_weights())
    data = random_data(model, 9, rng)
    plain = logs_of(compiled(one, run_eagerly, plain=True), data)
    with two_replicas.scope():
        model = compiled(model, run_eagerly)
    assert_same_logs(logs_of(model, data), plain)


@pytest.mark.parametrize("replicas", mostly_slow([1, 2], [1]))
def test_losses_of_missing_labels_are_means_over_labels(
    replicas, two_replicas, rng
):
    """However they lie in batches and on replicas."""
    scope = two_replicas.scope() if replicas > 1 else contextlib.nullcontext()
    with scope:
        model = build_small(**FACTORY)
        model.compile(keras.optimizers.SGD(0.0))
    x, y = random_data(model, 9, rng)
    first, _ = (task.name for task in model.tasks)
    y[first][[0, 1, 2, 5]] = -1
    labelled = y[first] >= 0
    expected = model.evaluate(
        x[labelled],
        {name: values[labelled] for name, values in y.items()},
        return_dict=True,
        verbose=0,
    )
    logs = logs_of(model, (x, y))
    for name in (f"{first}_loss", f"val_{first}_loss"):
        assert logs[name][0] == pytest.approx(
            expected[f"{first}_loss"], rel=1e-5
        )
