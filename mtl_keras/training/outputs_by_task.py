"""Checks that each output of a model belongs to a task."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from mtl_keras.keras_compat import operation_of
from mtl_keras.tasks import Task, check_task_names


def as_task(task) -> Task:
    """Makes a task of its config, or takes it as it is.

    Args:
        task: A task, or what Keras made of one to save it.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(task, Task):
        return task
    if isinstance(task, Mapping):
        return keras.saving.deserialize_keras_object(task)
    raise TypeError(
        f"tasks holds {task!r} of type {type(task).__name__}; expected tasks "
        "such as mtl_keras.Classification('digit', 10)."
    )


def check_outputs(outputs, tasks: tuple[Task, ...]) -> None:
    """Checks that outputs and tasks go by the same names.

    Args:
        outputs: Dict from task name to Keras tensor.
        tasks: The tasks.

    Raises:
        TypeError: If `outputs` is no dict.
        ValueError: If the names differ, also from those of the layers that
            make the outputs.
    """
    if not isinstance(outputs, Mapping):
        raise TypeError(
            f"outputs is a {type(outputs).__name__}; expected a dict from task "
            "name to output tensor."
        )
    check_task_names(tasks)
    names = {task.name for task in tasks}
    if set(outputs) != names:
        raise ValueError(
            f"outputs are named {sorted(outputs)} and tasks {sorted(names)}; "
            "expected one output for each task, of its name."
        )
    for name, output in outputs.items():
        layer = operation_of(output)[0].name
        if layer != name:
            raise ValueError(
                f"Task {name!r}: its output is made by a layer named "
                f"{layer!r}, and Keras names outputs after their layers. Make "
                "it by task.head(features), or put a "
                f"keras.layers.Identity(name={name!r}) behind it."
            )
