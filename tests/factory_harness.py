"""Small models of every factory, and random data for any task.

All of `tests/models/test_every_factory.py` covers a new factory once `SMALL`
contains its name and arguments that make it small. Inputs are drawn by their
dtype and shape; if this does not fit, a function in `INPUTS` draws them.
"""

import functools
import inspect
from collections.abc import Callable

import keras
import pytest
import tensorflow as tf

from mtl_keras import models


def tiny_backbone(include_top, weights, input_shape):
    """Returns a two-level network, called like `keras.applications`."""
    assert not include_top and weights is None
    inputs = x = keras.Input(input_shape)
    for level, filters in enumerate((4, 8), start=1):
        x = keras.layers.Conv2D(
            filters, 3, 2, "same", activation="relu", name=f"tiny_{level}"
        )(x)
    return keras.Model(inputs, x, name="tiny")


SMALL = {
    "build_cnn": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "hidden_units": (8,),
        "num_classes": (3, 4),
    },
    "build_cnn_cls_seg": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "num_classes": 3,
    },
    "build_cnn_multi_task": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "decoder_filters": 3,
        "num_classes": 3,
    },
    "build_cross_stitch_cnn": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_cross_stitch_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_esmm": {
        "input_shape": (6,),
        "hidden_units": (4,),
        "tower_units": (3,),
    },
    "build_from_backbone": {
        "backbone": tiny_backbone,
        "input_shape": (8, 8, 3),
        "decoder_filters": 3,
        "num_classes": 3,
    },
    "build_hierarchical_cnn": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "feeds": {"fine": ["coarse"]},
        "num_classes": 3,
    },
    "build_hierarchical_mlp": {
        "input_shape": (6,),
        "hidden_units": (5, 8),
        "feeds": {"fine": ["coarse"]},
        "stop_gradient": False,
        "num_classes": 3,
    },
    "build_low_rank_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_cgc": {
        "input_shape": (6,),
        "shared_experts": 2,
        "task_experts": 1,
        "hidden_units": (4,),
        "tower_units": (3,),
        "num_classes": 3,
    },
    "build_dselect_k": {
        "input_shape": (6,),
        "num_experts": 4,
        "hidden_units": (4,),
        "tower_units": (3,),
        "num_classes": 3,
    },
    "build_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_mmoe": {
        "input_shape": (6,),
        "num_experts": 3,
        "hidden_units": (4,),
        "tower_units": (3,),
        "num_classes": 3,
    },
    "build_mtan": {
        "input_shape": (8, 8, 3),
        "filters": (4, 8),
        "decoder_filters": 3,
        "num_classes": 3,
    },
    "build_ple": {
        "input_shape": (6,),
        "shared_experts": 2,
        "task_experts": 1,
        "hidden_units": (4,),
        "tower_units": (3,),
        "num_classes": 3,
    },
    "build_sequence_multi_task": {
        "input_shape": (6, 3),
        "hidden_units": (4,),
        "num_classes": 3,
    },
    "build_soft_sharing_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_task_relation_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        # The engine is compared with the task losses without penalties.
        "penalty": 0,
        "num_classes": 3,
    },
    "build_text_cls_tag": {
        "vocabulary": 6,
        "embedding_size": 5,
        "hidden_units": (4,),
        "num_classes": (3, 4),
    },
}
# Functions of the model, the number of samples and the generator, which draw
# the inputs, by the factory's name. `random_inputs` serves the other factories.
INPUTS: dict[str, Callable] = {}
# `random_inputs` draws integers from 0 to below this (the indices of a small
# vocabulary), and these words.
INTEGERS = 5
WORDS = ("one", "two", "three", "four", "five")
# Replaces an axis of any length.
LENGTH = 8
# Factories of models whose tasks share parameters.
SHARING = sorted(set(SMALL) - {"build_soft_sharing_mlp"})
# One factory for each of the three kinds of trunks.
REPRESENTATIVE = ("build_cnn", "build_cnn_cls_seg", "build_mlp")
# Properties of the engine are tested with this factory now, and with the others
# by `test-all`.
QUICK = ("build_mlp",)
# One of each layer that factories build shared graphs with.
LAYER_REPRESENTATIVES = (
    "build_cross_stitch_mlp",
    "build_dselect_k",
    "build_from_backbone",
    "build_low_rank_mlp",
    "build_soft_sharing_mlp",
    "build_task_relation_mlp",
    "build_text_cls_tag",
)
# Maps, normalization or losses of two terms could matter here.
VECTOR_AND_PIXEL_MODELS = ("build_cnn_cls_seg", "build_mlp")
# One of each way in which a graph shares parameters.
GRAPH_REPRESENTATIVES = (
    "build_cross_stitch_mlp",
    "build_esmm",
    "build_hierarchical_mlp",
    "build_low_rank_mlp",
    "build_mlp",
    "build_mtan",
    "build_ple",
    "build_text_cls_tag",
)


def mostly_slow(names, quick=QUICK):
    """Marks all parameters of a test but a few as slow."""
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.slow)
        for name in names
    ]


def build_small(name, **arguments):
    """Builds a small model by a factory."""
    return models.get(name)(**{**SMALL[name], **arguments})


@functools.cache
def built(name):
    """Returns the small model of a factory, not compiled, for reading only."""
    return build_small(name, compile=False)


def eager(model):
    """Lets a compiled model take its few steps without tracing them."""
    model.run_eagerly = True
    return model


def predictions(model, x):
    """Returns the outputs of `predict` without tracing, which takes longer."""
    outputs = model(x, training=False)
    return keras.tree.map_structure(keras.ops.convert_to_numpy, outputs)


def takes(name, *arguments):
    """Returns whether a factory has arguments of these names."""
    known = inspect.signature(models.get(name)).parameters
    return set(arguments) <= set(known)


def skip_without(name, *arguments):
    """Skips the test of a factory that lacks one of these arguments."""
    if not takes(name, *arguments):
        pytest.skip(f"{name} has no argument {' or '.join(arguments)}")


def without_noise(name):
    """Returns arguments that disable what differs between replicas."""
    return {"normalization": None} if takes(name, "normalization") else {}


def random_inputs(model, count, rng):
    """Draws inputs of the structure, shapes and dtypes of a model."""
    draw = INPUTS.get(f"build_{model.name}")
    if draw is not None:
        return draw(model, count, rng)
    return keras.tree.map_structure(
        lambda tensor: random_input(tensor, count, rng), model.input
    )


def random_input(tensor, count, rng):
    """Returns samples of an input: normal numbers, integers or words."""
    shape = (count, *fixed(tensor.shape[1:]))
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if dtype == "string":
        # Keras takes numpy arrays of strings only if they are vectors.
        return tf.constant(rng.choice(WORDS, size=shape))
    if dtype == "bool":
        return rng.integers(2, size=shape).astype(bool)
    if "int" in dtype:
        return rng.integers(INTEGERS, size=shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def fixed(shape):
    """Returns a shape with a number in place of each axis of any length."""
    return tuple(LENGTH if size is None else size for size in shape)


def random_targets(task, output_shape, count, rng):
    """Returns targets of the natural shape of a task."""
    shape = (count, *fixed(task.target_shapes(output_shape)[0]))
    if task.num_label_classes is None:
        return rng.normal(size=shape).astype("float32")
    return rng.integers(task.num_label_classes, size=shape)


def random_data(model, count, rng):
    """Draws inputs, and targets of every task, for a model."""
    y = {
        task.name: random_targets(
            task, model.task_output_shapes[task.name], count, rng
        )
        for task in model.tasks
    }
    return random_inputs(model, count, rng), y
