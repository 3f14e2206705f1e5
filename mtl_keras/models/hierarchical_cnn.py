"""A convolutional network that tasks read at different depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import finish, preprocess
from mtl_keras.models.hierarchy import Hierarchy, coarse_and_fine
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_hierarchical_cnn(
    input_shape: Sequence[int] = (28, 28, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    levels: Mapping[str, int] | None = None,
    feeds: Mapping[str, Sequence[str]] | None = None,
    stop_gradient: bool = True,
    activation: str = "relu",
    normalization: str | None = None,
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
    name: str = "hierarchical_cnn",
) -> MultiTaskModel:
    """Builds convolutions that low tasks read early, and high ones at the end.

    A level of the trunk is a convolution and a pooling; a task reads the mean
    of each channel. It may also read the predictions of others.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Defaults
            to `(28, 28, 3)`.
        tasks: List of tasks. Defaults to `Classification("coarse", 2)` and
            `Classification("fine", 10)`.
        num_classes: Classes of the two default tasks, one number for both or
            two. Defaults to `(2, 10)`; an error together with `tasks`.
        filters: Channels of each convolution. Defaults to `(32, 64, 128)`.
        trunk_width: Channels of the first convolution, doubled at each
            further level, in place of `filters`.
        trunk_depth: Number of convolutions, in place of `filters`.
        levels: Dict from task name to the level of the trunk that the task
            reads, counted from 1. Tasks that it leaves out read the top.
            Defaults to the middle for the first task.
        feeds: Dict from task name to the names of the tasks whose predictions
            it reads beside its features (task fusion). Defaults to none.
        stop_gradient: Whether a task's gradient stops at the predictions that
            it reads, so that it does not train what made them. Defaults to
            `True`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default).
        dropout: Dropout rate of what tasks read, in [0, 1). Defaults to
            `0`.
        l1: Factor of the L1 penalty on the hidden layers' kernels. Defaults to
            `0`.
        l2: Factor of the L2 penalty on the hidden layers' kernels. Defaults to
            `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the first layer, such as `keras.layers.Rescaling(1 / 255)`.
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
        name: Name of the model. Defaults to `"hierarchical_cnn"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Sogaard and Goldberg, "Deep multi-task learning with low level tasks
        supervised at lower layers", ACL 2016; Hashimoto et al., "A Joint
        Many-Task Model", EMNLP 2017 (predictions of lower tasks as inputs).

    Example:

    >>> model = mtl_keras.build_hierarchical_cnn(
    ...     (16, 16, 1), filters=(8, 16), feeds={"fine": ["coarse"]}
    ... )
    >>> model.get_layer("coarse").kernel.shape
    TensorShape([8, 2])
    >>> model.get_layer("fine").kernel.shape
    TensorShape([18, 10])
    """
    shape = arguments.check_input_shape(input_shape, 3, "(28, 28, 3)")
    tasks = arguments.resolve_tasks(
        tasks, lambda: coarse_and_fine(num_classes), num_classes=num_classes
    )
    channels = arguments.resolve_widths(
        "filters",
        filters,
        trunk_width,
        trunk_depth,
        default=(32, 64, 128),
        growth=2,
        least_levels=1,
    )
    hierarchy = Hierarchy(tasks, len(channels), levels, feeds, stop_gradient)
    arguments.check_trunk(normalization, dropout, l1, l2)
    arguments.check_poolings(shape, len(channels))

    inputs = keras.Input(shape, name="image")
    x = preprocess(inputs, preprocessing)
    features = []
    for level, count in enumerate(channels, start=1):
        x, _ = trunks.cnn_encoder(
            x,
            (count,),
            activation=activation,
            normalization=normalization,
            regularizer=trunks.kernel_regularizer(l1, l2),
            name=f"trunk_{level}",
        )
        features.append(x)
    return finish(
        inputs,
        hierarchy.outputs(_Means(features, dropout)),
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


# What `mtl_keras.tuning` searches in place of the usual choices.
build_hierarchical_cnn.search_space = {"trunk_width": [8, 16, 32]}


class _Means:
    """Means of the channels of each level, made where a task reads them."""

    def __init__(self, features: list, dropout: float):
        self._features, self._dropout, self._made = features, dropout, {}

    def __getitem__(self, index: int):
        if index not in self._made:
            name = f"trunk_{index + 1}_mean"
            mean = keras.layers.GlobalAveragePooling2D(name=name)
            x = mean(self._features[index])
            if self._dropout:
                name = f"trunk_{index + 1}_dropout"
                x = keras.layers.Dropout(self._dropout, name=name)(x)
            self._made[index] = x
        return self._made[index]
