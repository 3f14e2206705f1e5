"""Promises of every factory, tested for each by name."""

import dataclasses
import math
import re
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import (
    LAYER_REPRESENTATIVES,
    SMALL,
    VECTOR_AND_PIXEL_MODELS,
    build_small,
    built,
    eager,
    mostly_slow,
    predictions,
    random_data,
    random_inputs,
    skip_without,
    takes,
    without_noise,
)
from holes import make_holes

import mtl_keras
from mtl_keras import models
from mtl_keras.training.gradients.shared_graph import split_shared_graph

# In addition to the one factory that every run of the tests takes through the
# promises of the engine.
MAPS_TOO = mostly_slow(sorted(SMALL), VECTOR_AND_PIXEL_MODELS)


def assert_same_predictions(first, second, x, **tolerance):
    """Compares the predictions of two models, output by output."""
    # Called, because `predict` would be traced for each model.
    x = keras.tree.map_structure(tf.convert_to_tensor, x)
    expected, found = first(x, training=False), second(x, training=False)
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, **tolerance)


def assert_same_optimizers(first, second):
    """Compares the states of two models' optimizers."""
    for mine, theirs in zip(
        first.optimizer.variables, second.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_all_factories_are_covered():
    assert sorted(SMALL) == models.names()


@pytest.mark.slow
def test_without_arguments_it_is_compiled_and_fits(engine_factory, rng):
    model = models.get(engine_factory)()
    assert isinstance(model, mtl_keras.MultiTaskModel)
    assert model.compiled
    assert set(model.output_names) == {task.name for task in model.tasks}
    x, y = random_data(model, 4, rng)
    loss = model.train_on_batch(x, y, return_dict=True)["loss"]
    assert np.isfinite(loss)


def test_fit_learns_from_arrays_and_logs_every_task(engine_factory, rng):
    model = build_small(engine_factory, optimizer=keras.optimizers.Adam(0.01))
    x, y = random_data(model, 16, rng)
    history = model.fit(
        x, y, batch_size=8, epochs=12, validation_split=0.5, verbose=0
    ).history
    expected = {"loss", "val_loss"}
    for task in model.tasks:
        for name in ("loss", *task.metrics):
            expected |= {f"{task.name}_{name}", f"val_{task.name}_{name}"}
    assert set(history) == expected
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.slow
def test_fit_from_dataset_equals_fit_from_arrays(engine_factory, rng):
    model = build_small(engine_factory)
    x, y = random_data(model, 10, rng)
    twin = build_small(engine_factory)
    twin.set_weights(model.get_weights())
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    twin.fit(dataset, epochs=2, shuffle=False, verbose=0)
    assert_same_predictions(model, twin, x, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_keras_file_brings_the_model_back(factory_name, rng, tmp_path):
    model = build_small(factory_name)
    model.optimizer.build(model.trainable_variables)
    # As after training, no variable has its initial value.
    for variable in (*model.weights, *model.optimizer.variables):
        one = 1 if "int" in variable.dtype else 0.1
        variable.assign(variable + one)
    name = model.tasks[0].name
    model.loss_weights[name] = 0.25
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is mtl_keras.MultiTaskModel
    assert [task.name for task in loaded.tasks] == [
        task.name for task in model.tasks
    ]
    assert dict(loaded.loss_weights) == dict(model.loss_weights)
    assert loaded.loss_weights[name] == 0.25
    x, _ = random_data(model, 8, rng)
    assert_same_predictions(model, loaded, x, rtol=1e-6)
    assert_same_optimizers(model, loaded)


@pytest.mark.slow
def test_training_goes_on_from_a_keras_file(engine_factory, rng, tmp_path):
    model = build_small(engine_factory, optimizer=keras.optimizers.Adam(0.02))
    x, y = random_data(model, 8, rng)
    model.train_on_batch(x, y)
    model.loss_weights[model.tasks[0].name] = 0.25
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same_optimizers(model, loaded)
    # The next step shows that loss, weights and optimizer state are the same.
    expected = model.train_on_batch(x, y, return_dict=True)
    found = loaded.train_on_batch(x, y, return_dict=True)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-5), key
    assert_same_predictions(model, loaded, x, rtol=1e-4, atol=1e-5)


def test_weights_argument_starts_from_a_file(engine_factory, rng, tmp_path):
    model = build_small(engine_factory)
    model.loss_weights[model.tasks[0].name] = 0.25
    x = random_inputs(model, 4, rng)
    for file in ("model.weights.h5", "model.keras"):
        path = tmp_path / file
        save = model.save if file == "model.keras" else model.save_weights
        save(path)
        again = build_small(engine_factory, weights=path)
        assert_same_predictions(model, again, x, rtol=1e-6)
        # Loss weights are a separate argument.
        assert dict(again.loss_weights) == {
            task.name: task.loss_weight for task in again.tasks
        }


@pytest.mark.parametrize("engine_factory", MAPS_TOO)
def test_clone_and_config_make_the_same_model(engine_factory, rng):
    model = build_small(engine_factory)
    model.loss_weights[model.tasks[0].name] = 0.5
    x = random_inputs(model, 4, rng)
    clone = keras.models.clone_model(model)
    again = mtl_keras.MultiTaskModel.from_config(model.get_config())
    for copy in (clone, again):
        assert type(copy) is mtl_keras.MultiTaskModel
        assert copy.tasks[0].get_config() == model.tasks[0].get_config()
        copy.set_weights(model.get_weights())
        assert_same_predictions(model, copy, x, rtol=1e-6)
    assert dict(clone.loss_weights) == dict(model.loss_weights)
    assert not again.compiled
    again.compile("sgd")
    assert again.compiled


def test_export_has_named_inputs_and_outputs(engine_factory, rng, tmp_path):
    model = build_small(engine_factory)
    x = random_inputs(model, 4, rng)
    model.export(tmp_path / "saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    serve = loaded.signatures["serving_default"]
    names = [tensor.name for tensor in model.inputs]
    assert sorted(serve.structured_input_signature[1]) == sorted(names)
    values = map(tf.constant, keras.tree.flatten(x))
    found = serve(**dict(zip(names, values, strict=True)))
    expected = model.predict(x, verbose=0)
    assert set(found) == {task.name for task in model.tasks}
    for task, values in expected.items():
        np.testing.assert_allclose(found[task], values, rtol=1e-5, atol=1e-6)


def test_split_gives_a_plain_model_a_task(engine_factory, rng, tmp_path):
    model = build_small(engine_factory)
    eager(model).train_on_batch(*random_data(model, 8, rng))
    x = random_inputs(model, 4, rng)
    expected = predictions(model, x)
    parts = mtl_keras.split(model)
    assert list(parts) == [task.name for task in model.tasks]
    for task, part in parts.items():
        assert not isinstance(part, mtl_keras.MultiTaskModel)
        assert part.count_params() <= model.count_params()
        # The variables that the graph of the task reaches must be there.
        graph = split_shared_graph(
            keras.Model(model.input, {task: model.output[task]})
        )
        reached = sum(math.prod(v.shape) for v in graph.task_variables[task])
        assert part.count_params() >= reached
        part.save(tmp_path / f"{task}.keras")
        loaded = keras.models.load_model(tmp_path / f"{task}.keras")
        for copy in (part, loaded):
            np.testing.assert_allclose(
                predictions(copy, inputs_of(copy, model, x)),
                expected[task],
                rtol=1e-6,
                atol=1e-6,
            )


def test_a_part_exports(engine_factory, rng, tmp_path):
    model = build_small(engine_factory)
    x = random_inputs(model, 4, rng)
    for task, part in mtl_keras.split(model).items():
        part.export(tmp_path / task, verbose=False)
        loaded = tf.saved_model.load(tmp_path / task)
        own = inputs_of(part, model, x)
        found = loaded.serve(keras.tree.map_structure(tf.constant, own))
        expected = predictions(model, x)[task]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def inputs_of(part, model, x):
    """Returns the inputs of a model that a part of it reads."""
    if not isinstance(model.input, dict):
        return x
    return {name: x[name] for name in part.input}


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs graphviz")
def test_plot_model_draws_it(factory_name, tmp_path):
    model = built(factory_name)
    path = tmp_path / "model.png"
    keras.utils.plot_model(model, path, show_shapes=True)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_same_seed_same_model_and_same_training(engine_factory, rng):
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        model = build_small(engine_factory)
        x, y = random_data(model, 12, np.random.default_rng(1))
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
        results.append(model.get_weights())
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)


def test_mixed_precision_keeps_the_heads_in_float32(engine_factory, rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_small(engine_factory)
        x, y = random_data(model, 4, rng)
        outputs = model(x)
        assert {str(t.dtype.name) for t in outputs.values()} == {"float32"}
        hidden = [
            layer
            for layer in model.layers
            if layer.weights
            and layer.name not in (*model.output_names, "task_relation")
        ]
        assert {layer.compute_dtype for layer in hidden} == {"bfloat16"}
        logs = eager(model).train_on_batch(x, y, return_dict=True)
        assert np.isfinite(logs["loss"])
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.slow
def test_two_replicas_equal_one(engine_factory, rng, two_replicas):
    arguments = {**without_noise(engine_factory), "optimizer": "sgd"}
    model = build_small(engine_factory, **arguments)
    with two_replicas.scope():
        twin = build_small(engine_factory, **arguments)
    twin.set_weights(model.get_weights())
    x, y = random_data(model, 16, rng)
    logs = []
    for copy in (model, twin):
        history = copy.fit(
            x, y, batch_size=8, epochs=3, shuffle=False, verbose=0
        ).history
        logs.append(history)
    for key, values in logs[0].items():
        np.testing.assert_allclose(logs[1][key], values, rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(
        model.get_weights(), twin.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_missing_labels_train_alike_on_two_replicas(
    engine_factory, rng, two_replicas
):
    arguments = {**without_noise(engine_factory), "optimizer": "sgd"}
    if takes(engine_factory, "l2"):
        arguments["l2"] = 0.01
    model = build_small(engine_factory, **arguments)
    with two_replicas.scope():
        twin = build_small(engine_factory, **arguments)
    twin.set_weights(model.get_weights())
    x, y = random_data(model, 16, rng)
    y = {
        task.name: make_holes(
            task,
            y[task.name],
            model.task_output_shapes[task.name],
            rng,
        )
        for task in model.tasks
    }
    results = []
    for copy in (model, twin):
        history = copy.fit(
            x, y, batch_size=8, epochs=2, shuffle=False, verbose=0
        ).history
        results.append((history, copy.get_weights()))
    (logs, weights), (twin_logs, twin_weights) = results
    for key, values in logs.items():
        assert np.isfinite(values).all()
        np.testing.assert_allclose(twin_logs[key], values, rtol=1e-4, atol=1e-5)
    for mine, theirs in zip(weights, twin_weights, strict=True):
        np.testing.assert_allclose(theirs, mine, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy",
    mostly_slow(["mixed_float16", "mixed_bfloat16"], ["mixed_float16"]),
)
def test_missing_labels_under_mixed_precision(engine_factory, policy, rng):
    keras.config.set_dtype_policy(policy)
    try:
        model = build_small(engine_factory)
    finally:
        keras.config.set_dtype_policy("float32")
    x, y = random_data(model, 8, rng)
    first = model.tasks[0].name
    y[first][::2] = -1
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())


def test_kernel_penalties_are_added_to_the_loss(engine_factory, rng):
    skip_without(engine_factory, "l1", "l2")
    plain = build_small(engine_factory)
    penalized = build_small(engine_factory, l1=0.01, l2=0.1)
    penalized.set_weights(plain.get_weights())
    x, y = random_data(plain, 8, rng)
    # Kernels of hidden layers, without gates and stitches.
    penalty = sum(
        0.01 * np.abs(variable.numpy()).sum()
        + 0.1 * np.square(variable.numpy()).sum()
        for layer in plain.layers
        for variable in layer.trainable_variables
        if re.match("kernel|basis|factor", variable.name)
        and layer.name not in plain.output_names
        and "_gate" not in layer.name
    )
    assert penalty > 0
    losses = [
        eager(model).evaluate(x, y, return_dict=True, verbose=0)["loss"]
        for model in (plain, penalized)
    ]
    assert losses[1] - losses[0] == pytest.approx(penalty, rel=1e-4)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_trunk_width_and_depth_vary_the_size(factory_name):
    skip_without(factory_name, "trunk_width", "trunk_depth")
    keep = {
        key: value
        for key, value in SMALL[factory_name].items()
        if key in ("input_shape", "num_classes")
    }
    build = models.get(factory_name)
    sizes = [
        build(
            **keep, trunk_width=width, trunk_depth=depth, compile=False
        ).count_params()
        for width, depth in ((4, 1), (8, 1), (8, 2))
    ]
    # A flattened CNN gets smaller dense layers as it gets deeper.
    assert sizes[0] < sizes[1]
    assert sizes[1] != sizes[2]


@pytest.mark.parametrize(
    "normalization", mostly_slow(["batch", "group", "layer", None], ["batch"])
)
def test_normalization_and_dropout_train(engine_factory, normalization, rng):
    skip_without(engine_factory, "normalization", "dropout", "activation")
    if normalization == "group" and takes(engine_factory, "num_heads"):
        pytest.skip("it would mix the steps of sequences with their padding")
    model = build_small(
        engine_factory,
        normalization=normalization,
        dropout=0.2,
        activation="elu",
    )
    x, y = random_data(model, 4, rng)
    logs = eager(model).train_on_batch(x, y, return_dict=True)
    assert np.isfinite(logs["loss"])
    kinds = [type(layer).__name__ for layer in model.layers]
    wanted = {
        "batch": "BatchNormalization",
        "group": "GroupNormalization",
        "layer": "LayerNormalization",
    }
    for key, kind in wanted.items():
        assert (kind in kinds) == (key == normalization)
    assert any("Dropout" in kind for kind in kinds)


def test_preprocessing_is_part_of_the_model(engine_factory, rng):
    skip_without(engine_factory, "preprocessing")
    scale = keras.layers.Rescaling(0.5, name="scale")
    model = build_small(engine_factory, preprocessing=scale)
    plain = build_small(engine_factory)
    plain.set_weights(model.get_weights())
    x = random_inputs(model, 4, rng)
    expected = predictions(plain, 0.5 * x)
    for name, values in predictions(model, x).items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_compile_false_leaves_it_to_the_user(factory_name):
    model = built(factory_name)
    assert not model.compiled
    with pytest.raises(AttributeError, match="compile"):
        _ = model.loss_weights


WRONG_ARGUMENTS = [
    ({"tasks": []}, "tasks is empty"),
    ({"tasks": ["mask"]}, "tasks holds 'mask'"),
    ({"tasks": "mask"}, "tasks is 'mask'"),
    (
        {"tasks": [mtl_keras.Regression("a"), mtl_keras.Regression("a")]},
        "Two tasks are named 'a'",
    ),
    (
        {"tasks": [mtl_keras.Regression("a")], "num_classes": 3},
        "num_classes=3 applies to the default tasks",
    ),
    ({"trunk_width": 0}, "trunk_width: found 0, expected 1 or more"),
    ({"trunk_width": -4}, "trunk_width: found -4"),
    ({"trunk_width": 1.5}, "trunk_width: 1.5 is not an integer"),
    ({"trunk_depth": 0}, "trunk_depth: found 0"),
    ({"dropout": 1.0}, "dropout=1.0"),
    ({"l2": -1.0}, "l2=-1.0"),
    ({"dropout": "much"}, "dropout='much' is not a number"),
    ({"preprocessing": "scale"}, "preprocessing holds 'scale'"),
    ({"normalization": "bach"}, "normalization='bach'"),
    ({"loss_weights": {"nobody": 1.0}}, "'nobody', which is not a task"),
    ({"input_shape": ()}, "axes; expected"),
    ({"weights": "nowhere.keras"}, "no file 'nowhere.keras'"),
]


def error_of(name, arguments):
    """Returns the text of the error that a factory raises, or its result."""
    keep = SMALL[name]
    if "tasks" in arguments or "trunk_width" in arguments:
        drop = ("num_classes", "filters", "hidden_units")
        keep = {k: v for k, v in keep.items() if k not in drop}
    if "trunk_depth" in arguments:
        drop = ("filters",) if "filters" in keep else ("hidden_units",)
        keep = {k: v for k, v in keep.items() if k not in drop}
    try:
        return repr(models.get(name)(**{**keep, **arguments}))
    except (TypeError, ValueError, FileNotFoundError) as error:
        return str(error)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_default_tasks_can_be_renamed(factory_name):
    default = built(factory_name)
    names = {task.name: f"my_{task.name}" for task in default.tasks}
    arguments = {"names": names, "compile": False}
    if takes(factory_name, "feeds"):
        arguments["feeds"] = {"my_fine": ["my_coarse"]}
    model = build_small(factory_name, **arguments)
    assert [task.name for task in model.tasks] == list(names.values())
    assert model.count_params() == default.count_params()
    for old, new in names.items():
        assert model.task_output_shapes[new] == default.task_output_shapes[old]
    arguments["names"] = {"nothing": "new"}
    with pytest.raises(ValueError, match="names renames 'nothing'"):
        build_small(factory_name, **arguments)
    with pytest.raises(ValueError, match="renames the default tasks, but"):
        build_small(factory_name, names=names, tasks=default.tasks)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_wrong_arguments(factory_name):
    missed = [
        f"{arguments}: {found}"
        for arguments, message in WRONG_ARGUMENTS
        if takes(factory_name, *arguments)
        and message not in (found := error_of(factory_name, arguments))
    ]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize(
    "factory_name", mostly_slow(sorted(SMALL), LAYER_REPRESENTATIVES)
)
def test_a_task_cannot_have_the_name_of_a_layer(factory_name):
    model = built(factory_name)
    # The input, if all other layers are named after tasks.
    taken = next(
        layer.name
        for layer in [*model.layers[1:], model.layers[0]]
        if not layer.name.startswith(tuple(model.output_names))
    )
    drop = ("num_classes", "feeds")
    keep = {k: v for k, v in SMALL[factory_name].items() if k not in drop}
    tasks = [dataclasses.replace(model.tasks[0], name=taken), *model.tasks[1:]]
    with pytest.raises(ValueError, match="also the name of a layer"):
        models.get(factory_name)(**keep, tasks=tasks)
