"""Models split by task."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import (
    build_small,
    mostly_slow,
    random_data,
    random_inputs,
)

import mtl_keras
from mtl_keras import (
    Classification,
    MultiTaskModel,
    Regression,
    models,
    split,
)
from mtl_keras.layers import GroupedDense

TASKS = [Regression("a"), Regression("b", units=2)]
UNITS = {"hidden_units": (4,)}
TOWERS = {**UNITS, "tower_units": (3,)}
# Factories where a task alone is the family with one task.
ALIKE = {
    "build_mlp": UNITS,
    "build_low_rank_mlp": {**UNITS, "rank": 1},
    "build_soft_sharing_mlp": UNITS,
    "build_mmoe": {**TOWERS, "num_experts": 3},
    "build_cgc": {**TOWERS, "shared_experts": 2, "task_experts": 2},
    "build_dselect_k": {**TOWERS, "num_experts": 4},
}


def fit(model, x, y):
    """Trains for a step eagerly, because tracing a graph takes longer."""
    model.run_eagerly = True
    model.fit(x, y, verbose=0)


def change(model, rng):
    """Changes all weights, as training does."""
    for weight in model.weights:
        weight.assign(weight + rng.uniform(0.1, 0.4, weight.shape))


def assert_same(part, model, x, task):
    # Called, and not by `predict`, which would be traced for each model.
    np.testing.assert_allclose(part(x), model(x)[task], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "name",
    mostly_slow(ALIKE, ["build_cgc", "build_low_rank_mlp"]),
)
def test_a_part_has_the_size_of_a_single_task_model(name):
    build = models.get(name)
    parts = split(build((5,), TASKS, **ALIKE[name]))
    for task in TASKS:
        alone = build((5,), [task], **ALIKE[name])
        assert parts[task.name].count_params() == alone.count_params()


def test_a_low_task_has_no_layers_of_higher_levels():
    model = build_small("build_hierarchical_mlp")
    parts = split(model)
    # 6 inputs, a level of 5, 3 classes.
    assert parts["coarse"].count_params() == (6 * 5 + 5) + (5 * 3 + 3)
    assert parts["fine"].count_params() == model.count_params()


def test_a_task_has_no_stitch_or_head_of_another():
    model = mtl_keras.build_cross_stitch_mlp((5,), TASKS, **UNITS)
    part = split(model)["a"]
    assert model.count_params() - part.count_params() == (4 * 2 + 2) + 2


def test_a_layer_of_two_calls_stays_one_layer():
    """A basis that a task reads twice is copied once."""
    layer = mtl_keras.layers.LowRankDense(5, 2, 2, name="tied")
    inputs = keras.Input((5,))
    both = keras.layers.Add()([layer(inputs, task=0), layer(inputs, task=1)])
    again = layer(both, task=0)
    tasks = [Regression("a"), Regression("b")]
    outputs = {"a": tasks[0].head(again), "b": tasks[1].head(both)}
    model = MultiTaskModel(inputs, outputs, tasks=tasks)
    part = split(model)["a"]
    assert sorted(each.name for each in part.layers if each.weights) == [
        "a",
        "tied_basis",
        "tied_factor_0",
        "tied_factor_1",
    ]
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    assert np.allclose(part(x), model(x)["a"], atol=1e-6)


@pytest.mark.parametrize("form", mostly_slow(["trace", "matrix"], ["trace"]))
def test_related_heads_become_dense_layers(form, rng):
    model = build_small("build_task_relation_mlp", form=form)
    relation = model.get_layer("task_relation")
    relation.set_weights([rng.normal(size=w.shape) for w in relation.weights])
    part = split(model)["right"]
    x = random_inputs(model, 4, rng)
    np.testing.assert_allclose(part(x), model(x)["right"], atol=1e-6)
    assert part.count_params() == (6 * 8 + 8) + (8 * 3 + 3)


def test_parts_are_independent_of_the_model_and_of_each_other(rng):
    model = build_small("build_mlp")
    parts = split(model)
    x, y = random_data(model, 8, rng)
    before = {task: part.get_weights() for task, part in parts.items()}
    fit(model, x, y)
    parts["left"].compile("sgd", "sparse_categorical_crossentropy")
    whole = model.get_weights()
    fit(parts["left"], x, y["left"])
    for mine, theirs in zip(whole, model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for old, now in zip(
        before["right"], parts["right"].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(old, now)
    assert (before["left"][0] != parts["left"].get_weights()[0]).any()


def test_parts_without_copy_follow_the_model(rng):
    model = build_small("build_low_rank_mlp")
    parts = split(model, copy=False)
    x = random_inputs(model, 8, rng)
    change(model, rng)
    for task, part in parts.items():
        assert_same(part, model, x, task)
        assert {id(w) for w in part.weights} <= {id(w) for w in model.weights}


def test_the_model_does_not_change(rng):
    model = build_small("build_soft_sharing_mlp")
    x, y = random_data(model, 8, rng)
    fit(model, x, y)
    before = model.get_weights()
    calls = [len(layer._inbound_nodes) for layer in model.layers]
    split(model)
    assert calls == [len(layer._inbound_nodes) for layer in model.layers]
    for old, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    assert model.compiled and int(model.optimizer.iterations) == 1


def two_inputs():
    """Returns a model with named inputs, some of which each task reads."""
    inputs = {
        name: keras.Input((3,), name=name) for name in ("left", "mid", "right")
    }
    add = keras.layers.Add()
    a = keras.layers.Dense(4)(add([inputs["left"], inputs["mid"]]))
    b = keras.layers.Dense(4)(inputs["right"])
    outputs = {"a": TASKS[0].head(a), "b": TASKS[1].head(b)}
    return inputs, outputs


def test_inputs_of_other_tasks_are_removed(rng):
    inputs, outputs = two_inputs()
    model = MultiTaskModel(inputs, outputs, tasks=TASKS)
    x = random_inputs(model, 4, rng)
    parts = split(model)
    assert sorted(parts["a"].input) == ["left", "mid"]
    assert sorted(parts["b"].input) == ["right"]
    for task, part in parts.items():
        own = {name: x[name] for name in part.input}
        np.testing.assert_allclose(part(own), model(x)[task], atol=1e-6)


def test_a_list_of_one_input_becomes_a_tensor(rng):
    inputs, outputs = two_inputs()
    model = MultiTaskModel(list(inputs.values()), outputs, tasks=TASKS)
    parts = split(model)
    assert isinstance(parts["a"].input, list) and len(parts["a"].input) == 2
    x = random_inputs(model, 4, rng)
    np.testing.assert_allclose(
        parts["b"](x[2]),
        model(x)["b"],
        atol=1e-6,
    )


def nested_model(**arguments):
    """Returns tasks on a nested trunk with two outputs."""
    inputs = keras.Input((4,))
    low = keras.layers.Dense(5, activation="relu", name="low")(inputs)
    high = keras.layers.BatchNormalization(name="norm")(low)
    high = keras.layers.Dense(6, activation="relu", name="high")(high)
    trunk = keras.Model(inputs, {"low": low, "high": high}, name="trunk")
    outer = keras.Input((4,))
    read = trunk(outer, **arguments)
    outputs = {
        "a": TASKS[0].head(read["low"]),
        "b": TASKS[1].head(read["high"]),
    }
    model = MultiTaskModel(outer, outputs, tasks=TASKS, name="outer")
    model.compile("sgd")
    return model


def test_unused_parts_of_a_nested_model_are_removed(rng):
    model = nested_model()
    x = random_inputs(model, 8, rng)
    change(model, rng)
    parts = split(model)
    assert [layer.name for layer in parts["a"].get_layer("trunk").layers][
        1:
    ] == ["low"]
    assert parts["a"].count_params() == (4 * 5 + 5) + (5 + 1)
    assert parts["b"].count_params() == model.count_params() - (5 + 1)
    for task, part in parts.items():
        assert_same(part, model, x, task)


def test_a_nested_trunk_stays_frozen_and_in_inference(rng):
    model = nested_model(training=False)
    model.get_layer("trunk").trainable = False
    part = split(model)["b"]
    assert [v.path for v in part.trainable_variables] == [
        v.path for v in model.get_layer("b").trainable_variables
    ]
    part.compile("sgd", "mse")
    x, y = random_data(model, 8, rng)
    before = part.get_layer("trunk").get_weights()
    fit(part, x, y["b"])
    for old, now in zip(
        before, part.get_layer("trunk").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(old, now)


@pytest.mark.slow
def test_a_nested_multi_task_model_is_split(rng):
    inner = build_small("build_low_rank_mlp")
    outer = keras.Input((6,))
    read = inner(outer)
    tasks = [Regression("a"), Regression("b")]
    outputs = {
        "a": tasks[0].head(read["two_way"]),
        "b": tasks[1].head(read["three_way"]),
    }
    model = MultiTaskModel(outer, outputs, tasks=tasks, name="outer")
    x = random_inputs(model, 4, rng)
    parts, alone_parts = split(model), split(inner)
    for task, name in (("a", "two_way"), ("b", "three_way")):
        part = parts[task]
        assert_same(part, model, x, task)
        alone = alone_parts[name].count_params()
        head = model.get_layer(task).count_params()
        assert part.count_params() == alone + head


@keras.saving.register_keras_serializable("tests")
class TwoHeads(keras.layers.Layer):
    """One call computes the outputs of two tasks."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(2, shape[-1], 3), name="kernel")

    def call(self, x):
        return [x @ self.kernel[0], x @ self.kernel[1]]

    def task_layers(self, x, task=0):
        layer = keras.layers.Dense(
            3, use_bias=False, name=f"{self.name}_{task}"
        )
        layer.build(x.shape)
        layer.kernel.assign(self.kernel[task])
        return [layer]


