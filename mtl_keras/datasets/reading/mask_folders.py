"""Folders of masks: which image each belongs to, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.reading.folder_source import read_mask
from mtl_keras.datasets.reading.image_files import (
    existing_folder,
    list_images,
    read_header,
)
from mtl_keras.datasets.reading.mask_values import MISSING, inferred_count
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Segmentation


def find_masks(
    folder: Path, task: str, images: Mapping[str, Path]
) -> np.ndarray:
    """Finds the mask of each image, by name.

    Args:
        folder: Path of the folder of masks.
        task: String, name of the task, for errors.
        images: Dict from name to path of the images.

    Returns:
        String array of paths, in the order of the images, empty where an
        image has no mask.

    Raises:
        ValueError: If a mask has no image, or another size than its image.
    """
    folder = existing_folder(folder, "masks")
    masks = list_images(folder, "masks")
    for name, mask in masks.items():
        if name not in images:
            raise ValueError(
                f"Task {task!r}: the mask '{mask}' belongs to no image. "
                f"{_near(name, images)} Give both one name, or remove it."
            )
        size, wanted = read_header(mask).size, read_header(images[name]).size
        if size != wanted:
            raise ValueError(
                f"Task {task!r}: the mask '{mask}' has {size[0]}x{size[1]} "
                f"pixels, its image {wanted[0]}x{wanted[1]}. Masks and images "
                "must agree; both are resized to `image_size` later."
            )
    return np.array([str(masks.get(name, "")) for name in images])


def mask_task(
    spec: TargetSpec, paths: np.ndarray, missing_pixel: int | None
) -> Segmentation:
    """Makes the task of a folder of masks.

    Args:
        spec: What the caller says of the task.
        paths: String array of paths, empty where there is no mask.
        missing_pixel: Integer, value of pixels without a label, or `None`.

    Returns:
        The `Segmentation`. Unless the caller says it, the number of classes
        is read off all masks.

    Raises:
        ValueError: If it is another kind, or a mask cannot hold its classes.
    """
    kind = spec.kind or Segmentation
    if not issubclass(kind, Segmentation):
        raise ValueError(
            f"Task {spec.name!r}: masks are for a Segmentation, found "
            f"{kind.__name__}."
        )
    count = getattr(spec.task, "num_classes", spec.arguments.get("num_classes"))
    files = [Path(path) for path in paths if path]
    if count is None:
        count = _count_classes(spec.name, files, missing_pixel)
    for file in files:
        _check_format(spec.name, file, count)
    if spec.task is not None:
        return spec.task
    return kind(spec.name, **{"num_classes": count, **spec.arguments})


def _near(name: str, images: Mapping[str, Path]) -> str:
    # All names of a folder would be a long message.
    return (
        did_you_mean(name, images).split(" Known:")[0]
        if (len(images) > 10)
        else did_you_mean(name, images)
    )


def _count_classes(task, files, missing_pixel) -> int:
    found = set()
    for file in files:
        _check_format(task, file, None)
        try:
            mask = read_mask(str(file), None, missing_pixel).numpy()
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(
                f"Task {task!r}: the mask '{file}' cannot be read: "
                f"{error.message.splitlines()[0]}. Save it as a png of grey "
                "values, one for each class."
            ) from error
        found |= set(np.unique(mask).tolist())
    found.discard(MISSING)
    if not found:
        raise ValueError(
            f"Task {task!r}: no pixel of its {len(files)} masks has a label."
        )
    if found <= {0, 1} or found <= {0, 255}:
        return 1
    return inferred_count(np.array(sorted(found)), f"Task {task!r}: its masks")


def _check_format(task: str, file: Path, count: int | None) -> None:
    header = read_header(file)
    wrong = None
    if header.has_palette:
        wrong = "a palette of colours"
    elif header.bits > 8:
        wrong = f"{header.bits} bits per pixel"
    elif count not in (1, None) and not header.is_png:
        wrong = "jpeg, which changes values"
    elif count not in (1, None) and header.bits < 8:
        wrong = f"{header.bits} bits per pixel"
    if wrong:
        raise ValueError(
            f"Task {task!r}: found {wrong} in the mask '{file}', expected a "
            "png of 8-bit grey values, one for each class."
        )
