"""Multilayer perceptron with one shared trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
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
    name: str = "mlp",
) -> MultiTaskModel:
    """Builds a multilayer perceptron whose hidden layers all tasks share.

    Without arguments it is the classical two-digit network: 784 inputs, one
    hidden layer of 64, and two heads of 10 classes, `left` and `right`.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        hidden_units: Width of each hidden layer; `()` is the linear model.
            Defaults to `(64,)`.
        trunk_width: Width of all hidden layers, in place of `hidden_units`.
        trunk_depth: Number of hidden layers, in place of `hidden_units`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default).
        dropout: Dropout rate after each hidden layer, in [0, 1). Defaults to
            `0`.
        l1: Factor of the L1 penalty on the trunk's kernels. Defaults to `0`.
        l2: Factor of the L2 penalty on the trunk's kernels. Defaults to `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the trunk, such as an adapted `keras.layers.Normalization`; saved
            and exported with the model.
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
        name: Name of the model. Defaults to `"mlp"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Caruana, "Multitask Learning", Machine Learning 28, 1997.

    Example:

    Two regressions whose total loss is L1 + 0.5 L2:

    >>> from mtl_keras import Regression
    >>> model = mtl_keras.build_mlp(
    ...     input_shape=(10,),
    ...     hidden_units=(64, 32),
    ...     tasks=[Regression("first"), Regression("second")],
    ...     loss_weights={"second": 0.5},
    ... )
    >>> model.task_output_shapes
    {'first': (1,), 'second': (1,)}
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks,
        lambda: arguments.left_and_right(num_classes),
        num_classes=num_classes,
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(64,),
        growth=1,
    )
    settings = arguments.mlp_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    x = trunks.mlp(x, widths, **settings)
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
build_mlp.search_space = {"trunk_width": [16, 32, 64, 128, 256]}
