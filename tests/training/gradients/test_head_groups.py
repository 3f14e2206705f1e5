"""Head groups that one layer computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from single_steps import make_train_step

import mtl_keras
from mtl_keras.layers import GroupedDense
from mtl_keras.tasks import Regression, groups
from mtl_keras.training.gradients.shared_graph import split_shared_graph


def model_of(after=None, num_tasks=3):
    """Heads that a layer computes, with something behind the first one."""
    inputs = keras.Input((4,))
    features = keras.layers.Dense(5, name="trunk")(inputs)
    outputs = GroupedDense(1, num_tasks, name="heads")(features)
    if after is not None:
        outputs = after(outputs)
    named = {
        f"task_{n}": keras.layers.Identity(name=f"task_{n}")(output)
        for n, output in enumerate(outputs)
    }
    tasks = [Regression(name, metrics=[]) for name in named]
    return mtl_keras.MultiTaskModel(inputs, named, tasks=tasks)


def names_of(variables):
    return {variable.path for variable in variables}


def test_a_group_is_found_and_shares_nothing():
    graph = split_shared_graph(model_of())
    (group,) = graph.groups
    assert group.tasks == ("task_0", "task_1", "task_2")
    assert names_of(group.variables) == {"heads/kernel", "heads/bias"}
    assert names_of(graph.shared) == {"trunk/kernel", "trunk/bias"}
    assert not any(graph.task_variables.values())
    assert graph.direct == ()


def scaled(outputs):
    """Returns a layer without parameters behind the first head."""
    return [keras.layers.Rescaling(2.0)(outputs[0]), *outputs[1:]]


def trained(outputs):
    """Returns a layer with parameters of its own behind the first head."""
    return [keras.layers.Dense(1, name="own")(outputs[0]), *outputs[1:]]


def fed(outputs):
    """Returns the second task reads what the first head made."""
    first, second, third = outputs
    return [first, keras.layers.Add()([first, second]), third]


def left_out(outputs):
    """Returns a task reads two of the heads, and one is read by nobody."""
    first, second, third = outputs
    return [keras.layers.Concatenate()([first, second]), third][1:]


@pytest.mark.parametrize(
    ("after", "is_group"),
    [(scaled, True), (trained, False), (fed, False), (left_out, False)],
)
def test_what_is_more_than_heads_is_shared(after, is_group, rng):
    model = model_of(after)
    graph = split_shared_graph(model)
    assert bool(graph.groups) == is_group
    x = rng.normal(size=(6, 4)).astype("float32")
    found = graph.outputs(keras.tree.flatten(graph.trunk(x)))
    for name, expected in model(x).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_a_copy_has_the_gradient_of_its_task(rng):
    model = model_of()
    graph = split_shared_graph(model)
    (group,) = graph.groups
    features = [tf.constant(rng.normal(size=(6, 5)), "float32")]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        copies = [group.copy_features(features)]
        outputs = graph.outputs(features, copies)
        losses = [tf.reduce_sum(y**2) for y in outputs.values()]
        total = tf.add_n(losses)
    found = tape.gradient(total, copies[0])
    for index, loss in enumerate(losses):
        expected = tape.gradient(loss, features[0])
        np.testing.assert_allclose(found[:, index], expected, rtol=1e-5)


def products_of_a_step(num_tasks, monkeypatch, rng):
    """Operations of the traced step that multiply matrices."""
    monkeypatch.setattr(groups, "MIN_GROUP_SIZE", 2)
    tasks = [Regression(f"task_{n}", metrics=[]) for n in range(num_tasks)]
    model = mtl_keras.build_mlp(
        (4,), tasks, hidden_units=(5,), weighting="imtl_g", gradients="features"
    )
    data = (
        rng.normal(size=(6, 4)).astype("float32"),
        {t.name: rng.normal(size=6).astype("float32") for t in tasks},
    )
    step = make_train_step(model, data)
    losses = tf.function(lambda: step.compute_update(data).update.losses)
    graph = losses.get_concrete_function().graph
    kinds = ("MatMul", "BatchMatMulV2", "Einsum")
    return sum(op.type in kinds for op in graph.get_operations())


@pytest.mark.slow
def test_more_tasks_need_no_more_passes_through_the_heads(monkeypatch, rng):
    few = products_of_a_step(3, monkeypatch, rng)
    assert products_of_a_step(9, monkeypatch, rng) == few > 0
