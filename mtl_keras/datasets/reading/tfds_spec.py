"""What a caller and a feature of TensorFlow Datasets say of a task."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.reading.tfds_features import NamedFeature
from mtl_keras.tasks import Task


def said(spec: TargetSpec, argument: str) -> Any:
    """Finds what the caller says of an argument of the task.

    Args:
        spec: What the caller says of the target.
        argument: String, the name of the argument.

    Returns:
        The value, or `None`.
    """
    return getattr(spec.task, argument, spec.arguments.get(argument))


def make_task(spec: TargetSpec, kind: type[Task], **found) -> Task:
    """Makes the task of a spec.

    Args:
        spec: What the caller says of the target.
        kind: The class of the task.
        **found: Arguments that the features say; those of the spec go first.

    Returns:
        The task.
    """
    found = {name: value for name, value in found.items() if value is not None}
    if spec.task is None:
        return kind(spec.name, **{**found, **spec.arguments})
    names = found.get("class_names")
    if names is None or spec.task.class_names is not None:
        return spec.task
    return dataclasses.replace(spec.task, class_names=names)


def num_classes_of(feature: NamedFeature) -> int | None:
    """Finds how many classes a feature has.

    Args:
        feature: The feature.

    Returns:
        The number, or `None` where it says none.
    """
    return getattr(feature.connector, "num_classes", None)


def class_names_of(feature: NamedFeature) -> tuple[str, ...] | None:
    """Finds the names of a feature's classes.

    Args:
        feature: The feature.

    Returns:
        The names, or `None` where the classes are numbered alone.
    """
    count = num_classes_of(feature)
    if not count:
        return None
    names = tuple(feature.connector.names)
    # Where there are no names, TFDS has the numbers.
    return None if names == tuple(map(str, range(count))) else names
