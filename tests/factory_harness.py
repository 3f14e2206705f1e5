"""Small models of every factory, and random data for any task.

A new factory is covered by all of `tests/models/test_every_factory.py` once
its name and arguments that make it small stand in `SMALL`.
"""

import keras
import pytest

from mtl_keras import models
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)


def tiny_backbone(include_top, weights, input_shape):
    """A network of two levels, called as those of `keras.applications`."""
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
    "build_soft_sharing_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
    "build_task_relation_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        # The engine is compared with the losses of the tasks alone.
        "penalty": 0,
        "num_classes": 3,
    },
}
# Factories of models whose tasks share parameters.
SHARING = sorted(set(SMALL) - {"build_soft_sharing_mlp"})
# Trunks of the three shapes there are: what holds for these by the engine and
# not by the factory holds for the others too, which are tested by `test-all`.
REPRESENTATIVE = ("build_cnn", "build_cnn_cls_seg", "build_mlp")


def mostly_slow(names):
    """Parameters of a test: three factories now, the others as slow tests."""
    return [
        name
        if name in REPRESENTATIVE
        else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(names)
    ]


def build_small(name, **arguments):
    """Builds a factory's model, small."""
    return models.get(name)(**{**SMALL[name], **arguments})


def random_inputs(model, count, rng):
    """Inputs of the shape that a model takes."""
    shape = model.inputs[0].shape[1:]
    return rng.normal(size=(count, *shape)).astype("float32")


def random_targets(task, output_shape, count, rng):
    """Targets of the natural shape of a task."""
    shape = (count, *task.target_shapes(output_shape)[0])
    if isinstance(task, Regression):
        return rng.normal(size=shape).astype("float32")
    if isinstance(task, BinaryClassification | MultiLabelClassification):
        return rng.integers(2, size=shape)
    if isinstance(task, Segmentation):
        return rng.integers(max(task.num_classes, 2), size=shape)
    assert isinstance(task, Classification | SequenceTagging)
    return rng.integers(task.num_classes, size=shape)


def random_data(model, count, rng):
    """Inputs, and targets of every task of a model."""
    y = {
        task.name: random_targets(
            task, model.task_output_shapes[task.name], count, rng
        )
        for task in model.tasks
    }
    return random_inputs(model, count, rng), y
