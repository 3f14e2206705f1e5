"""Cross-stitched convolutional networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.stitched_towers import CrossStitches, dense_towers
from mtl_keras.models.towers import resolve_equal_widths
from mtl_keras.models.trunk_sizes import resolve_filters, resolve_widths
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("images", search_space={"trunk_width": [8, 16, 32]})
def build_cross_stitch_cnn(
    input_shape: Sequence[int] = (28, 28, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    filters: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    hidden_units: Sequence[int] = (64,),
    own: float = 0.9,
    per_channel: bool = False,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "cross_stitch_cnn",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds convolutional towers that are cross-stitched at each level.

    A level is a convolution and a pooling, or a dense layer. After each level,
    task k continues with x_k <- sum_j alpha_kj x_j, where the alpha are
    trainable.

    Args:
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Number of classes of each default task. Defaults to 10.
            Cannot be combined with `tasks`.
        filters: Number of filters of each convolution of a tower, the same
            for all towers. Defaults to `(16, 32)`.
        hidden_units: Width of each dense layer after the convolutions.
            Defaults to `(64,)`.
        dropout: Dropout rate after each dense layer, in [0, 1). Defaults to
            `0`.

    Reference:
        Misra et al., "Cross-stitch Networks for Multi-task Learning", CVPR
        2016.

    Example:

    >>> model = mtl_keras.build_cross_stitch_cnn((16, 16, 1), filters=(4, 8))
    >>> [layer.name for layer in model.layers if "stitch" in layer.name]
    ['cross_stitch_1', 'cross_stitch_2', 'cross_stitch_3']
    """
    shape = arguments.check_input_shape(input_shape, 3, "(28, 28, 3)")
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    filters = resolve_filters(
        resolve_equal_widths("filters", filters, tasks),
        trunk_width,
        trunk_depth,
        default=(16, 32),
    )
    units = resolve_widths("hidden_units", hidden_units, default=(64,))
    arguments.check_poolings(shape, len(filters))
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    settings["stitches"] = CrossStitches(len(tasks), own, per_channel)

    inputs, x = image_inputs(shape, preprocessing)
    features = _convolutional_towers(x, tasks, filters, **settings)
    features = dense_towers(features, tasks, units, dropout=dropout, **settings)
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _convolutional_towers(
    x, tasks: Sequence[Task], filters: Sequence[int], *, stitches, **settings
) -> list:
    """Returns the flat features of each tower."""
    features = [x] * len(tasks)
    for level, count in enumerate(filters, start=1):
        for index, task in enumerate(tasks):
            name = f"{task.name}_tower_{level}"
            maps = trunks.convolutions(
                features[index], count, name=name, **settings
            )
            pool = keras.layers.MaxPooling2D(name=f"{name}_pool")
            features[index] = pool(maps)
        features = stitches(features)
    return [
        keras.layers.Flatten(name=f"{task.name}_tower_flatten")(maps)
        for task, maps in zip(tasks, features, strict=True)
    ]
