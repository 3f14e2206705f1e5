"""Multi-task attention network on convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras.models import arguments
from mtl_keras.models.attended_levels import attended_levels
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_mask_and_depth
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.light_decoder import light_decoder
from mtl_keras.models.pixel_tasks import is_pixel_task
from mtl_keras.models.pooling import pool
from mtl_keras.models.trunk_sizes import resolve_filters
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory(
    "images",
    search_space={"trunk_width": [8, 16, 32], "trunk_depth": [2, 3, 4]},
)
def build_mtan(
    input_shape: Sequence[int | None] = (32, 32, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_mask_classes: int | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    decoder_filters: int = 16,
    activation: str = "relu",
    normalization: str | None = "batch",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "mtan",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a multi-task attention network (MTAN) on convolutions.

    A level of the shared trunk consists of two convolutions, u and p. At each
    level, a task continues with mask * p, where its mask depends on u and on
    its features at the level below (see `mtl_keras.layers.TaskAttention`).
    Tasks on the whole image read the mean of their last level. Tasks on pixels
    have a decoder over all their levels.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Height
            and width must be divisible by 2 to the power of the number of
            levels minus one (3 by default). `None` is any such size. Defaults
            to `(32, 32, 3)`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)`,
            `Segmentation("segmentation", 1)` and `DenseRegression("depth")`.
        filters: Number of filters of each level of the trunk. Defaults to
            `(16, 32, 64)`.
        dropout: Dropout rate of the features that tasks on the whole image
            read, in [0, 1). Defaults to `0`.

    Reference:
        Liu et al., "End-to-End Multi-Task Learning with Attention", CVPR 2019.

    Example:

    >>> model = mtl_keras.build_mtan((16, 16, 3), filters=(8, 16))
    >>> model.get_layer("depth_attention_2").output.shape
    (None, 8, 8, 16)
    """
    shape = arguments.check_input_shape(input_shape, 3, "(32, 32, 3)")
    tasks = arguments.resolve_tasks(
        tasks,
        class_mask_and_depth,
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    filters = resolve_filters(
        filters, trunk_width, trunk_depth, default=(16, 32, 64)
    )
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    arguments.check_divisible(shape, len(filters) - 1)
    decoder_filters = arguments.check_integer(
        "decoder_filters", decoder_filters, minimum=1
    )

    inputs, x = image_inputs(shape, preprocessing)
    levels = attended_levels(x, tasks, filters, **settings)
    features = {}
    for task in tasks:
        maps = [level[task.name] for level in levels]
        if not is_pixel_task(task):
            features[task.name] = pool(maps[-1], dropout, f"{task.name}_top")
            continue
        features[task.name] = light_decoder(
            maps,
            [1] + [2] * (len(filters) - 1),
            decoder_filters,
            name=f"{task.name}_decoder",
            **settings,
        )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
