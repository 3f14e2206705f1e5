"""Distinguishes tasks on pixels from tasks on whole images."""

from __future__ import annotations

from mtl_keras.tasks import Task


def is_pixel_task(task: Task) -> bool:
    """Checks whether a task reads a feature map, as tasks on pixels do.

    Args:
        task: Any task.
    """
    return task.feature_rank == 4
