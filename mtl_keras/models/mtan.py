"""A convolutional trunk that each task attends to by masks of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.attended_levels import attended_levels
from mtl_keras.models.dense_tasks import class_mask_and_depth, reads_maps
from mtl_keras.models.light_decoder import light_decoder
from mtl_keras.models.pooling import pool
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "mtan",
) -> MultiTaskModel:
    """Builds a multi-task attention network (MTAN) on convolutions.

    A level of the shared trunk is two convolutions, u and p. At each level a
    task goes on with mask * p, where its mask is read from u and from what it
    had a level below (see `mtl_keras.layers.TaskAttention`). Tasks on the
    whole image read the mean of their last level; tasks on pixels have a
    decoder of their own over all of their levels.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Height
            and width must be divisible by 2 to the power of the number of
            levels less one (3 by default); `None` takes any such size.
            Defaults to `(32, 32, 3)`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)`,
            `Segmentation("segmentation", 1)` and `DenseRegression("depth")`.
        num_classes: Classes of the default classification. Defaults to 10; an
            error together with `tasks`.
        num_mask_classes: Classes of the default segmentation; 1 is a binary
            mask. Defaults to 1; an error together with `tasks`.
        filters: Channels of each level of the trunk. Defaults to
            `(16, 32, 64)`.
        trunk_width: Channels of the first level, doubled at each further one,
            in place of `filters`.
        trunk_depth: Number of levels, in place of `filters`.
        decoder_filters: Channels of each decoder of a task on pixels. Defaults
            to `16`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"` (default), `"group"`, `"layer"` or `None`.
        dropout: Dropout rate of what tasks on the whole image read, in
            [0, 1). Defaults to `0`.
        l1: Factor of the L1 penalty on the hidden layers' kernels. Defaults to
            `0`.
        l2: Factor of the L2 penalty on the hidden layers' kernels. Defaults to
            `0`.
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
        name: Name of the model. Defaults to `"mtan"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
        lambda: class_mask_and_depth(num_classes, num_mask_classes),
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    widths = arguments.resolve_widths(
        "filters",
        filters,
        trunk_width,
        trunk_depth,
        default=(16, 32, 64),
        growth=2,
        least_levels=1,
    )
    arguments.check_trunk(normalization, dropout, l1, l2)
    arguments.check_divisible(shape, len(widths) - 1)
    decoder_filters = arguments.check_integer(
        "decoder_filters", decoder_filters, least=1
    )
    settings = {
        "activation": activation,
        "normalization": normalization,
        "regularizer": trunks.kernel_regularizer(l1, l2),
    }

    inputs = keras.Input(shape, name="image")
    levels = attended_levels(
        preprocess(inputs, preprocessing), tasks, widths, **settings
    )
    features = {}
    for task in tasks:
        of_task = [level[task.name] for level in levels]
        if not reads_maps(task):
            features[task.name] = pool(of_task[-1], dropout, f"{task.name}_top")
            continue
        features[task.name] = light_decoder(
            of_task,
            [1] + [2] * (len(widths) - 1),
            decoder_filters,
            name=f"{task.name}_decoder",
            **settings,
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


# What `mtl_keras.tuning` searches in place of the usual choices.
build_mtan.search_space = {
    "trunk_width": [8, 16, 32],
    "trunk_depth": [2, 3, 4],
}
