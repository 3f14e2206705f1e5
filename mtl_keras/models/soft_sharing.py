"""Towers that share nothing and are held near each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import SoftSharedDense
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.models.towers import equal_towers, towers
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_soft_sharing_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    distance: float = 0.01,
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
    name: str = "soft_sharing_mlp",
) -> MultiTaskModel:
    """Builds a tower a task, tied by an L2 distance of their kernels.

    The tasks share no parameters. To the loss comes, at each level,

        distance * sum_{i<j} ||W_i - W_j||^2

    over all pairs of tasks. With `distance=0` the towers are independent.

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
        distance: Factor of the penalty, 0 or more. Defaults to `0.01`.
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
            sum of the task losses. Methods
            that compare the gradients of shared parameters are refused, as
            there are none.
        gradients: `"parameters"` (default) or `"features"`: the gradients that
            a weighting compares, see `MultiTaskModel.compile`.
        optimizer: Name or instance of a Keras optimizer. Defaults to
            `"adam"`.
        compile: Whether to compile the model. Defaults to `True`.
        weights: Path of a `.weights.h5` or `.keras` file to start from.
        name: Name of the model. Defaults to `"soft_sharing_mlp"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Duong et al., "Low Resource Dependency Parsing: Cross-lingual Parameter
        Sharing in a Neural Network Parser", ACL 2015.

    Example:

    >>> model = mtl_keras.build_soft_sharing_mlp((20,), distance=0.1)
    >>> len(model.get_layer("trunk_dense_1").kernels)
    2
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
    levels = [
        SoftSharedDense(
            units,
            len(tasks),
            distance,
            use_bias=normalization is None,
            kernel_regularizer=trunks.kernel_regularizer(l1, l2),
            name=f"trunk_dense_{level}",
        )
        for level, units in enumerate(widths, start=1)
    ]
    features = towers(
        [x] * len(tasks),
        tasks,
        len(levels),
        lambda level, task, x: levels[level - 1](x, task=task),
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


# What `mtl_keras.tuning` searches besides the usual arguments.
build_soft_sharing_mlp.search_space = {"distance": [0.001, 0.01, 0.1]}
