"""Tasks that factories build by default."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_keras.tasks import Classification, DenseRegression, Segmentation, Task


def left_and_right(num_classes: int | None) -> list[Task]:
    """Returns the tasks of the two-digit network.

    Args:
        num_classes: Number of classes of each task. `None` is 10.
    """
    count = 10 if num_classes is None else num_classes
    return [Classification(side, count) for side in ("left", "right")]


def coarse_and_fine(num_classes: int | Sequence[int] | None) -> list[Task]:
    """Returns the tasks of a hierarchy.

    Args:
        num_classes: Number of classes of both tasks, or of each of them.
            `None` is `(2, 10)`.
    """
    coarse, fine = class_counts(num_classes, default=(2, 10))
    return [Classification("coarse", coarse), Classification("fine", fine)]


def class_and_mask(
    num_classes: int | None, num_mask_classes: int | None
) -> list[Task]:
    """Returns a classification and a segmentation of an image.

    Args:
        num_classes: Number of classes of an image. `None` is 10.
        num_mask_classes: Number of classes of a pixel. `None` is 1, a binary
            mask.
    """
    return [
        Classification(
            "classification", 10 if num_classes is None else num_classes
        ),
        Segmentation(
            "segmentation", 1 if num_mask_classes is None else num_mask_classes
        ),
    ]


def class_mask_and_depth(
    num_classes: int | None, num_mask_classes: int | None
) -> list[Task]:
    """Returns the tasks of `class_and_mask` and a regression of each pixel.

    Args:
        num_classes: See `class_and_mask`.
        num_mask_classes: See `class_and_mask`.
    """
    return [
        *class_and_mask(num_classes, num_mask_classes),
        DenseRegression("depth"),
    ]


def class_counts(
    num_classes: int | Sequence[int] | None, *, default: tuple[int, int]
) -> tuple[int, ...]:
    """Returns the number of classes of each of two default tasks.

    Args:
        num_classes: One number for both tasks, one for each, or `None`.
        default: The numbers that `None` stands for.

    Raises:
        ValueError: If there are not two numbers.
    """
    if num_classes is None:
        return default
    if not isinstance(num_classes, Sequence):
        return (num_classes, num_classes)
    if len(num_classes) != 2:
        raise ValueError(
            f"num_classes={num_classes!r}; expected one number, or one for "
            f"each of the two default tasks, such as {default}. For other "
            "tasks, pass tasks."
        )
    return tuple(num_classes)