def test_a_call_with_several_outputs_keeps_one(rng):
    inputs = keras.Input((4,))
    first, second = TwoHeads(name="heads")(inputs)
    outputs = {"a": TASKS[0].head(first), "b": TASKS[1].head(second)}
    model = MultiTaskModel(inputs, outputs, tasks=TASKS)
    x = random_inputs(model, 5, rng)
    parts = split(model)
    assert parts["a"].count_params() == 4 * 3 + (3 + 1)
    assert [layer.name for layer in parts["b"].layers][1:] == ["heads_1", "b"]
    for task, part in parts.items():
        assert_same(part, model, x, task)


def test_heads_that_are_computed_together_are_split(rng):
    tasks = [Classification(f"task_{k}", 3) for k in range(12)]
    model = build_small("build_mlp", num_classes=None, tasks=tasks)
    assert any(isinstance(each, GroupedDense) for each in model.layers)
    x = random_inputs(model, 5, rng)
    trunk = (6 + 1) * 8
    expected = model(x)
    for task, part in split(model).items():
        assert part.count_params() == trunk + (8 + 1) * 3
        np.testing.assert_allclose(
            part(x), expected[task], rtol=1e-6, atol=1e-6
        )


def test_the_state_of_preprocessing_is_copied(rng):
    x = rng.normal(3, 2, size=(50, 6)).astype("float32")
    scale = keras.layers.Normalization()
    scale.adapt(x)
    model = build_small("build_mlp", preprocessing=scale)
    for task, part in split(model).items():
        assert_same(part, model, x, task)


