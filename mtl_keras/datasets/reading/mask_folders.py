"""Folders of masks: which image each belongs to, and what they hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from mtl_keras.datasets.reading.color_masks import make_color_masks
from mtl_keras.datasets.reading.color_table import ColorTable, is_color
from mtl_keras.datasets.reading.grey_masks import make_grey_masks
from mtl_keras.datasets.reading.image_files import near_name
from mtl_keras.datasets.reading.image_header import ImageHeader, read_headers
from mtl_keras.datasets.reading.mask_files import MaskFiles
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Segmentation


def match_masks(
    task: str, files: Mapping[str, Path], images: Mapping[str, ImageHeader]
) -> list[ImageHeader | None]:
    """Finds the mask of each image, by name.

    Args:
        task: String, name of the task, for errors.
        files: Dict from name to path of the masks.
        images: Dict from name to header of the images.

    Returns:
        List of headers in the order of the images, `None` where an image has
        no mask.

    Raises:
        ValueError: If a mask has no image, another size than its image, or
            cannot be read.
    """
    for name, file in files.items():
        if name not in images:
            raise ValueError(
                f"Task {task!r}: the mask '{file}' belongs to no image. "
                f"{near_name(name, images)} Give both one name, or remove it. "
                "If names of masks have an ending, pass `mask_suffix`."
            )
    headers = dict(zip(files, read_headers(files.values()), strict=True))
    for name, mask in headers.items():
        if mask.size != images[name].size:
            raise ValueError(
                f"Task {task!r}: the mask '{mask.file}' has "
                f"{mask.size_text()}, its image {images[name].size_text()}. "
                "Masks and images must agree; both are resized to "
                "`image_size` later."
            )
    return [headers.get(name) for name in images]


def read_masks(
    spec: TargetSpec,
    headers: Sequence[ImageHeader | None],
    colors: ColorTable | None,
    missing_pixel: Any,
) -> tuple[Segmentation, MaskFiles]:
    """Makes the task of a folder of masks, and what reads them.

    Args:
        spec: What the caller says of the task.
        headers: Headers of the masks, `None` where there is no mask.
        colors: The `ColorTable` of its classes, or `None` for grey values.
        missing_pixel: Value or colour of pixels without a label, or `None`.

    Returns:
        The `Segmentation` and its `MaskFiles`. Unless the caller says it, the
        number of classes is read off all masks.

    Raises:
        ValueError: If it is another kind, or a mask cannot hold its classes.
    """
    kind = spec.kind or Segmentation
    if not issubclass(kind, Segmentation):
        raise ValueError(
            f"Task {spec.name!r}: masks are for a Segmentation, found "
            f"{kind.__name__}."
        )
    _check_missing_pixel(spec.name, missing_pixel, colors is not None)
    there = [header for header in headers if header is not None]
    if colors is not None:
        task, classes = _of_colors(spec, kind, colors)
        reader = make_color_masks(spec.name, there, classes, missing_pixel)
        return task, MaskFiles(headers, reader)
    count = getattr(spec.task, "num_classes", spec.arguments.get("num_classes"))
    reader = make_grey_masks(spec.name, there, count, missing_pixel)
    found = {"num_classes": reader.coding.num_classes, **spec.arguments}
    task = spec.task or kind(spec.name, **found)
    return task, MaskFiles(headers, reader)


def _of_colors(spec, kind, colors: ColorTable):
    """The task, and the class of each colour by the order of its names."""
    found = {"num_classes": colors.num_classes, "class_names": colors.names}
    task = spec.task or kind(spec.name, **{**found, **spec.arguments})
    if max(task.num_classes, 2) != colors.num_classes:
        raise ValueError(
            f"Task {spec.name!r}: num_classes={task.num_classes}, but `colors` "
            f"has {colors.num_classes} classes. Give each class a colour."
        )
    if colors.names is None:
        return task, colors.classes
    if task.class_names is None:
        return dataclasses.replace(task, class_names=colors.names), (
            colors.classes
        )
    for name in colors.names:
        if name not in task.class_names:
            raise ValueError(
                f"Task {spec.name!r}: `colors` names the class {name!r}, which "
                "is none of its class_names. "
                f"{did_you_mean(name, task.class_names)}"
            )
    places = [task.class_names.index(name) for name in colors.names]
    return task, {color: places[i] for color, i in colors.classes.items()}


def _check_missing_pixel(task: str, value, is_colored: bool) -> None:
    if value is None or (is_colored and is_color(value)):
        return
    is_grey = isinstance(value, Integral) and not isinstance(value, bool)
    if is_grey and 0 <= value < 256 and not is_colored:
        return
    expected = (
        "(red, green, blue), because `colors` names its classes"
        if is_colored
        else "an integer from 0 to 255"
    )
    raise ValueError(
        f"`missing_pixel` is {value!r} for the task {task!r}, expected "
        f"{expected}. A dict from task name to value says it for each task."
    )
