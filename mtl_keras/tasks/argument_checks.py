"""Checks of the arguments that all kinds of tasks take."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any

import keras

from mtl_keras.argument_checks import check_integer
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.missing_object import MissingObject

# Valid for Keras layers, TensorFlow's name scopes and SavedModel signatures.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


def check_name(name: Any) -> None:
    """Checks the name of a task.

    Args:
        name: Name of the task.

    Raises:
        TypeError: If it is not a string.
        ValueError: If it cannot name a layer and an output.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"A task's name is a string; got {name!r} of type "
            f"{type(name).__name__}."
        )
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"Task name {name!r} cannot name a Keras layer and a SavedModel "
            "output. Start with a letter and go on with letters, digits, '_', "
            "'.' or '-'."
        )


def check_title(name: str, title: Any) -> None:
    """Checks the title of a task.

    Args:
        name: Name of the task.
        title: Its `title`.

    Raises:
        TypeError: If it is neither `None` nor a string.
        ValueError: If it is empty.
    """
    if title is None:
        return
    if not isinstance(title, str):
        raise TypeError(
            f"Task {name!r}: title={title!r}; expected a string or None."
        )
    if not title.strip():
        raise ValueError(
            f"Task {name!r}: title={title!r} is empty; expected a text that "
            "people read, or None."
        )


def check_loss_weight(name: str, weight: Any) -> None:
    """Checks the loss weight of a task.

    Args:
        name: Name of the task.
        weight: Its `loss_weight`.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is negative, infinite or NaN.
    """
    if not isinstance(weight, int | float) or isinstance(weight, bool):
        raise TypeError(
            f"Task {name!r}: loss_weight={weight!r} is not a number."
        )
    if not math.isfinite(weight) or weight < 0:
        raise ValueError(
            f"Task {name!r}: loss_weight={weight!r}; expected a finite number "
            "of 0 or more."
        )


def check_size(name: str, argument: str, value: Any, min_value: int) -> int:
    """Checks a number of classes, labels or units.

    Args:
        name: Name of the task.
        argument: Name of the argument.
        value: Its value.
        min_value: The smallest valid value.

    Returns:
        The value as an `int`.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is below `min_value`.
    """
    return check_integer(f"Task {name!r}: {argument}", value, minimum=min_value)


def get_loss(name: str, loss: Any):
    """Returns the loss of a task.

    Args:
        name: Name of the task.
        loss: Anything that `keras.losses.get` takes.

    Raises:
        ValueError: If Keras has no such loss.
    """
    try:
        return keras.losses.get(loss)
    except ValueError as error:
        raise ValueError(
            f"Task {name!r}: Keras has no loss {loss!r}. Pass a name that "
            "keras.losses.get takes, a Loss or a function."
        ) from error


def check_metrics(
    task: str, metrics: Sequence[Any], known: Collection[str]
) -> list[str]:
    """Checks the metrics of a task.

    Args:
        task: The task, for messages.
        metrics: Names and `keras.metrics.Metric` instances.
        known: Names of the metrics of its kind.

    Returns:
        The names of the metrics.

    Raises:
        TypeError: If an entry is neither a name nor a metric.
        ValueError: If a name is unknown or occurs twice.
    """
    names = []
    for metric in metrics:
        if isinstance(metric, keras.metrics.Metric | MissingObject):
            names.append(metric.name)
        elif isinstance(metric, str) and metric in known:
            names.append(metric)
        elif isinstance(metric, str):
            raise ValueError(
                f"{task} has no metric {metric!r}. "
                f"{did_you_mean(metric, known)} A keras.metrics.Metric "
                "instance works too."
            )
        else:
            raise TypeError(
                f"{task}: metrics holds {metric!r}; expected names or "
                "keras.metrics.Metric instances."
            )
    if len(set(names)) < len(names):
        raise ValueError(f"{task}: two metrics have the same name in {names}.")
    return names
