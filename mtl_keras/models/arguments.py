"""Checks the arguments that factories share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mtl_keras.argument_checks import check_integer
from mtl_keras.normalization import NORMALIZATIONS
from mtl_keras.tasks import Task, check_task_names
from mtl_keras.tasks.rename import rename_tasks
from mtl_keras.trunks import kernel_regularizer


def resolve_tasks(
    tasks: Task | Sequence[Task] | None,
    default: Callable[..., list[Task]],
    *,
    names: Mapping[str, str] | None = None,
    **counts,
) -> list[Task]:
    """Returns the given tasks, or the default tasks.

    Args:
        tasks: The argument `tasks` of a factory.
        default: Function from `counts` to the default tasks.
        names: Dict from the name of a default task to its new name. Must be
            `None` if `tasks` are given. Defaults to `None`.
        **counts: Arguments such as `num_classes` that apply to the default
            tasks only. They must be `None` if `tasks` are given.

    Returns:
        A list of tasks with different names.

    Raises:
        TypeError: If an element is not a task.
        ValueError: If there are no tasks, two tasks have the same name, or
            both tasks and a count are given.
    """
    if tasks is None:
        return rename_tasks(default(**counts), names)
    if names is not None:
        raise ValueError(
            f"names={names!r} renames the default tasks, but tasks are also "
            "given. Leave one of the two out."
        )
    for argument, value in counts.items():
        if value is not None:
            raise ValueError(
                f"{argument}={value!r} applies to the default tasks, but tasks "
                "are also given. Leave one of the two out."
            )
    if isinstance(tasks, Task):
        tasks = [tasks]
    if isinstance(tasks, str) or not isinstance(tasks, Sequence):
        raise TypeError(
            f"tasks is {tasks!r} of type {type(tasks).__name__}; expected a "
            "list of tasks, such as [mtl_keras.Regression('heating')]."
        )
    for task in tasks:
        if not isinstance(task, Task):
            raise TypeError(
                f"tasks holds {task!r} of type {type(task).__name__}; expected "
                "tasks such as mtl_keras.Classification('digit', 10)."
            )
    if not tasks:
        raise ValueError(
            "tasks is empty; expected at least one task, such as "
            "mtl_keras.Classification('digit', 10)."
        )
    check_task_names(tasks)
    return list(tasks)


def check_rate(argument: str, value) -> None:
    """Raises an error unless a value is a dropout rate.

    Args:
        argument: Name of the argument, for error messages.
        value: Value of the argument, at least 0 and below 1.

    Raises:
        TypeError: If the value is not a number.
        ValueError: If it is out of range.
    """
    _check_number(argument, value)
    if not 0 <= value < 1:
        raise ValueError(
            f"{argument}={value!r}; expected a number of at least 0 and "
            "below 1."
        )


def _check_number(argument: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{argument}={value!r} is not a number.")


def check_input_shape(
    input_shape: Sequence[int | None], rank: int, example: str
) -> tuple:
    """Returns an input shape of a given rank, or raises an error.

    Args:
        input_shape: Shape without the batch axis. `None` is any length.
        rank: Number of axes that the factory expects.
        example: A valid shape, for error messages.

    Returns:
        The shape as a tuple.

    Raises:
        TypeError: If it is not a sequence of integers.
        ValueError: If the shape has another rank, or an axis below 1.
    """
    shape = _shape_tuple(input_shape, example)
    if len(shape) != rank:
        raise ValueError(
            f"input_shape={shape} has {len(shape)} axes; expected {rank}, "
            f"without the batch axis, such as {example}."
        )
    for length in shape:
        if length is not None:
            check_integer("input_shape", length, minimum=1)
    return shape


def check_vector_shape(input_shape: int | Sequence[int]) -> tuple:
    """Returns the shape of a sample that a network on vectors takes.

    Args:
        input_shape: Number of features, or a shape of any rank.

    Raises:
        ValueError: If the shape has no axes, or an axis below 1.
    """
    shape = _shape_tuple(input_shape, "(784,)")
    return check_input_shape(shape, max(len(shape), 1), "(784,)")


def _shape_tuple(input_shape, example: str) -> tuple:
    if isinstance(input_shape, int | np.integer):
        return (input_shape,)
    if isinstance(input_shape, str) or not hasattr(input_shape, "__iter__"):
        raise TypeError(
            f"input_shape={input_shape!r} is not a shape; expected one such as "
            f"{example}, without the batch axis."
        )
    shape = tuple(input_shape)
    if any(isinstance(axis, Task) for axis in shape):
        raise TypeError(
            "input_shape holds tasks; expected a shape such as "
            f"{example}, without the batch axis. Pass tasks by name: "
            "tasks=[...]."
        )
    return shape


def check_divisible(input_shape: tuple, poolings: int) -> None:
    """Checks that every pooling halves height and width without a remainder.

    Args:
        input_shape: `(height, width, channels)`. `None` is not checked.
        poolings: Number of poolings by 2.

    Raises:
        ValueError: If height or width is not divisible by `2**poolings`.
    """
    factor = 2**poolings
    for axis, length in zip(("height", "width"), input_shape, strict=False):
        if length is None or length % factor == 0:
            continue
        padded = -(-length // factor) * factor
        raise ValueError(
            f"input_shape={input_shape}: {poolings} poolings halve the "
            f"{axis} {length}, which is not divisible by {factor}. Resize or "
            f"pad the {axis} to {padded}, or use a smaller trunk_depth."
        )


def check_poolings(input_shape: tuple, poolings: int) -> None:
    """Checks that height and width are at least 1 after all poolings.

    Args:
        input_shape: `(height, width, channels)`, without `None`.
        poolings: Number of poolings by 2.

    Raises:
        ValueError: If height or width is `None` or too small.
    """
    for axis, length in zip(("height", "width"), input_shape, strict=False):
        if length is None:
            raise ValueError(
                f"input_shape={input_shape}: the {axis} must be a number, "
                "because the dense layers read all positions. "
                "build_cnn_cls_seg takes images of any size."
            )
        if length < 2**poolings:
            raise ValueError(
                f"input_shape={input_shape}: the {axis} {length} is too small "
                f"for {poolings} poolings. Use larger images, or a smaller "
                "trunk_depth."
            )


def check_hidden_layers(
    normalization: str | None, dropout: float, l1: float, l2: float
) -> None:
    """Checks the arguments of hidden layers.

    Args:
        normalization: One of `mtl_keras.normalization.NORMALIZATIONS`.
        dropout: Number of at least 0 and below 1.
        l1: Number of 0 or more.
        l2: Number of 0 or more.

    Raises:
        TypeError: If a number has another type.
        ValueError: If an argument is out of range.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization={normalization!r}; expected one of "
            f"{NORMALIZATIONS}."
        )
    check_rate("dropout", dropout)
    for argument, factor in (("l1", l1), ("l2", l2)):
        _check_number(argument, factor)
        if not factor >= 0:
            raise ValueError(
                f"{argument}={factor!r}; expected a number of 0 or more."
            )


