"""Reads folders of images, masks and labels of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

from mtl_keras.datasets.reading.class_folders import read_class_folders
from mtl_keras.datasets.reading.color_table import read_color_tables
from mtl_keras.datasets.reading.folder_labels import (
    FolderLabels,
    read_folder_labels,
)
from mtl_keras.datasets.reading.folder_layout import FolderLayout, find_files
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.reading.image_header import ImageHeader, read_headers
from mtl_keras.datasets.reading.image_pixels import MODES
from mtl_keras.datasets.reading.mask_folders import match_masks, read_masks
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def from_folder(
    path: str | os.PathLike,
    tasks: Sequence[str | Task] | Mapping[str, object] | None = None,
    *,
    images: str = "images",
    masks: Mapping[str, str] | None = None,
    mask_suffix: str | Mapping[str, str] | None = None,
    labels: str | None = None,
    image_column: str | None = None,
    class_folders: str | None = None,
    subfolders: bool = False,
    image_size: Sequence[int] | None = None,
    color_mode: str = "rgb",
    colors: Mapping[str, Any] | None = None,
    missing_pixel: Any = None,
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
    classes, NaN for regressions.

    Images are png or jpeg files of 8 bits per channel, and are turned as their
    EXIF orientation says, masks too. Before the first batch only headers are
    read, and a sample of the masks; all masks, where nobody says how many
    classes they have. What is found later, a damaged file or a mask of other
    values, is an error that names the file.

    Args:
        path: String or path of the folder that holds the others.
        tasks: What to predict: names or tasks of mask folders, of class
            folders and of columns of the table, as for `from_csv`. Defaults to
            `None`: all masks, and all columns of the table, of kinds that are
            inferred. A folder of masks is a task in any case; where its number
            of classes is said, a sample of them is read before the first batch.
        images: String, the folder of images, seen from `path`; `"."` is `path`
            itself. Defaults to `"images"`.
        masks: Dict from task name to the folder of its masks, see below.
            Defaults to `None`: no masks.
        mask_suffix: String that the names of masks end with: `"_mask"` makes
            `cell7_mask.png` the mask of `cell7.png`, also in one folder, and
            `".png"` makes `cell7.png` that of `cell7.jpg`. A dict says it for
            each task; one that `masks` does not name has its masks beside the
            images. Defaults to `None`: masks have the names of their images.
        labels: String, a csv file that names an image in each line. Defaults
            to `None`: no table.
        image_column: String, the column that names the images. Defaults to
            `None`: the first one, where a column without a name is the index
            of pandas and is left out.
        class_folders: String, name of a task whose classes are the folders in
            `images`: `images/cat/1.png` is a cat, named `cat/1`. Defaults to
            `None`.
        subfolders: Boolean, whether folders in `images` and in those of masks
            are read too. Names are then paths: the mask of
            `images/ward2/cell7.png` is `ward2/cell7.png`, its line
            `ward2/cell7`. Defaults to `False`: such folders are an error.
        image_size: `(height, width)` to resize to, images bilinearly (averaged
            before, where they shrink to half or less) and masks by the nearest
            pixel. Defaults to `None`: images must all have one size.
        color_mode: `"grayscale"`, `"rgb"` (default) or `"rgba"`.
        colors: Dict from task name to the colours of its classes, class 0
            first: `{"street": {"road": (128, 64, 128), "car": (0, 0, 142)}}`.
            A class may have a list of colours. Defaults to `None`: masks hold
            grey values or the indices of a palette.
        missing_pixel: Integer, the value of pixels of a mask that have no
            label, such as 255; with `colors` a colour; a dict says it for each
            task. Defaults to `None`: all have one.
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

    Masks hold 0 and 1 or 0 and 255 (`num_classes=1`), or a value for each
    class from 0, all masks of a task alike. 255 beside other values is an
    error: it has no label (`missing_pixel=255`), or it is white, with soft
    edges, and the masks are cut at the middle (`num_classes=1`).

    Returns:
        `Splits`: x is float32 of shape `(batch, height, width, channels)` in
        `[0, 255]`, masks are int32 of shape `(batch, height, width, 1)`.

    Raises:
        FileNotFoundError: If a folder or file is not there.
        ValueError: If a mask or line has no image, sizes differ, a file is
            damaged, or a value does not fit. The error names the file; where a
            stream meets it, so does the error of TensorFlow.

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
    if color_mode not in MODES:
        raise ValueError(
            f"`color_mode` must name colours, found {color_mode!r}. "
            f"{did_you_mean(color_mode, MODES)}"
        )
    specs = {} if tasks is None else _by_name(tasks)
    layout = FolderLayout(
        path, images, masks, mask_suffix, class_folders, subfolders
    )
    files = find_files(layout)
    if image_size is not None:
        image_size = _checked_size(image_size)
    headers = read_headers(files.images.values())
    if image_size is None:
        image_size = _common_size(headers)
    mask_tasks, mask_files = _read_masks(
        files.masks,
        dict(zip(files.images, headers, strict=True)),
        specs,
        colors,
        missing_pixel,
    )
    class_tasks, classes = [], {}
    if class_folders is not None:
        task, codes = read_class_folders(
            _take_spec(specs, class_folders),
            files.images,
            subfolders=subfolders,
        )
        class_tasks, classes = [task], {task.name: codes}
    table = _read_table(
        layout.root,
        labels,
        files.images,
        specs,
        group,
        missing_values,
        image_column,
    )
    made = (*mask_tasks, *class_tasks, *table.tasks)
    _check_tasks(made)
    source = FolderSource(
        images=headers,
        masks=mask_files,
        labels={**classes, **table.targets},
        image_size=image_size,
        color_mode=color_mode,
    )
    parts = partition(
        len(headers),
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{layout.images_folder}'",
        groups=table.groups,
    )
    return make_splits(
        source,
        made,
        parts,
        batch_size=batch_size,
        seed=seed,
        groups=table.groups,
    )


def _by_name(tasks) -> dict[str, TargetSpec]:
    return {spec.name: spec for spec in read_target_specs(tasks)}


def _take_spec(specs: dict[str, TargetSpec], name: str) -> TargetSpec:
    """Takes out what the caller says of a task, by a name that it can have."""
    (default,) = read_target_specs([name])
    return specs.pop(default.name, default)


def _check_tasks(made: Sequence[Task]) -> None:
    if not made:
        raise ValueError(
            "`masks`, `class_folders` and `labels` say nothing to predict. "
            "Pass a folder of masks, a csv file, or both."
        )
    names = [task.name for task in made]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"The task {name!r} has labels of two kinds: its name is that "
                "of masks, class folders or a column of the table twice. Name "
                "the columns to read in `tasks`, and give each task one name."
            )


def _read_masks(found, images, specs, colors, missing_pixel):
    """Tasks, and what reads their masks; takes their specs out of `specs`."""
    tables = read_color_tables(colors, list(found))
    if isinstance(missing_pixel, Mapping):
        for name in missing_pixel:
            if name not in found:
                raise ValueError(
                    f"`missing_pixel` names {name!r}, which has no masks. "
                    f"{did_you_mean(name, found)}"
                )
    tasks, made = [], {}
    for name, files in found.items():
        missing = missing_pixel
        if isinstance(missing_pixel, Mapping):
            missing = missing_pixel.get(name)
        task, masks = read_masks(
            _take_spec(specs, name),
            match_masks(name, files, images),
            tables.get(name),
            missing,
        )
        made[task.name] = masks
        tasks.append(task)
    return tasks, made


def _read_table(
    root, labels, images, specs, group, missing_values, image_column
) -> FolderLabels:
    if labels is not None:
        return read_folder_labels(
            Path(root / labels),
            list(images),
            list(specs.values()) or None,
            group,
            missing_values,
            image_column,
        )
    if specs:
        raise ValueError(
            f"`tasks` names {next(iter(specs))!r}, for which there are no "
            "labels: pass the folder of its masks as `masks`, or the csv file "
            "of its column as `labels`."
        )
    for argument, name in (("group", group), ("image_column", image_column)):
        if name is not None:
            raise ValueError(
                f"`{argument}` names the column {name!r}, but there is no "
                "table. Pass its csv file as `labels`."
            )
    return FolderLabels()


def _checked_size(size) -> tuple[int, int]:
    is_pair = isinstance(size, Sequence) and len(size) == 2
    if not is_pair or not all(
        isinstance(pixels, Integral) and pixels > 0 for pixels in size
    ):
        raise ValueError(
            f"`image_size` must be (height, width) in pixels, found {size!r}."
        )
    return int(size[0]), int(size[1])


def _common_size(headers: Sequence[ImageHeader]) -> tuple[int, int]:
    first, *others = headers
    for other in others:
        if other.size != first.size:
            raise ValueError(
                f"`images` must all have one size, found {first.size_text()} "
                f"in '{first.file}' and {other.size_text()} in "
                f"'{other.file}'. Pass image_size=(height, width) to resize "
                "them."
            )
    return first.size