def test_the_vocabulary_of_a_lookup_is_copied():
    lookup = keras.layers.StringLookup(output_mode="one_hot")
    lookup.adapt(tf.constant(["x", "y", "y"]))
    inputs = keras.Input((1,), dtype="string")
    outputs = {t.name: t.head(lookup(inputs)) for t in TASKS}
    model = MultiTaskModel(inputs, outputs, tasks=TASKS)
    x = tf.constant([["x"], ["y"], ["?"]])
    for task, part in split(model).items():
        np.testing.assert_allclose(part(x), model(x)[task], atol=1e-6)


def test_layers_that_are_not_registered_are_copied(rng):
    class Doubling(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    inputs = keras.Input((4,))
    x = keras.layers.Lambda(lambda t: t + 1)(Doubling()(inputs))
    outputs = {t.name: t.head(x) for t in TASKS}
    model = MultiTaskModel(inputs, outputs, tasks=TASKS)
    values = random_inputs(model, 3, rng)
    for task, part in split(model).items():
        assert_same(part, model, values, task)


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        ["build_low_rank_mlp", "build_cnn_cls_seg"], ["build_low_rank_mlp"]
    ),
)
def test_mixed_precision_is_kept(name, rng):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build_small(name)
    finally:
        keras.config.set_dtype_policy("float32")
    x = random_inputs(model, 4, rng)
    for task, part in split(model).items():
        assert_same(part, model, x, task)
        computed_in = {
            layer.compute_dtype
            for layer in part.layers
            if layer.weights and layer.name != task
        }
        assert computed_in == {"bfloat16"}


@pytest.mark.slow
def test_parts_of_a_model_on_two_replicas(rng, two_replicas):
    with two_replicas.scope():
        model = build_small("build_low_rank_mlp")
    x = random_inputs(model, 4, rng)
    for task, part in split(model).items():
        assert_same(part, model, x, task)


@pytest.mark.slow
def test_a_part_of_keras_layers_loads_without_this_package(
    rng, tmp_path, forked_programs
):
    model = build_small("build_low_rank_mlp")
    part = split(model)["two_way"]
    x = random_inputs(model, 3, rng)
    part.save(tmp_path / "part.keras")
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", model(x)["two_way"])
    program = (
        "import sys, keras, numpy as np\n"
        "model = keras.models.load_model('part.keras')\n"
        "found = model(np.load('x.npy'))\n"
        "np.testing.assert_allclose(found, np.load('y.npy'), atol=1e-6)\n"
        "assert not any(m.startswith('mtl_keras') for m in sys.modules)\n"
    )
    forked_programs.run(program, cwd=tmp_path)


def test_plain_keras_models(rng):
    inputs = keras.Input((3,))
    outputs = {n: keras.layers.Dense(2, name=n)(inputs) for n in ("p", "q")}
    model = keras.Model(inputs, outputs)
    parts = split(model)
    assert list(parts) == ["p", "q"]
    x = random_inputs(model, 3, rng)
    for task, part in parts.items():
        assert_same(part, model, x, task)


def test_models_without_tasks_are_refused():
    inputs = keras.Input((3,))
    one = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(TypeError, match="outputs are a KerasTensor; expected"):
        split(one)
    with pytest.raises(TypeError, match="model is a str"):
        split("model.keras")
