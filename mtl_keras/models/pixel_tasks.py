"""Distinguishes tasks on pixels from tasks on whole images."""

from __future__ import annotations

from mtl_keras.tasks import Task


def is_pixel_task(task: Task) -> bool:
    """Checks whether a task predicts a value for every pixel.

    Args:
        task: Any task.
    """
    return task.feature_rank == 4
