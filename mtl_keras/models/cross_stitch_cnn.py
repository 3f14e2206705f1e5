"""Cross-stitched convolutional networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.stitched_towers import Stitches, dense_towers
from mtl_keras.models.towers import equal_towers
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "cross_stitch_cnn",
) -> MultiTaskModel:
    """Builds a convolutional tower a task, and combines them at each level.

    A level is a convolution and a pooling, or a dense layer; after each, task
    k goes on with x_k <- sum_j alpha_kj x_j, where the alpha are trainable.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Defaults
            to `(28, 28, 3)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        filters: Channels of each convolution of a tower; the same for all.
            Defaults to `(16, 32)`.
        trunk_width: Channels of the first convolution, doubled at each
            further level, in place of `filters`.
        trunk_depth: Number of convolutions, in place of `filters`.
        hidden_units: Width of each dense layer after the convolutions.
            Defaults to `(64,)`.
        own: Share of its own tower that a task starts with, the rest being
            equal shares of the others. `1` starts from independent towers.
            Defaults to `0.9`.
        per_channel: Whether each channel is combined by itself. Defaults to
            `False`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default).
        dropout: Dropout rate after each hidden layer, in [0, 1). Defaults to
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
        name: Name of the model. Defaults to `"cross_stitch_cnn"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
        tasks,
        lambda: arguments.left_and_right(num_classes),
        num_classes=num_classes,
    )
    channels = arguments.resolve_widths(
        "filters",
        equal_towers("filters", filters, tasks),
        trunk_width,
        trunk_depth,
        default=(16, 32),
        growth=2,
        least_levels=1,
    )
    units = arguments.resolve_widths(
        "hidden_units", hidden_units, None, None, default=(64,), growth=1
    )
    arguments.check_trunk(normalization, dropout, l1, l2)
    arguments.check_poolings(shape, len(channels))

    inputs = keras.Input(shape, name="image")
    settings = {
        "stitches": Stitches(len(tasks), own, per_channel),
        "regularizer": trunks.kernel_regularizer(l1, l2),
        "activation": activation,
        "normalization": normalization,
    }
    features = _convolutional_towers(
        preprocess(inputs, preprocessing), tasks, channels, **settings
    )
    features = dense_towers(features, tasks, units, dropout=dropout, **settings)
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


# What `mtl_keras.tuning` searches in place of the usual choices.
build_cross_stitch_cnn.search_space = {"trunk_width": [8, 16, 32]}


def _convolutional_towers(x, tasks, channels, *, stitches, **settings) -> list:
    features = [x] * len(tasks)
    for level, filters in enumerate(channels, start=1):
        for index, task in enumerate(tasks):
            name = f"{task.name}_tower_{level}"
            of_task = trunks.convolutions(
                features[index], filters, name=name, **settings
            )
            pool = keras.layers.MaxPooling2D(name=f"{name}_pool")
            features[index] = pool(of_task)
        features = stitches(features)
    return [
        keras.layers.Flatten(name=f"{task.name}_tower_flatten")(of_task)
        for task, of_task in zip(tasks, features, strict=True)
    ]
