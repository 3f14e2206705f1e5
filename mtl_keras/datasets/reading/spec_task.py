"""Makes the task of a `TargetSpec`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mtl_keras.datasets.reading.kind_labels import takes_class_names
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.tasks import Task


def get_argument(spec: TargetSpec, name: str) -> Any:
    """Returns an argument of the task, if the user gives it.

    Args:
        spec: The `TargetSpec`.
        name: Name of the argument, such as `"class_names"`.

    Returns:
        The value, or `None` if the user does not give it.
    """
    return getattr(spec.task, name, spec.arguments.get(name))


def get_size(spec: TargetSpec, kind: type[Task]) -> int | None:
    """Returns the size of the output, if the kind or the user sets it.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task.
    """
    if kind.size_argument is None:
        return 1
    return get_argument(spec, kind.size_argument)


def get_num_classes(spec: TargetSpec, kind: type[Task]) -> int | None:
    """Returns the number of classes, if the kind or the user sets it.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task, whose labels are classes.
    """
    if spec.task is not None:
        return spec.task.num_label_classes
    return 2 if kind.size_argument is None else get_size(spec, kind)


def make_task(
    spec: TargetSpec,
    kind: type[Task],
    *,
    size: int,
    class_names: Sequence[str] | None = None,
    **inferred,
) -> Task:
    """Makes the task of a spec.

    The arguments that the user gives take precedence over those that the data
    imply.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task.
        size: Integer, size of the output. A kind without a size ignores it.
        class_names: Names of the classes or labels, or `None`. A kind without
            names ignores them.
        **inferred: Further arguments of the kind.

    Returns:
        A new task, or that of the spec, with the class names if it has none.
    """
    if spec.task is not None:
        return spec.task.with_class_names(class_names)
    if kind.size_argument is not None:
        inferred[kind.size_argument] = size
    if class_names is not None and takes_class_names(kind):
        inferred["class_names"] = class_names
    return kind(spec.name, **{**inferred, **spec.arguments})
