"""Cross-stitched multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.models.stitched_towers import Stitches, dense_towers
from mtl_keras.models.towers import equal_towers
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_cross_stitch_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
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
    name: str = "cross_stitch_mlp",
) -> MultiTaskModel:
    """Builds a tower a task, and combines them after each hidden layer.

    Task k goes on with x_k <- sum_j alpha_kj x_j, where the alpha are
    trainable; `model.get_layer("cross_stitch_1").matrix` shows them.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        hidden_units: Width of each hidden layer of each tower; the same
            for all. Defaults to `(64,)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
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
            the first layer, such as an adapted `keras.layers.Normalization`.
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
        name: Name of the model. Defaults to `"cross_stitch_mlp"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Misra et al., "Cross-stitch Networks for Multi-task Learning", CVPR
        2016.

    Example:

    >>> model = mtl_keras.build_cross_stitch_mlp((20,), hidden_units=(16, 8))
    >>> model.get_layer("cross_stitch_2").matrix.shape
    (2, 2)
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks,
        lambda: arguments.left_and_right(num_classes),
        num_classes=num_classes,
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        equal_towers("hidden_units", hidden_units, tasks),
        trunk_width,
        trunk_depth,
        default=(64,),
        growth=1,
    )
    arguments.check_trunk(normalization, dropout, l1, l2)

    inputs, x = vector_inputs(shape, preprocessing)
    features = dense_towers(
        [x] * len(tasks),
        tasks,
        widths,
        stitches=Stitches(len(tasks), own, per_channel),
        regularizer=trunks.kernel_regularizer(l1, l2),
        activation=activation,
        normalization=normalization,
        dropout=dropout,
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
