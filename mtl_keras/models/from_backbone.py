"""Heads on a backbone of keras.applications, or on any other network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.backbone_copy import copy_onto
from mtl_keras.models.backbone_features import factors_of, layers_by_task
from mtl_keras.models.backbones import own_input_shape, resolve_backbone
from mtl_keras.models.dense_tasks import class_and_mask, reads_maps
from mtl_keras.models.light_decoder import light_decoder
from mtl_keras.models.pooling import pool
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_from_backbone(
    backbone: str | Callable | keras.Model = "MobileNetV3Small",
    tasks: Sequence[Task] | None = None,
    *,
    input_shape: Sequence[int | None] | None = None,
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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "from_backbone",
) -> MultiTaskModel:
    """Builds heads on a backbone, which is the shared trunk.

    Tasks on the whole image read the end of the backbone, the mean of each
    channel; tasks on pixels have a decoder of their own over the last layer of
    each size. `feature_layers` names other layers.

    The backbone is copied, with its weights, and stays as it is. Its layers
    lie in the graph of the model one by one.

    A frozen backbone (`trainable=False`) is fine-tuned once the heads are
    trained: set `layer.trainable = True` for all `model.layers` but batch
    normalizations, whose statistics few batches would spoil, and compile again
    with a small learning rate.

    Some networks of keras.applications rescale pixels themselves (MobileNetV3,
    EfficientNet, ConvNeXt: give them values from 0 to 255), others do not
    (ResNet, MobileNet, DenseNet: see their `preprocess_input`). Trained
    weights come by `backbone_arguments={"weights": "imagenet"}`, which
    downloads them, or as an instance that has them. Without, their batch
    normalization needs some hundred to thousand steps until evaluation sees
    the statistics of training, by Keras's momentum of 0.99 or 0.999.

    Args:
        backbone: Name of a function of `keras.applications`, a function that
            takes `include_top`, `weights` and `input_shape` as these do, or a
            functional model without a classification top. Defaults to
            `"MobileNetV3Small"`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)` and
            `Segmentation("segmentation", 1)`.
        input_shape: Shape of one image, `(height, width, channels)`. Defaults
            to that of a model that is passed, and else to `(64, 64, 3)`.
        num_classes: Classes of the default classification. Defaults to 10; an
            error together with `tasks`.
        num_mask_classes: Classes of the default segmentation; 1 is a binary
            mask. Defaults to 1; an error together with `tasks`.
        feature_layers: Dict from task name to the name of the layer that the
            task reads, or for a task on pixels to a list of names: maps of
            sizes that divide each other. Layers of networks within the
            backbone go by their own names. Tasks that it leaves out read what
            is said above.
        trainable: Whether the backbone is trained. If not, its layers are
            frozen: batch normalization goes by its moving statistics, and
            dropout is left out. Defaults to `True`.
        backbone_arguments: Dict of further arguments of the function, such as
            `{"alpha": 0.5}`. `weights` is `None` unless it says otherwise.
        decoder_filters: Channels of each decoder of a task on pixels. Defaults
            to `32`.
        activation: Activation of the decoders. Defaults to `"relu"`.
        normalization: Normalization of the decoders: `"batch"` (default),
            `"group"`, `"layer"` or `None`.
        dropout: Dropout rate of what tasks on the whole image read, in
            [0, 1). Defaults to `0`.
        l1: Factor of the L1 penalty on the kernels of backbone and decoders.
            Defaults to `0`.
        l2: Factor of the L2 penalty on the kernels of backbone and decoders.
            Defaults to `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the backbone, such as `keras.layers.Rescaling(255)`; saved and
            exported with the model.
        loss_weights: Dict from task name to weight. Tasks that it leaves out
            keep their own.
        weighting: Name, config or instance of a weighting (see
            `mtl_keras.weighting.table()`). Defaults to `None`, the weighted
            sum of the task losses.
        gradients: `"parameters"` (default) or `"features"`: the gradients that
            a weighting compares, see `MultiTaskModel.compile`.
        optimizer: Name or instance of a Keras optimizer. Defaults to
            `"adam"`.
        compile: Whether to compile the model. Defaults to `True`.
        weights: Path of a `.weights.h5` or `.keras` file to start from.
        name: Name of the model. Defaults to `"from_backbone"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, two contradict, or a task
            cannot read the layer that is said.

    Reference:
        Chollet, "Transfer learning & fine-tuning", Keras guides, 2020 (frozen
        backbones).

    Example:

    >>> images = keras.Input((32, 32, 3))
    >>> x = keras.layers.Conv2D(8, 3, 2, "same", name="half")(images)
    >>> x = keras.layers.Conv2D(16, 3, 2, "same", name="quarter")(x)
    >>> backbone = keras.Model(images, x, name="two_levels")
    >>> model = mtl_keras.build_from_backbone(
    ...     backbone, feature_layers={"segmentation": ["half", "quarter"]}
    ... )
    >>> model.task_output_shapes
    {'classification': (10,), 'segmentation': (32, 32, 1)}
    """
    if input_shape is None:
        input_shape = own_input_shape(backbone) or (64, 64, 3)
    shape = arguments.check_input_shape(input_shape, 3, "(64, 64, 3)")
    tasks = arguments.resolve_tasks(
        tasks,
        lambda: class_and_mask(num_classes, num_mask_classes),
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    arguments.check_trunk(normalization, dropout, l1, l2)
    decoder_filters = arguments.check_integer(
        "decoder_filters", decoder_filters, least=1
    )
    regularizer = trunks.kernel_regularizer(l1, l2)

    inputs = keras.Input(shape, name="image")
    x = preprocess(inputs, preprocessing)
    network = resolve_backbone(backbone, tuple(x.shape)[1:], backbone_arguments)
    size = tuple(x.shape)[1:3]
    copy = copy_onto(network, x, trainable=trainable, regularizer=regularizer)
    read = layers_by_task(copy, tasks, feature_layers, size)
    vectors = _Vectors(copy.outputs, dropout)
    features = {}
    for task in tasks:
        names = read[task.name]
        if not reads_maps(task):
            features[task.name] = vectors[names[0]]
            continue
        maps = [copy.outputs[name] for name in names]
        features[task.name] = light_decoder(
            maps,
            factors_of([of.shape for of in maps], size, names),
            decoder_filters,
            activation=activation,
            normalization=normalization,
            regularizer=regularizer,
            name=f"{task.name}_decoder",
        )
    return assemble(
        inputs,
        features,
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


# What `mtl_keras.tuning` searches besides the usual arguments, and more slowly:
# a backbone may come trained.
build_from_backbone.search_space = {
    "decoder_filters": [16, 32, 64],
    "learning_rate": (1e-5, 1e-2),
}


class _Vectors(dict):
    """Feature vectors by layer, made where a task reads them."""

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
