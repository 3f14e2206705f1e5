"""A shared trunk, and heads whose relations are learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import TaskRelationDense
from mtl_keras.models import arguments
from mtl_keras.models.assembly import finish, vector_inputs
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_task_relation_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    form: str = "trace",
    penalty: float = 0.01,
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
    name: str = "task_relation_mlp",
) -> MultiTaskModel:
    """Builds a shared trunk, and heads that learn how tasks are related.

    With W the kernels of the heads, a column for each task, either
    `penalty * tr(W Omega^-1 W^T)` comes to the loss, where Omega is the
    covariance of the tasks in closed form, or `penalty * ||W||_F^2`, with a
    trainable matrix that mixes what the heads say. See
    `mtl_keras.layers.TaskRelationDense`;
    `model.get_layer("task_relation").relations` shows the matrix, its rows and
    columns in the order of the tasks.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks whose outputs have one width. Defaults to
            `Classification("left", 10)` and `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64,)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
        form: `"trace"` (default) for a covariance of the tasks, `"matrix"`
            for a trainable matrix.
        penalty: Factor of the penalty, 0 or more. Defaults to `0.01`.
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
        name: Name of the model. Defaults to `"task_relation_mlp"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Zhang and Yeung, "A Convex Formulation for Learning Task Relationships
        in Multi-Task Learning", UAI 2010.

    Example:

    >>> model = mtl_keras.build_task_relation_mlp((20,))
    >>> covariance = model.get_layer("task_relation").relations
    >>> covariance.shape
    (2, 2)
    >>> round(float(covariance.trace()), 4)
    1.0
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
    return finish(
        inputs,
        _related_heads(x, tasks, form, penalty),
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
build_task_relation_mlp.search_space = {"penalty": [0.001, 0.01, 0.1]}


def _related_heads(x, tasks: Sequence[Task], form: str, penalty: float) -> dict:
    shapes = {task.name: task.head(x).shape[1:] for task in tasks}
    first, *others = shapes
    for name in others:
        if shapes[name] != shapes[first]:
            raise ValueError(
                f"Task {first!r} has an output of {shapes[first][-1]} and "
                f"{name!r} one of {shapes[name][-1]}. Relations compare heads "
                "of one width: give the tasks the same, or use build_mlp."
            )
    related = TaskRelationDense(
        shapes[first][-1],
        len(tasks),
        form,
        penalty,
        # Heads compute in float32 under mixed precision too.
        dtype="float32",
        name="task_relation",
    )
    return {
        task.name: keras.layers.Activation(
            task.activation or "linear", dtype="float32", name=task.name
        )(related(x, task=index))
        for index, task in enumerate(tasks)
    }
