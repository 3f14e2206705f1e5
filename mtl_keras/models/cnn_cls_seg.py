"""U-Net whose encoder also serves tasks on the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_and_mask
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.pixel_tasks import is_pixel_task
from mtl_keras.models.pooling import pool
from mtl_keras.models.trunk_sizes import resolve_filters
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory(
    "images",
    search_space={"trunk_width": [8, 16, 32], "trunk_depth": [2, 3, 4]},
)
def build_cnn_cls_seg(
    input_shape: Sequence[int | None] = (32, 32, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_mask_classes: int | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    activation: str = "relu",
    normalization: str | None = "batch",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "cnn_cls_seg",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a U-Net that classifies an image and segments it.

    All tasks share the encoder. Tasks on the whole image (`classification`)
    read its pooled bottleneck. Tasks on pixels share a decoder with skip
    connections that ends at the height and width of the image.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Height
            and width must be divisible by 2 to the power of the number of
            levels minus one (4 by default). `None` is any such size. Defaults
            to `(32, 32, 3)`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)` and
            `Segmentation("segmentation", 1)`.
        filters: Number of filters of each level of the encoder. The decoder
            has half as many at each level, but at least as many as the first
            level. Defaults to `(16, 32, 64, 128)`.
        dropout: Dropout rate of the pooled bottleneck, before the heads on
            the whole image, in [0, 1). Defaults to `0`.

    Reference:
        Ronneberger et al., "U-Net", MICCAI 2015.

    Example:

    >>> model = mtl_keras.build_cnn_cls_seg(num_mask_classes=3)
    >>> model.task_output_shapes
    {'classification': (10,), 'segmentation': (32, 32, 3)}
    """
    shape = arguments.check_input_shape(input_shape, 3, "(32, 32, 3)")
    tasks = arguments.resolve_tasks(
        tasks,
        class_and_mask,
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    filters = resolve_filters(
        filters, trunk_width, trunk_depth, default=(16, 32, 64, 128)
    )
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    arguments.check_divisible(shape, len(filters) - 1)

    inputs, x = image_inputs(shape, preprocessing)
    bottleneck, skips = trunks.cnn_encoder(
        x,
        filters,
        convolutions_per_level=_convolutions_per_level(len(filters)),
        pool_last=False,
        **settings,
    )
    pixel_tasks = [task for task in tasks if is_pixel_task(task)]
    image_tasks = [task for task in tasks if not is_pixel_task(task)]
    features = {}
    if image_tasks:
        pooled = pool(bottleneck, dropout, "bottleneck")
        features |= {task.name: pooled for task in image_tasks}
    if pixel_tasks:
        halved = [max(count // 2, filters[0]) for count in filters[:-1]]
        decoded = trunks.unet_decoder(bottleneck, skips, halved, **settings)
        features |= {task.name: decoded for task in pixel_tasks}
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _convolutions_per_level(levels: int) -> list[int]:
    # One at the ends: the first level costs most time, the last most weights.
    return [2 if 0 < level < levels - 1 else 1 for level in range(levels)]
