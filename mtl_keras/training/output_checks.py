"""Checks that the outputs of a model match its tasks."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from mtl_keras.keras_compat import get_operation
from mtl_keras.tasks import Task, check_task_names


def get_task(task) -> Task:
    """Returns a task, deserialized from its config if necessary.

    Args:
        task: A task or the config of a task.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(task, Task):
        return task
    if isinstance(task, Mapping):
        return keras.saving.deserialize_keras_object(task)
    raise TypeError(
        f"tasks contains {task!r} of type {type(task).__name__}; expected "
        "tasks such as mtl_keras.Classification('digit', 10)."
    )


def check_outputs(outputs, tasks: tuple[Task, ...]) -> None:
    """Checks that outputs and tasks have the same names.

    Args:
        outputs: Dict from task name to Keras tensor.
        tasks: The tasks.

    Raises:
        TypeError: If `outputs` is not a dict.
        ValueError: If the names of outputs, tasks and output layers differ.
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
            "expected one output per task, with the name of the task."
        )
    for name, output in outputs.items():
        layer = get_operation(output)[0].name
        if layer != name:
            raise ValueError(
                f"Task {name!r}: its output comes from a layer named "
                f"{layer!r}, and Keras names outputs after their layers. "
                "Create it with task.head(features), or apply "
                f"keras.layers.Identity(name={name!r}) to it."
            )
