"""Makes classification tasks from the labels of sentences and tokens."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_keras.datasets.reading.kind_labels import (
    check_class_names,
    format_size,
)
from mtl_keras.datasets.reading.spec_task import make_task
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def make_class_task(
    spec: TargetSpec, kind: type[Task], classes: Sequence[str], **inferred
) -> Task:
    """Makes the task of a spec with the given classes.

    Args:
        spec: The `TargetSpec`.
        kind: Class of the task.
        classes: Names of the classes.
        **inferred: Further arguments of the kind.

    Returns:
        A new task, or that of the spec.

    Raises:
        ValueError: If the task of the spec has another number of classes.
    """
    count = len(classes)
    check_class_names(spec.name, kind, classes, "the training part")
    if spec.task is not None and spec.task.num_label_classes != count:
        raise ValueError(
            f"Task {spec.name!r}: found {count} classes in the training part, "
            f"but the task has {format_size(kind, spec.task.output_size)}. "
            f"Pass class_names to it, or pass a task with {count} classes."
        )
    names = tuple(classes)
    return make_task(spec, kind, size=count, class_names=names, **inferred)


def check_several_classes(spec: TargetSpec, classes: Sequence[str]) -> None:
    """Checks that a task has at least two classes.

    Args:
        spec: The `TargetSpec` of the task.
        classes: Its classes in the training part.

    Raises:
        ValueError: If there are fewer.
    """
    if not classes:
        raise ValueError(
            f"Task {spec.name!r}: no sentence of the training part has a "
            "label. Add labels, or leave the task out."
        )
    if len(classes) < 2:
        raise ValueError(
            f"Task {spec.name!r}: all labels of the training part are "
            f"{classes[0]!r}, so there is nothing to learn. Leave the task "
            "out, or pass a task with class_names."
        )


def unknown_class_error(
    spec: TargetSpec, found: str, place: str, names: Sequence[str] | None
) -> ValueError:
    """Makes the error for a label that is not a known class.

    Args:
        spec: The `TargetSpec` of the task.
        found: The label.
        place: What it is and where, such as `"the tag 'B-x' in line 3"`.
        names: The class names that the user gives, or `None`.

    Returns:
        The error.
    """
    if names:
        return ValueError(
            f"Task {spec.name!r}: found {place}, which is not among its "
            f"class_names. {did_you_mean(found, names)} "
            "unknown_classes='missing' treats it as a missing label."
        )
    return ValueError(
        f"Task {spec.name!r}: found {place}, which no sentence of the training "
        "part has. unknown_classes='missing' treats it as a missing label; or "
        "pass a task with all class_names."
    )
