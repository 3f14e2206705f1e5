"""Every weighting by name, with compile and fit."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import build_small, mostly_slow, random_data
from holes import make_holes
from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator,
)

import mtl_keras
from mtl_keras import weighting as weightings
from mtl_keras.tasks import Regression

# Of methods that have no default for all arguments.
ARGUMENTS = {
    "importance": {
        "class_name": "importance",
        "config": {"importances": {"left": 1.0, "right": 3.0}},
    }
}


@pytest.fixture(params=mostly_slow(weightings.names(), ()))
def method(request):
    """Returns the name of each weighting in turn."""
    return request.param


def build(method, *, optimizer=None, eager=False):
    """Returns a small model of two tasks with all that can get in the way."""
    keras.utils.set_random_seed(1)
    model = build_small("build_mlp", normalization=None, l2=0.01)
    model.compile(
        optimizer or keras.optimizers.Adam(0.01),
        weighting=ARGUMENTS.get(method, method),
        run_eagerly=eager,
    )
    return model


def data(rng, count=24):
    """Inputs and targets, of which some are missing."""
    x, y = random_data(build_small("build_mlp"), count, rng)
    y = {k: v.astype("int32") for k, v in y.items()}
    y["left"][::5] = -1
    y["right"][8:16] = -1  # a batch without any label of the task
    return x, y


OPTIONS = {"batch_size": 8, "shuffle": False, "verbose": 0}


def options(method, x, y):
    """Arguments of `fit`, for the methods that need more as well."""
    if method == "auto_lambda":
        return {**OPTIONS, "held_out_data": (x, y)}
    return OPTIONS


def state(model):
    """Returns all that a step reads or writes."""
    variables = [
        *model.weights,
        *model.optimizer.variables,
        *model.weighting.variables,
    ]
    return [(variable.path, variable.numpy()) for variable in variables]


def assert_same(first, second, **tolerance):
    """Compares two states."""
    for (path, one), (_, other) in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, err_msg=path, **tolerance)


def test_it_trains_and_logs_weights(method, rng):
    model = build(method)
    x, y = data(rng)
    history = model.fit(x, y, epochs=6, **options(method, x, y)).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert history["loss"][-1] < history["loss"][0]
    assert set(history) >= {"weight/left", "weight/right"}
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    assert not any(name.startswith("weight/") for name in logs)


@pytest.mark.parametrize(
    "method", mostly_slow(weightings.names(), ["gradnorm"])
)
def test_what_was_stopped_in_the_middle_goes_on(method, rng, tmp_path):
    """From a file, and from a backup."""
    x, y = data(rng, 8)
    # Eagerly, because tracing takes longer than these few steps.
    through = build(method, eager=True)
    through.fit(x, y, epochs=3, **options(method, x, y))
    begun = build(method, eager=True)
    backup = mtl_keras.BackupAndRestore(
        tmp_path / "backup.npz", delete_checkpoint=False
    )
    begun.fit(x, y, epochs=2, callbacks=[backup], **options(method, x, y))
    begun.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.weighting) is type(begun.weighting)
    assert loaded.weighting.get_config() == begun.weighting.get_config()
    assert_same(state(loaded), state(begun), atol=0)
    loaded.fit(x, y, epochs=3, initial_epoch=2, **options(method, x, y))
    resumed = build(method, eager=True)
    resumed.fit(x, y, epochs=3, callbacks=[backup], **options(method, x, y))
    for model in (loaded, resumed):
        assert_same(state(model), state(through), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_two_replicas_equal_one(method, rng, two_replicas):
    x, y = data(rng)
    model = build(method, optimizer=keras.optimizers.SGD(0.05))
    with two_replicas.scope():
        twin = build(method, optimizer=keras.optimizers.SGD(0.05))
    twin.set_weights(model.get_weights())
    for copy in (model, twin):
        copy.fit(x, y, epochs=2, **options(method, x, y))
    assert_same(state(twin), state(model), rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize(
    "options",
    mostly_slow(
        [
            {"steps_per_execution": 2},
            {"run_eagerly": True},
            {"optimizer": "accumulating"},
            {"optimizer": "scaled"},
        ],
        [{"steps_per_execution": 2}],
    ),
    ids=lambda options: "-".join(map(str, next(iter(options.items())))),
)
@pytest.mark.parametrize(
    "method", mostly_slow(["famo", "pcgrad", "graddrop"], ["graddrop"])
)
def test_ways_of_training(method, options, rng):
    optimizers = {
        "accumulating": keras.optimizers.Adam(gradient_accumulation_steps=2),
        "scaled": keras.optimizers.LossScaleOptimizer(
            keras.optimizers.Adam(), initial_scale=8.0
        ),
    }
    model = build(method)
    options = {**options}
    optimizer = optimizers.get(options.pop("optimizer", ""), "adam")
    model.compile(optimizer, weighting=method, **options)
    x, y = data(rng)
    history = model.fit(x, y, epochs=2, **OPTIONS).history
    assert all(np.isfinite(values).all() for values in history.values())


@pytest.mark.parametrize(
    "method", mostly_slow(["uncertainty", "mgda", "db_mtl"], ())
)
def test_loss_scaling_changes_nothing(method, rng):
    x, y = data(rng)
    results = []
    for optimizer in (
        keras.optimizers.SGD(0.1),
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.1), initial_scale=1024.0
        ),
    ):
        model = build(method, optimizer=optimizer)
        model.fit(x, y, epochs=2, **OPTIONS)
        results.append([(v.path, v.numpy()) for v in model.weights])
    assert_same(*results, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_frozen_layers_stay(rng):
    model = build_small("build_mlp", hidden_units=(8, 8))
    model.layers[1].trainable = False
    model.compile("sgd", weighting="pcgrad")
    frozen = model.layers[1].get_weights()
    x, y = data(rng)
    model.fit(x, y, **OPTIONS)
    for before, after in zip(
        frozen, model.layers[1].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_several_inputs_and_an_embedding(rng):
    words = keras.Input((3,), dtype="int32", name="words")
    numbers = keras.Input((2,), name="numbers")
    x = keras.layers.Flatten()(keras.layers.Embedding(9, 4)(words))
    x = keras.layers.Concatenate()([x, numbers])
    x = keras.layers.Dense(6, "tanh")(x)
    tasks = [Regression("a"), Regression("b", units=2)]
    model = mtl_keras.MultiTaskModel(
        {"words": words, "numbers": numbers},
        {task.name: task.head(x) for task in tasks},
        tasks=tasks,
    )
    inputs = {
        "words": rng.integers(9, size=(12, 3)),
        "numbers": rng.normal(size=(12, 2)),
    }
    y = {"a": rng.normal(size=12), "b": rng.normal(size=(12, 2))}
    for gradients in ("parameters", "features"):
        model.compile(
            "sgd", weighting="mgda", gradients=gradients, run_eagerly=True
        )
        logs = model.train_on_batch(inputs, y, return_dict=True)
        assert np.isfinite(logs["loss"])


def test_what_the_monitor_logs_and_tensorboard_shows(rng, tmp_path):
    model = build("pcgrad")
    model.compile("sgd", weighting="pcgrad", monitor=True)
    x, y = data(rng)
    board = keras.callbacks.TensorBoard(tmp_path)
    history = model.fit(
        x,
        y,
        epochs=2,
        validation_data=(x, y),
        callbacks=[board],
        **OPTIONS,
    ).history
    assert -1 <= history["cosine/left/right"][0] <= 1
    assert history["norm/left"][0] > 0
    assert 0 <= history["conflicts"][0] <= 1
    assert history["condition"][0] >= 0
    assert not any(name.startswith("val_cosine") for name in history)
    with pytest.raises(ValueError, match="monitor=True logs the Gramian"):
        model.compile("sgd", weighting="uncertainty", monitor=True)
    shown = EventAccumulator(str(tmp_path / "train")).Reload()
    for name in ("weight/left", "weight/right", "cosine/left/right"):
        values = [
            float(tf.make_ndarray(event.tensor_proto))
            for event in shown.Tensors(f"epoch_{name}")
        ]
        assert values == pytest.approx(history[name])


@pytest.mark.slow
def test_one_task_works_as_plain_and_says_so_once(rng):
    x = rng.normal(size=(16, 3)).astype("float32")
    y = {"a": rng.normal(size=16).astype("float32")}
    weights = []
    for method in (None, "pcgrad"):
        keras.utils.set_random_seed(2)
        model = mtl_keras.build_mlp((3,), [Regression("a")], compile=False)
        if method is None:
            model.compile("sgd", run_eagerly=True)
        else:
            with pytest.warns(UserWarning, match="has one task") as said:
                model.compile("sgd", weighting=method, run_eagerly=True)
            assert len(said) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(x, y, epochs=2, **OPTIONS)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_instance_belongs_to_one_set_of_tasks():
    method = weightings.get("uncertainty")
    build(method)
    with pytest.raises(
        ValueError, match="Create a new weighting for each model"
    ):
        mtl_keras.build_mlp((3,), [Regression("other")], weighting=method)


@pytest.mark.slow
def test_factories_take_a_weighting(sharing_engine_factory, rng):
    model = build_small(
        sharing_engine_factory, weighting="mgda", gradients="features"
    )
    x, y = random_data(model, 8, rng)
    y = {
        t.name: make_holes(
            t, y[t.name], model.task_output_shapes[t.name], rng, whole=True
        )
        for t in model.tasks
    }
    history = model.fit(x, y, batch_size=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    with pytest.raises(ValueError, match="Did you mean 'pcgrad'"):
        build_small(sharing_engine_factory, weighting="pcgrd")


@pytest.mark.slow
@pytest.mark.parametrize("method", mostly_slow(["gls", "famo"], ["gls"]))
def test_a_negative_loss_is_named_where_none_can_be(method, rng):
    task = Regression("angle", units=2, loss="cosine_similarity")
    model = mtl_keras.build_mlp((3,), [task, Regression("size")])
    model.compile("sgd", weighting=method, run_eagerly=True)
    x = rng.normal(size=(8, 3)).astype("float32")
    y = {"angle": model.predict(x, verbose=0)["angle"], "size": x[:, 0]}
    with pytest.raises(ValueError, match=r"Task 'angle': the loss is -"):
        model.fit(x, y, verbose=0)
