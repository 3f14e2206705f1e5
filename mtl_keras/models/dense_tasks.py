"""Tasks that predict every pixel, and default tasks that go with them."""

from __future__ import annotations

from mtl_keras.tasks import Classification, DenseRegression, Segmentation, Task


def reads_maps(task: Task) -> bool:
    """Tells whether a task predicts something for every pixel.

    Args:
        task: Any task.
    """
    return task.feature_rank == 4


def class_and_mask(
    num_classes: int | None, num_mask_classes: int | None
) -> list[Task]:
    """A classification of an image and a segmentation of it.

    Args:
        num_classes: Classes of the image; `None` is 10.
        num_mask_classes: Classes of a pixel; `None` is 1, a binary mask.
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
    """Those of `class_and_mask`, and a number per pixel.

    Args:
        num_classes: See `class_and_mask`.
        num_mask_classes: See `class_and_mask`.
    """
    return [
        *class_and_mask(num_classes, num_mask_classes),
        DenseRegression("depth"),
    ]
