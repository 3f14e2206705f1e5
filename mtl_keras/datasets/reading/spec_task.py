"""Makes the task of a `TargetSpec`."""

from __future__ import annotations

import dataclasses
from typing import Any

from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.tasks import Task


def get_argument(spec: TargetSpec, name: str) -> Any:
    """Returns an argument of the task, if the user gives it.

    Args:
        spec: The `TargetSpec`.
        name: Name of the argument, such as `"num_classes"`.

    Returns:
        The value, or `None` if the user does not give it.
    """
    return getattr(spec.task, name, spec.arguments.get(name))


def make_task(spec: TargetSpec, kind: type[Task], **inferred) -> Task:
    """Makes the task of a spec.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task.
        **inferred: Arguments that the data imply, or `None`. The arguments
            that the user gives take precedence.

    Returns:
        A new task, or that of the spec, with the inferred class names if it
        has none.
    """
    found = {name: v for name, v in inferred.items() if v is not None}
    if spec.task is None:
        return kind(spec.name, **{**found, **spec.arguments})
    names = found.get("class_names")
    if names is None or spec.task.class_names is not None:
        return spec.task
    return dataclasses.replace(spec.task, class_names=names)
