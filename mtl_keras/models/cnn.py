"""Convolutional network with one shared trunk, for tasks on whole images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.tasks import Classification, Task
from mtl_keras.training import MultiTaskModel


def build_cnn(
    input_shape: Sequence[int] = (28, 28, 3),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    filters: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    hidden_units: Sequence[int] = (128,),
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
    name: str = "cnn",
) -> MultiTaskModel:
    """Builds a convolutional network whose layers all tasks share.

    Without arguments: images of 28 x 28 x 3, a convolution of 32 channels and
    one of 64, each followed by pooling, a dense layer of 128, and three heads
    of 10 classes.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Defaults
            to `(28, 28, 3)`.
        tasks: List of tasks that read one feature vector: classifications,
            regressions, multi-label. Defaults to `Classification`s named
            `task_1`, `task_2`, ...
        num_classes: Classes of the default tasks: one number for three tasks,
            or a number for each of as many tasks as there are. Defaults to
            10; an error together with `tasks`.
        filters: Channels of each convolution. Defaults to `(32, 64)`.
        trunk_width: Channels of the first convolution, doubled at each
            further level, in place of `filters`.
        trunk_depth: Number of convolutions, in place of `filters`.
        hidden_units: Width of each dense layer after the convolutions.
            Defaults to `(128,)`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default), in
            the convolutions.
        dropout: Dropout rate after each dense layer, in [0, 1). Defaults to
            `0`.
        l1: Factor of the L1 penalty on the trunk's kernels. Defaults to `0`.
        l2: Factor of the L2 penalty on the trunk's kernels. Defaults to `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the trunk, such as `keras.layers.Rescaling(1 / 255)`; saved and
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
        name: Name of the model. Defaults to `"cnn"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Example:

    >>> model = mtl_keras.build_cnn(num_classes=(10, 5))
    >>> model.task_output_shapes
    {'task_1': (10,), 'task_2': (5,)}
    """
    shape = arguments.check_input_shape(input_shape, 3, "(28, 28, 3)")
    tasks = arguments.resolve_tasks(
        tasks, lambda: _default_tasks(num_classes), num_classes=num_classes
    )
    widths = arguments.resolve_widths(
        "filters",
        filters,
        trunk_width,
        trunk_depth,
        default=(32, 64),
        growth=2,
        least_levels=1,
    )
    units = arguments.resolve_widths(
        "hidden_units", hidden_units, None, None, default=(128,), growth=1
    )
    arguments.check_trunk(normalization, dropout, l1, l2)
    arguments.check_poolings(shape, len(widths))
    regularizer = trunks.kernel_regularizer(l1, l2)

    inputs = keras.Input(shape, name="image")
    x, _ = trunks.cnn_encoder(
        preprocess(inputs, preprocessing),
        widths,
        activation=activation,
        normalization=normalization,
        regularizer=regularizer,
        name="trunk",
    )
    x = keras.layers.Flatten(name="trunk_flatten")(x)
    x = trunks.mlp(
        x,
        units,
        activation=activation,
        dropout=dropout,
        regularizer=regularizer,
    )
    return assemble(
        inputs,
        {task.name: x for task in tasks},
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
build_cnn.search_space = {"trunk_width": [8, 16, 32, 64]}


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    if num_classes is None:
        num_classes = 10
    if not isinstance(num_classes, Sequence):
        num_classes = [num_classes] * 3
    if not num_classes:
        raise ValueError(
            "num_classes is empty; expected a number of classes for each task."
        )
    return [
        Classification(f"task_{index}", count)
        for index, count in enumerate(num_classes, start=1)
    ]
