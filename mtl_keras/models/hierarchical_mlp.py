"""A multilayer perceptron that tasks read at different depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import finish, vector_inputs
from mtl_keras.models.hierarchy import Hierarchy, coarse_and_fine
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_hierarchical_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    hidden_units: Sequence[int] | None = None,
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
    name: str = "hierarchical_mlp",
) -> MultiTaskModel:
    """Builds a trunk that low tasks read in the middle, and high ones on top.

    A task may also read the predictions of others, beside its features.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("coarse", 2)` and
            `Classification("fine", 10)`.
        num_classes: Classes of the two default tasks, one number for both or
            two. Defaults to `(2, 10)`; an error together with `tasks`.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64, 64)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
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
        name: Name of the model. Defaults to `"hierarchical_mlp"`.

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

    >>> model = mtl_keras.build_hierarchical_mlp(
    ...     (20,),
    ...     trunk_depth=4,
    ...     levels={"coarse": 1},
    ...     feeds={"fine": ["coarse"]},
    ... )
    >>> model.get_layer("fine").kernel.shape
    TensorShape([66, 10])
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, lambda: coarse_and_fine(num_classes), num_classes=num_classes
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(64, 64),
        growth=1,
        least_levels=1,
    )
    hierarchy = Hierarchy(tasks, len(widths), levels, feeds, stop_gradient)
    settings = arguments.mlp_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    features = []
    for level, units in enumerate(widths, start=1):
        x = trunks.mlp(
            x,
            (units,),
            name=f"trunk_{level}",
            **settings,
        )
        features.append(x)
    return finish(
        inputs,
        hierarchy.outputs(features),
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )
