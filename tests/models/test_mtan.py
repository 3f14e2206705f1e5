"""Attention of tasks to a shared trunk."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import predictions

from mtl_keras import Classification, Segmentation, build_mtan
from mtl_keras.layers import TaskAttention
from mtl_keras.training.gradients.shared_graph import split_shared_graph


def build(**arguments):
    """Builds a small model on images of 8 x 8."""
    return build_mtan((8, 8, 2), filters=(4, 6), **arguments)


def attentions(model):
    """Returns the attention layers by name."""
    return {
        layer.name: layer
        for layer in model.layers
        if isinstance(layer, TaskAttention)
    }


def test_masks_of_ones_are_hard_sharing(rng):
    """Tasks then read only the features of the shared trunk."""
    model = build(normalization=None, num_classes=3)
    for layer in attentions(model).values():
        layer.picked.kernel.assign(tf.zeros_like(layer.picked.kernel))
        layer.picked.bias.assign(tf.fill(layer.picked.bias.shape, 50.0))
    outputs = {
        layer.name.removeprefix("trunk_").removesuffix("_activation_1"): (
            layer.output
        )
        for layer in model.layers
        if layer.name in ("trunk_1_activation_1", "trunk_2_activation_1")
    }
    trunk = keras.Model(model.inputs, outputs)
    x = rng.normal(size=(3, 8, 8, 2)).astype("float32")
    top = trunk.predict(x, verbose=0)["2"].mean(axis=(1, 2))
    kernel, bias = model.get_layer("classification").get_weights()
    logits = top @ kernel + bias
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    found = predictions(model, x)
    np.testing.assert_allclose(found["classification"], expected, rtol=1e-4)
    # The convolution between the levels has no effect either.
    model.get_layer("raise_2_conv").kernel.assign(rng.normal(size=(3, 3, 4, 6)))
    again = predictions(model, x)
    for name, values in found.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-5)


@pytest.mark.slow
def test_masks_let_tasks_read_different_features(rng):
    model = build(num_classes=3)
    x = rng.normal(size=(3, 8, 8, 2)).astype("float32")
    layers = attentions(model)
    picked = keras.Model(
        model.inputs, {name: layer.output for name, layer in layers.items()}
    ).predict(x, verbose=0)
    for level in (1, 2):
        first = picked[f"classification_attention_{level}"]
        second = picked[f"depth_attention_{level}"]
        assert first.shape == second.shape
        assert np.abs(first - second).max() > 1e-3


def test_shared_and_task_specific_variables():
    model = build()
    graph = split_shared_graph(model)
    shared = {v.path.split("/")[0].split("_")[0] for v in graph.shared}
    assert shared == {"trunk", "read", "raise"}
    for task in model.tasks:
        names = {v.path.split("/")[0] for v in graph.task_variables[task.name]}
        assert all(name.startswith(task.name) for name in names)
        assert {f"{task.name}_attention_{n}" for n in (1, 2)} <= names


def test_a_level_reads_the_attended_features_below():
    layers = attentions(build())
    for task in ("classification", "segmentation", "depth"):
        first = layers[f"{task}_attention_1"]
        second = layers[f"{task}_attention_2"]
        assert [tuple(x.shape) for x in first.input] == [(None, 8, 8, 4)] * 2
        assert [tuple(x.shape) for x in second.input] == [(None, 4, 4, 6)] * 3


def test_only_pixel_tasks_have_a_decoder():
    tasks = [Classification("a", 3), Classification("b", 2)]
    model = build(tasks=tasks)
    assert not any("decoder" in layer.name for layer in model.layers)
    model = build(tasks=[*tasks, Segmentation("mask", 2)])
    decoders = [n.name for n in model.layers if "decoder" in n.name]
    assert decoders and all(name.startswith("mask") for name in decoders)