def dense_settings(
    activation: str,
    normalization: str | None,
    dropout: float,
    l1: float,
    l2: float,
) -> dict:
    """Returns keyword arguments of `mtl_keras.trunks.mlp`.

    Args:
        activation: See `mtl_keras.trunks.mlp`.
        normalization: See `check_hidden_layers`.
        dropout: See `check_hidden_layers`.
        l1: See `check_hidden_layers`.
        l2: See `check_hidden_layers`.
    """
    check_hidden_layers(normalization, dropout, l1, l2)
    return {
        "activation": activation,
        "normalization": normalization,
        "dropout": dropout,
        "regularizer": kernel_regularizer(l1, l2),
    }


def convolution_settings(
    activation: str,
    normalization: str | None,
    dropout: float,
    l1: float,
    l2: float,
) -> dict:
    """Returns keyword arguments of `mtl_keras.trunks.convolutions`.

    `dropout` is checked but not among them: convolutions have none.

    Args:
        activation: See `mtl_keras.trunks.convolutions`.
        normalization: See `check_hidden_layers`.
        dropout: See `check_hidden_layers`.
        l1: See `check_hidden_layers`.
        l2: See `check_hidden_layers`.
    """
    settings = dense_settings(activation, normalization, dropout, l1, l2)
    del settings["dropout"]
    return settings
