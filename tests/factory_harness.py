"""Small models of every factory, and random data for any task.

A new factory is covered by all of `tests/models/test_every_factory.py` once
its name and arguments that make it small stand in `SMALL`.
"""

from mtl_keras import models
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

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
    "build_mlp": {
        "input_shape": (6,),
        "hidden_units": (8,),
        "num_classes": 3,
    },
}


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
