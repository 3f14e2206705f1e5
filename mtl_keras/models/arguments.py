"""Checks of the arguments that all factories share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mtl_keras.normalization import NORMALIZATIONS
from mtl_keras.tasks import Classification, Task, check_task_names
from mtl_keras.trunks import kernel_regularizer


def resolve_tasks(
    tasks: Task | Sequence[Task] | None,
    default: Callable[[], list[Task]],
    **counts,
) -> list[Task]:
    """Returns the tasks that were given, or the default ones.

    Args:
        tasks: What the user passed as `tasks`.
        default: Makes the tasks for `None`.
        **counts: Arguments such as `num_classes` that only shape the default
            tasks; each must be `None` if tasks are given.

    Returns:
        A list of tasks of different names.

    Raises:
        TypeError: If something else than a task is among them.
        ValueError: If there are none, two of one name, or a count as well.
    """
    if tasks is None:
        return default()
    for argument, value in counts.items():
        if value is not None:
            raise ValueError(
                f"{argument}={value!r} shapes the default tasks, and tasks "
                "are given as well. Leave one of the two out."
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


def left_and_right(num_classes: int | None) -> list[Task]:
    """The default tasks of networks on vectors: the two-digit network's.

    Args:
        num_classes: Classes of each task, or `None` for 10.
    """
    count = 10 if num_classes is None else num_classes
    return [Classification(side, count) for side in ("left", "right")]


def check_vector_shape(input_shape: int | Sequence[int]) -> tuple:
    """Returns the shape of a sample that is flattened, or raises an error.

    Args:
        input_shape: A number of features, or a shape of any rank.

    Returns:
        The shape as a tuple.
    """
    if isinstance(input_shape, int | np.integer):
        input_shape = (input_shape,)
    rank = max(len(tuple(input_shape)), 1)
    return check_input_shape(input_shape, rank, "(784,)")


def resolve_widths(
    argument: str,
    widths: Sequence[int] | None,
    trunk_width: int | None,
    trunk_depth: int | None,
    *,
    default: Sequence[int],
    growth: int,
    least_levels: int = 0,
) -> list[int]:
    """Returns the width of each level of a trunk.

    Args:
        argument: Name of the argument that lists widths, for messages.
        widths: The list, or `None`.
        trunk_width: Width of the first level, or `None` for the default's.
        trunk_depth: Number of levels, or `None` for the default's.
        default: Widths if nothing is said.
        growth: Factor from one level to the next.
        least_levels: Fewest levels that `widths` may list. Defaults to `0`.

    Returns:
        A list of positive integers.

    Raises:
        TypeError: If a width or the depth is no integer.
        ValueError: If it is below 1, or if both ways are used.
    """
    if widths is not None:
        if trunk_width is not None or trunk_depth is not None:
            raise ValueError(
                f"{argument}={widths!r} lists the widths, and trunk_width="
                f"{trunk_width!r}, trunk_depth={trunk_depth!r} say them in "
                "another way. Leave one of the two out."
            )
        if isinstance(widths, int | np.integer):
            widths = [widths]
        if len(widths) < least_levels:
            raise ValueError(
                f"{argument} is empty; expected one width or more, such as "
                f"{tuple(default)}."
            )
        return [check_integer(argument, width, least=1) for width in widths]
    width = default[0] if trunk_width is None else trunk_width
    depth = len(default) if trunk_depth is None else trunk_depth
    width = check_integer("trunk_width", width, least=1)
    depth = check_integer("trunk_depth", depth, least=1)
    return [width * growth**level for level in range(depth)]


def check_integer(argument: str, value, *, least: int) -> int:
    """Raises an error unless a value is an integer of at least `least`.

    Args:
        argument: Name of the argument, for messages.
        value: The value.
        least: Lowest value allowed.

    Returns:
        The value as a Python integer.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{argument}: {value!r} is not an integer.")
    if value < least:
        raise ValueError(
            f"{argument}: found {value}, expected {least} or more."
        )
    return int(value)


def check_input_shape(
    input_shape: Sequence[int | None], rank: int, example: str
) -> tuple:
    """Raises an error unless an input shape has the rank of a factory.

    Args:
        input_shape: Shape without the batch axis; `None` for any length.
        rank: Number of axes that the factory takes.
        example: A shape that would do, for messages.

    Returns:
        The shape as a tuple.
    """
    if isinstance(input_shape, int | np.integer):
        input_shape = (input_shape,)
    shape = tuple(input_shape)
    if len(shape) != rank:
        raise ValueError(
            f"input_shape={shape} has {len(shape)} axes; expected {rank}, "
            f"without the batch axis, such as {example}."
        )
    for length in shape:
        if length is not None:
            check_integer("input_shape", length, least=1)
    return shape


def check_divisible(input_shape: tuple, poolings: int) -> None:
    """Raises a `ValueError` unless height and width can be halved so often.

    Args:
        input_shape: `(height, width, channels)`; `None` is not checked.
        poolings: Number of poolings by 2.
    """
    factor = 2**poolings
    for axis, length in zip(("height", "width"), input_shape, strict=False):
        if length is None or length % factor == 0:
            continue
        up = -(-length // factor) * factor
        raise ValueError(
            f"input_shape={input_shape}: {poolings} poolings halve the "
            f"{axis} {length}, which {factor} does not divide. Resize or pad "
            f"the {axis} to {up}, or use a smaller trunk_depth."
        )


def check_poolings(input_shape: tuple, poolings: int) -> None:
    """Raises a `ValueError` unless something is left after all poolings.

    Args:
        input_shape: `(height, width, channels)`, all of them numbers.
        poolings: Number of poolings by 2.
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
                f"input_shape={input_shape}: {poolings} poolings leave nothing "
                f"of the {axis} {length}. Use larger images, or a smaller "
                "trunk_depth."
            )


def check_trunk(
    normalization: str | None, dropout: float, l1: float, l2: float
) -> None:
    """Raises a `ValueError` unless the arguments of a trunk are in range.

    Args:
        normalization: One of `mtl_keras.normalization.NORMALIZATIONS`.
        dropout: At least 0 and below 1.
        l1: 0 or more.
        l2: 0 or more.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(
            f"normalization={normalization!r}; expected one of "
            f"{NORMALIZATIONS}."
        )
    for argument, number in (("dropout", dropout), ("l1", l1), ("l2", l2)):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"{argument}={number!r} is not a number.")
    if not 0 <= dropout < 1:
        raise ValueError(
            f"dropout={dropout!r}; expected a number of at least 0 and below 1."
        )
    for argument, factor in (("l1", l1), ("l2", l2)):
        if not factor >= 0:
            raise ValueError(
                f"{argument}={factor!r}; expected a number of 0 or more."
            )


def mlp_settings(
    activation: str,
    normalization: str | None,
    dropout: float,
    l1: float,
    l2: float,
) -> dict:
    """Checks the arguments of hidden layers and names them as a trunk does.

    Args:
        activation: See `mtl_keras.trunks.mlp`.
        normalization: See `check_trunk`.
        dropout: See `check_trunk`.
        l1: See `check_trunk`.
        l2: See `check_trunk`.

    Returns:
        Keyword arguments of `mtl_keras.trunks.mlp`.
    """
    check_trunk(normalization, dropout, l1, l2)
    return {
        "activation": activation,
        "normalization": normalization,
        "dropout": dropout,
        "regularizer": kernel_regularizer(l1, l2),
    }
