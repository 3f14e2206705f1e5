"""Reads folders of images, masks and labels of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.folder_labels import (
    FolderLabels,
    read_folder_labels,
)
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.reading.image_files import (
    existing_folder,
    list_images,
    read_header,
)
from mtl_keras.datasets.reading.mask_folders import find_masks, mask_task
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def from_folder(
    path: str | os.PathLike,
    tasks: Sequence[str | Task] | Mapping[str, object] | None = None,
    *,
    images: str = "images",
    masks: Mapping[str, str] | None = None,
    labels: str | None = None,
    image_size: Sequence[int] | None = None,
    color_mode: str = "rgb",
    missing_pixel: int | None = None,
    missing_values: Sequence[str] = (),
    validation: float = 0.1,
    test: float = 0.2,
    group: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads images, with masks and a table of labels matched by name.

    The mask of `images/cell7.png` is `cell7.png` in each folder of masks, and
    its labels are the line `cell7` (or `cell7.png`) of the table. An image
    without a mask or a line has a missing label: -1 in all pixels, -1 for
    classes, NaN for regressions. Images are read when a batch needs them.

    Args:
        path: String or path of the folder that holds the others.
        tasks: What to predict: names or tasks of mask folders and of columns
            of the table, as for `from_csv`. Defaults to `None`: all masks, and
            all columns of the table, of kinds that are inferred. A folder of
            masks is a task in any case; one given as a task with its number of
            classes need not be read to count them.
        images: String, the folder of images, seen from `path`. Defaults to
            `"images"`.
        masks: Dict from task name to the folder of its masks: png files of
            grey values, 0 and 1, or 0 and 255, or one for each class from 0.
            Defaults to `None`: no masks.
        labels: String, a csv file whose first column names the images.
            Defaults to `None`: no table.
        image_size: `(height, width)` to resize to, images bilinearly and masks
            by the nearest pixel. Defaults to `None`: images must all have
            one size.
        color_mode: `"grayscale"`, `"rgb"` (default) or `"rgba"`.
        missing_pixel: Integer, the value of pixels of a mask that have no
            label, such as 255. Defaults to `None`: all have one.
        missing_values: List of strings, cells of the table that stand for a
            missing value besides the empty one. Defaults to `()`.
        validation: Float, share of the samples that is held back for
            validation. Defaults to 0.1. 0 makes no such part.
        test: Float, share of the samples for the test. Defaults to 0.2.
        group: String, column of the table: images of one group stay in one
            part. Defaults to `None`: each image by itself.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the parts and of the order of the
            training part. Defaults to 0.

    Returns:
        `Splits`: x is float32 of shape `(batch, height, width, channels)` in
        `[0, 255]`, masks are int32 of shape `(batch, height, width, 1)`.

    Raises:
        FileNotFoundError: If a folder or file is not there.
        ValueError: If a mask or line has no image, sizes differ, or a value
            does not fit. The error names the file.

    Example:

    ```python
    data = mtl_keras.datasets.from_folder(
        "slides",
        masks={"nuclei": "masks/nuclei", "tissue": "masks/tissue"},
        labels="labels.csv",
        image_size=(128, 128),
        group="patient",
    )
    model = mtl_keras.build_cnn_cls_seg(
        input_shape=data.input_shape,
        tasks=data.tasks,
        preprocessing=[keras.layers.Rescaling(1 / 255)],
    )
    ```
    """
    if color_mode not in CHANNELS:
        raise ValueError(
            f"`color_mode` must name colours, found {color_mode!r}. "
            f"{did_you_mean(color_mode, CHANNELS)}"
        )
    root = existing_folder(path, "path")
    found = list_images(existing_folder(root / images, "images"), "images")
    specs = {} if tasks is None else _by_name(tasks)
    paths, mask_tasks = _read_masks(root, masks, found, specs, missing_pixel)
    table = _read_table(root, labels, found, specs, group, missing_values)
    made = (*mask_tasks, *table.tasks)
    if not made:
        raise ValueError(
            "`masks` and `labels` say nothing to predict. Pass a folder of "
            "masks, a csv file, or both."
        )
    source = FolderSource(
        images=np.array([str(file) for file in found.values()]),
        masks=paths,
        num_classes={task.name: task.num_classes for task in mask_tasks},
        labels=table.targets,
        image_size=_image_size(found, image_size),
        channels=CHANNELS[color_mode],
        missing_pixel=missing_pixel,
    )
    parts = partition(
        len(found),
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{root / images}'",
        groups=table.groups,
    )
    return make_splits(source, made, parts, batch_size=batch_size, seed=seed)


def _by_name(tasks) -> dict[str, TargetSpec]:
    return {spec.name: spec for spec in read_target_specs(tasks)}


def _read_masks(root, masks, images, specs, missing_pixel):
    """Paths by task name, and the tasks; takes their specs out of `specs`."""
    if masks is None:
        masks = {}
    if not isinstance(masks, Mapping):
        raise TypeError(
            f"`masks` must be a dict from task name to folder, found {masks!r}."
        )
    paths, made = {}, []
    for name, folder in masks.items():
        spec = specs.pop(name, None) or TargetSpec(name, (name,))
        paths[name] = find_masks(root / folder, name, images)
        made.append(mask_task(spec, paths[name], missing_pixel))
    return paths, made


def _read_table(root, labels, images, specs, group, missing_values):
    if labels is not None:
        return read_folder_labels(
            Path(root / labels),
            list(images),
            list(specs.values()) or None,
            group,
            missing_values,
        )
    if specs:
        raise ValueError(
            f"`tasks` names {next(iter(specs))!r}, for which there are no "
            "labels: pass the folder of its masks as `masks`, or the csv file "
            "of its column as `labels`."
        )
    if group is not None:
        raise ValueError(
            f"`group` names the column {group!r}, but there is no table. Pass "
            "its csv file as `labels`."
        )
    return FolderLabels()


def _image_size(images: Mapping[str, Path], size) -> tuple[int, int]:
    if size is not None:
        if len(size) != 2 or not all(int(pixels) > 0 for pixels in size):
            raise ValueError(
                "`image_size` must be (height, width) in pixels, found "
                f"{size!r}."
            )
        return int(size[0]), int(size[1])
    first, *others = images.values()
    size = read_header(first).size
    for file in others:
        other = read_header(file).size
        if other != size:
            raise ValueError(
                f"`images` must all have one size, found {size[0]}x{size[1]} "
                f"pixels in '{first}' and {other[0]}x{other[1]} in '{file}'. "
                "Pass image_size=(height, width) to resize them."
            )
    return size
