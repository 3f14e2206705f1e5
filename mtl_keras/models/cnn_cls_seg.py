"""U-Net whose encoder also serves tasks on the whole image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.dense_tasks import class_and_mask, reads_maps
from mtl_keras.models.pooling import pool
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "cnn_cls_seg",
) -> MultiTaskModel:
    """Builds a U-Net that classifies an image and segments it.

    The encoder is shared. Tasks on the whole image (`classification`) read
    its pooled bottleneck; tasks on pixels share a decoder with skips that ends
    at the height and width of the image.

    Args:
        input_shape: Shape of one image, `(height, width, channels)`. Height
            and width must be divisible by 2 to the power of the number of
            levels less one (4 by default); `None` takes any such size.
            Defaults to `(32, 32, 3)`.
        tasks: List of tasks: any number of `Segmentation`s and
            `DenseRegression`s, and of tasks that read one feature vector.
            Defaults to `Classification("classification", 10)` and
            `Segmentation("segmentation", 1)`.
        num_classes: Classes of the default classification. Defaults to 10; an
            error together with `tasks`.
        num_mask_classes: Classes of the default segmentation; 1 is a binary
            mask. Defaults to 1; an error together with `tasks`.
        filters: Channels of each level of the encoder. Defaults to
            `(16, 32, 64, 128)`. The decoder has half as many at each level,
            but not fewer than the first.
        trunk_width: Channels of the first level, doubled at each further one,
            in place of `filters`.
        trunk_depth: Number of levels, in place of `filters`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"` (default), `"group"`, `"layer"` or `None`.
        dropout: Dropout rate of the pooled bottleneck, before the heads on
            the whole image, in [0, 1). Defaults to `0`.
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
        name: Name of the model. Defaults to `"cnn_cls_seg"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
        lambda: class_and_mask(num_classes, num_mask_classes),
        num_classes=num_classes,
        num_mask_classes=num_mask_classes,
    )
    widths = arguments.resolve_widths(
        "filters",
        filters,
        trunk_width,
        trunk_depth,
        default=(16, 32, 64, 128),
        growth=2,
        least_levels=1,
    )
    arguments.check_trunk(normalization, dropout, l1, l2)
    arguments.check_divisible(shape, len(widths) - 1)
    settings = {
        "activation": activation,
        "normalization": normalization,
        "regularizer": trunks.kernel_regularizer(l1, l2),
    }

    inputs = keras.Input(shape, name="image")
    bottleneck, skips = trunks.cnn_encoder(
        preprocess(inputs, preprocessing),
        widths,
        convolutions_per_level=_convolutions(len(widths)),
        pool_last=False,
        **settings,
    )
    features = {}
    if any(not reads_maps(task) for task in tasks):
        pooled = pool(bottleneck, dropout, "bottleneck")
        features |= {t.name: pooled for t in tasks if not reads_maps(t)}
    if any(reads_maps(task) for task in tasks):
        narrow = [max(width // 2, widths[0]) for width in widths[:-1]]
        decoded = trunks.unet_decoder(bottleneck, skips, narrow, **settings)
        features |= {t.name: decoded for t in tasks if reads_maps(t)}
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
build_cnn_cls_seg.search_space = {
    "trunk_width": [8, 16, 32],
    "trunk_depth": [2, 3, 4],
}


def _convolutions(levels: int) -> list[int]:
    """Two a level, but one where time (first) or weights (last) are spent."""
    return [2 if 0 < level < levels - 1 else 1 for level in range(levels)]
