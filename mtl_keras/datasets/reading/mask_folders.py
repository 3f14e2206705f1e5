"""Matches folders of masks to images, and makes their tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtl_keras.argument_checks import is_integer
from mtl_keras.datasets.reading.color_masks import make_color_masks
from mtl_keras.datasets.reading.color_table import (
    ColorTable,
    is_color,
    read_color_tables,
)
from mtl_keras.datasets.reading.grey_masks import make_grey_masks
from mtl_keras.datasets.reading.image_files import suggest_image
from mtl_keras.datasets.reading.image_header import ImageHeader, read_headers
from mtl_keras.datasets.reading.kind_labels import (
    check_class_names,
    format_size,
    has_one_class,
)
from mtl_keras.datasets.reading.mask_files import MaskFiles
from mtl_keras.datasets.reading.spec_task import get_size, make_task
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Segmentation, Task


def match_masks(
    task: str, files: Mapping[str, Path], images: Mapping[str, ImageHeader]
) -> list[ImageHeader | None]:
    """Finds the mask of each image, by name.

    Args:
        task: Name of the task, for errors.
        files: Dict from name to path of the masks.
        images: Dict from name to header of the images.

    Returns:
        List of headers in the order of the images, `None` where an image has
        no mask.

    Raises:
        ValueError: If a mask has no image or another size than its image, or
            cannot be read.
    """
    for name, file in files.items():
        if name not in images:
            raise ValueError(
                f"Task {task!r}: the mask '{file}' has no image. "
                f"{suggest_image(name, images)} Give both the same name, or "
                "remove it. If the names of masks have a suffix, pass "
                "`mask_suffix`."
            )
    headers = dict(zip(files, read_headers(files.values()), strict=True))
    for name, mask in headers.items():
        if mask.size != images[name].size:
            raise ValueError(
                f"Task {task!r}: the mask '{mask.file}' has "
                f"{mask.size_text()}, its image {images[name].size_text()}. "
                "Masks and images must have the same size; both are resized to "
                "`image_size` later."
            )
    return [headers.get(name) for name in images]


def read_mask_tasks(
    files: Mapping[str, Mapping[str, Path]],
    images: Mapping[str, ImageHeader],
    specs: dict[str, TargetSpec],
    colors: Any,
    missing_pixel: Any,
) -> tuple[list[Task], dict[str, MaskFiles]]:
    """Makes the tasks of folders of masks.

    Args:
        files: Dict from task name to a dict from the name of an image to the
            path of its mask.
        images: Dict from name to header of the images.
        specs: Dict from name to the `TargetSpec`s of all tasks. Those of masks
            are removed.
        colors: See `from_folder`.
        missing_pixel: See `from_folder`.

    Returns:
        The tasks, and a dict from task name to its `MaskFiles`.

    Raises:
        ValueError: If a mask does not fit its image or its task.
    """
    tables = read_color_tables(colors, list(files))
    if isinstance(missing_pixel, Mapping):
        for name in missing_pixel:
            if name not in files:
                raise ValueError(
                    f"`missing_pixel` names {name!r}, which has no masks. "
                    f"{did_you_mean(name, files)}"
                )
    else:
        missing_pixel = dict.fromkeys(files, missing_pixel)
    tasks, masks = [], {}
    for name, found in files.items():
        task, mask_files = _read_masks(
            pop_spec(specs, name),
            match_masks(name, found, images),
            tables.get(name),
            missing_pixel.get(name),
        )
        tasks.append(task)
        masks[task.name] = mask_files
    return tasks, masks


def pop_spec(specs: dict[str, TargetSpec], name: str) -> TargetSpec:
    """Removes the `TargetSpec` of a task from a dict and returns it.

    Args:
        specs: Dict from task name to `TargetSpec`.
        name: Name that the user gives to the task, which may differ from the
            name in `specs` by characters that task names cannot have.

    Returns:
        The `TargetSpec`, or a new one without a kind.
    """
    (default,) = read_target_specs([name])
    return specs.pop(default.name, default)


def _read_masks(
    spec: TargetSpec,
    headers: Sequence[ImageHeader | None],
    colors: ColorTable | None,
    missing_pixel: Any,
) -> tuple[Task, MaskFiles]:
    kind = spec.kind or Segmentation
    if not has_one_class(kind, "pixel"):
        raise ValueError(
            f"Task {spec.name!r}: masks are for a Segmentation, found "
            f"{kind.__name__}."
        )
    _check_missing_pixel(spec.name, missing_pixel, colors is not None)
    present = [header for header in headers if header is not None]
    if colors is not None:
        task, classes = _make_color_task(spec, kind, colors)
        reader = make_color_masks(spec.name, present, classes, missing_pixel)
        return task, MaskFiles(headers, reader)
    count = get_size(spec, kind)
    reader = make_grey_masks(spec.name, present, count, missing_pixel)
    task = make_task(spec, kind, size=reader.encoding.num_classes)
    return task, MaskFiles(headers, reader)


def _make_color_task(spec, kind, colors: ColorTable):
    """Makes the task, and a dict from colour to its class in the task."""
    count = get_size(spec, kind)
    if count is not None and max(count, 2) != colors.num_classes:
        raise ValueError(
            f"Task {spec.name!r}: expected {format_size(kind, count)}, but "
            f"`colors` has {colors.num_classes} classes. Give each class a "
            "colour."
        )
    names = colors.names
    if names is not None:
        check_class_names(spec.name, kind, names, "`colors`")
    size = colors.num_classes
    task = make_task(spec, kind, size=size, class_names=names)
    if names is None or task.class_names is None:
        return task, colors.classes
    for name in names:
        if name not in task.class_names:
            raise ValueError(
                f"Task {spec.name!r}: `colors` names the class {name!r}, which "
                "is not among its class_names. "
                f"{did_you_mean(name, task.class_names)}"
            )
    places = [task.class_names.index(name) for name in names]
    return task, {color: places[i] for color, i in colors.classes.items()}


def _check_missing_pixel(task: str, value, is_colored: bool) -> None:
    if value is None or (is_colored and is_color(value)):
        return
    is_grey = is_integer(value)
    if is_grey and 0 <= value < 256 and not is_colored:
        return
    expected = (
        "(red, green, blue), because `colors` defines its classes"
        if is_colored
        else "an integer from 0 to 255"
    )
    raise ValueError(
        f"`missing_pixel` is {value!r} for the task {task!r}, expected "
        f"{expected}. Pass a dict from task name to value to set it by task."
    )
