"""Heads on a backbone of keras.applications, or on any other network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

import keras

from mtl_keras.models import arguments
from mtl_keras.models.backbone_copy import copy_backbone
from mtl_keras.models.backbone_features import (
    select_feature_layers,
    upsampling_factors,
)
from mtl_keras.models.backbones import fixed_input_shape, resolve_backbone
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_and_mask
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import image_inputs
from mtl_keras.models.light_decoder import light_decoder
from mtl_keras.models.pixel_tasks import is_pixel_task
from mtl_keras.models.pooling import pool
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


# Lower learning rates than usual, because the backbone may be pretrained.
@factory(
    "images",
    search_space={
        "decoder_filters": [16, 32, 64],
        "learning_rate": (1e-5, 1e-2),
    },
)
def build_from_backbone(
    input_shape: Sequence[int | None] | None = None,
    tasks: Sequence[Task] | None = None,
    *,
    backbone: str | Callable | keras.Model = "MobileNetV3Small",
    num_classes: int | None = None,
    num_mask_classes: int | None = None,
    feature_layers: Mapping[str, str | Sequence[str]] | None = None,
    trainable: bool = True,
    backbone_arguments: Mapping[str, Any] | None = None,
    decoder_filters: int = 32,
    activation: str = "relu",
    normalization: str | None = "batch",
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "from_backbone",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds heads on a network of keras.applications, or on any other.

    The network, called backbone, is the shared trunk. Tasks on the whole image
    read its end, averaged over each channel. Each task on pixels has a decoder
    over the last layer of each size. `feature_layers` selects other layers.

    The backbone is copied with its weights and does not change. The model
    contains its layers one by one.

    To fine-tune a frozen backbone (`trainable=False`) once the heads are
    trained, set `layer.trainable = True` for all `model.layers` except batch
    normalizations, whose statistics are not reliable after few batches, and
    compile again with a small learning rate.

    Some networks of keras.applications rescale pixels themselves (MobileNetV3,
    EfficientNet and ConvNeXt expect values from 0 to 255), others do not (see
    the `preprocess_input` of ResNet, MobileNet and DenseNet). For pretrained
    weights, pass `backbone_arguments={"weights": "imagenet"}`, which downloads
    them, or a model that has them. Without pretrained weights, the batch
    normalization of the backbone needs hundreds to thousands of steps until
    its moving statistics are close to those of training, because Keras's
    momentum is 0.99 or 0.999.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Defaults
            to the input shape of a `backbone` that is a model, and to
            `(64, 64, 3)` otherwise.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)` and
            `Segmentation("segmentation", 1)`.
        backbone: Name of a function of `keras.applications`, a function that
            takes `include_top`, `weights` and `input_shape` as these do, or a
            functional model without a classification top. Defaults to
            `"MobileNetV3Small"`.
        feature_layers: Dict from task name to the name of the layer that the
            task reads, or for a task on pixels to a list of names, whose maps
            have sizes that divide each other. Layers of networks inside the
            backbone are found by their names. Other tasks read the layers
            described above. Defaults to `None`.
        trainable: Whether to train the backbone. If not, its layers are
            frozen: batch normalization uses its moving statistics, and dropout
            is left out. Defaults to `True`.
        backbone_arguments: Dict of further arguments of the function, such as
            `{"alpha": 0.5}`. `weights` is `None` unless it is among them.
            Defaults to `None`.
        activation: Activation of the decoders. Defaults to `"relu"`.
        normalization: Normalization of the decoders: `"batch"`, `"group"`,
            `"layer"` or `None`. Defaults to `"batch"`.
        dropout: Dropout rate of the features that tasks on the whole image
            read, in [0, 1). Defaults to `0`.
        l1: Factor of the L1 penalty on the kernels of backbone and decoders.
            Defaults to `0`.
        l2: Factor of the L2 penalty on the kernels of backbone and decoders.
            Defaults to `0`.

    Reference:
        Chollet, "Transfer learning & fine-tuning", Keras guides, 2020 (frozen
        backbones).

    Example:

    >>> images = keras.Input((32, 32, 3))
    >>> x = keras.layers.Conv2D(8, 3, 2, "same", name="half")(images)
    >>> x = keras.layers.Conv2D(16, 3, 2, "same", name="quarter")(x)
    >>> backbone = keras.Model(images, x, name="two_levels")
    >>> model = mtl_keras.build_from_backbone(
    ...     backbone=backbone,
    ...     feature_layers={"segmentation": ["half", "quarter"]},
    ... )
    >>> model.task_output_shapes
    {'classification': (10,), 'segmentation': (32, 32, 1)}
    """
    if input_shape is None:
        input_shape = fixed_input_shape(backbone) or (64, 64, 3)
    shape = arguments.check_input_shape(input_shape, 3, "(64, 64, 3)")
    tasks = arguments.resolve_tasks(
        tasks,
        class_and_mask,
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    settings = arguments.convolution_settings(
        activation, normalization, dropout, l1, l2
    )
    decoder_filters = arguments.check_integer(
        "decoder_filters", decoder_filters, minimum=1
    )

    inputs, x = image_inputs(shape, preprocessing)
    network = resolve_backbone(backbone, tuple(x.shape)[1:], backbone_arguments)
    size = tuple(x.shape)[1:3]
    copy = copy_backbone(
        network, x, trainable=trainable, regularizer=settings["regularizer"]
    )
    layers = select_feature_layers(copy, tasks, feature_layers, size)
    vectors = _FeatureVectors(copy.outputs, dropout)
    features = {}
    for task in tasks:
        names = layers[task.name]
        if not is_pixel_task(task):
            features[task.name] = vectors[names[0]]
            continue
        maps = [copy.outputs[name] for name in names]
        features[task.name] = light_decoder(
            maps,
            upsampling_factors([x.shape for x in maps], size, names),
            decoder_filters,
            name=f"{task.name}_decoder",
            **settings,
        )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


class _FeatureVectors(dict):
    """Feature vectors by layer, each added when the first task reads it."""

    def __init__(self, outputs: Mapping, dropout: float):
        super().__init__()
        self._outputs, self._dropout = outputs, dropout

    def __missing__(self, name: str):
        x = self._outputs[name]
        if len(x.shape) == 4:
            x = pool(x, self._dropout, f"{name}_read")
        elif self._dropout:
            x = keras.layers.Dropout(self._dropout, name=f"{name}_dropout")(x)
        self[name] = x
        return x
