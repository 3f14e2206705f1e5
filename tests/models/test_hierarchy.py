"""Tasks that read a trunk at different depths, and each other."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import predictions

from mtl_keras import (
    Regression,
    build_hierarchical_cnn,
    build_hierarchical_mlp,
    build_mlp,
)
from mtl_keras.training.gradients.shared_graph import split_shared_graph

TASKS = [Regression("low"), Regression("mid"), Regression("high", units=2)]


def small(**arguments):
    options = {"hidden_units": (4, 3, 5), "activation": "tanh", **arguments}
    return build_hierarchical_mlp((6,), TASKS, **options)


def dense(model, name, x):
    kernel, bias = (w.numpy() for w in model.get_layer(name).weights)
    return x @ kernel + bias


def test_defaults_read_the_middle_and_the_top():
    model = build_hierarchical_mlp()
    assert model.task_output_shapes == {"coarse": (2,), "fine": (10,)}
    assert model.get_layer("coarse").input.name != (
        model.get_layer("fine").input.name
    )
    deep = small()
    widths = [deep.get_layer(t.name).kernel.shape[0] for t in TASKS]
    assert widths == [3, 5, 5]


@pytest.mark.parametrize("stop_gradient", [True, False])
def test_it_is_the_formula(stop_gradient, rng):
    model = small(
        levels={"low": 1, "mid": 2},
        feeds={"mid": ["low"], "high": ["mid", "low"]},
        stop_gradient=stop_gradient,
    )
    x = rng.normal(size=(7, 6)).astype("float32")
    h, levels = x, []
    for level in (1, 2, 3):
        h = np.tanh(dense(model, f"trunk_{level}_dense_1", h))
        levels.append(h)
    low = dense(model, "low", levels[0])
    mid = dense(model, "mid", np.concatenate([levels[1], low], axis=1))
    high = dense(model, "high", np.concatenate([levels[2], mid, low], axis=1))
    found = predictions(model, x)
    for name, expected in {"low": low, "mid": mid, "high": high}.items():
        np.testing.assert_allclose(found[name], expected, atol=1e-5)


def test_all_tasks_at_the_top_are_hard_sharing(rng):
    model = small(levels={})
    hard = build_mlp((6,), TASKS, hidden_units=(4, 3, 5), activation="tanh")
    hard.set_weights(model.get_weights())
    x = rng.normal(size=(7, 6)).astype("float32")
    expected = predictions(hard, x)
    for name, values in predictions(model, x).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)


@pytest.mark.parametrize("stop_gradient", [True, False])
@pytest.mark.parametrize("kind", ["mlp", "cnn"])
def test_a_task_trains_what_it_reads_from_unless_stopped(
    kind, stop_gradient, rng
):
    options = {
        "levels": {"low": 1},
        "feeds": {"high": ["low"]},
        "stop_gradient": stop_gradient,
    }
    if kind == "mlp":
        model = small(**options)
    else:
        model = build_hierarchical_cnn(
            (8, 8, 1), TASKS, filters=(3, 4), **options
        )
    x = rng.normal(size=(4, *model.input_shape[1:])).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(x)["high"])
    names = [v.path for v in model.trainable_variables]
    gradients = tape.gradient(
        loss, [v.value for v in model.trainable_variables]
    )
    reached = {
        name
        for name, gradient in zip(names, gradients, strict=True)
        if gradient is not None
    }
    assert ("low/kernel" in reached) == (not stop_gradient)
    graph = split_shared_graph(model)
    shared = {v.path for v in graph.shared}
    own = {v.path for v in graph.task_variables["high"]}
    assert shared | own >= reached
    assert ("low/kernel" in shared) == (not stop_gradient)


def test_what_stops_gradients_is_still_what_the_graph_looks_for():
    """If Keras renames the operation, `shared_graph` must change."""
    stopped = keras.ops.stop_gradient(keras.KerasTensor((2, 3)))
    operation, _, _ = stopped._keras_history
    assert type(operation).__name__ == "StopGradient"


def test_a_part_that_is_only_read_past_a_stop_belongs_to_nobody(rng):
    """The heads still compute it from the frontier."""
    from mtl_keras import MultiTaskModel

    inputs = keras.Input((4,))
    trunk = keras.layers.Dense(3, name="trunk")(inputs)
    side = keras.layers.Dense(2, name="side")(trunk)
    stopped = keras.ops.stop_gradient(side)
    tasks = [Regression("a"), Regression("b")]
    both = keras.layers.Concatenate()([trunk, stopped])
    outputs = {"a": tasks[0].head(trunk), "b": tasks[1].head(both)}
    model = MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile("sgd", weighting="mgda", run_eagerly=True)
    graph = split_shared_graph(model)
    assert {v.path for v in graph.shared} == {"trunk/kernel", "trunk/bias"}
    paths = {v.path for of in graph.task_variables.values() for v in of}
    assert not any(path.startswith("side") for path in paths)
    x = rng.normal(size=(5, 4)).astype("float32")
    found = graph.heads(keras.tree.flatten(graph.trunk(x)))
    for name, values in model(x).items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)
    before = model.get_layer("side").get_weights()
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        model.train_on_batch(x, {"a": x[:, 0], "b": x[:, 1]})
    for old, new in zip(
        before, model.get_layer("side").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"levels": {"lwo": 1}}, ValueError, "levels names 'lwo', which is no"),
        ({"levels": {"lwo": 1}}, ValueError, "Did you mean 'low'"),
        ({"levels": {"low": 4}}, ValueError, "the trunk has 3 levels"),
        ({"levels": {"low": 0}}, ValueError, "levels: found 0"),
        ({"levels": {"low": "top"}}, TypeError, "levels: 'top'"),
        ({"levels": 2}, TypeError, "levels=2; expected a dict"),
        ({"feeds": {"hgih": ["low"]}}, ValueError, "feeds names 'hgih'"),
        (
            {"feeds": {"high": ["lwo"]}},
            ValueError,
            r"feeds\['high'\] names 'lwo'",
        ),
        ({"feeds": {"high": "low"}}, TypeError, r"such as \['low'\]"),
        (
            {"feeds": {"high": ["low"], "low": ["high"]}},
            ValueError,
            "feeds has a cycle, .*'low'.*: each of these tasks",
        ),
        ({"feeds": {"low": ["low"]}}, ValueError, "feeds has a cycle"),
    ],
)
def test_wrong_hierarchies(arguments, error, message):
    with pytest.raises(error, match=message):
        small(**arguments)
