"""Reads folders of images, masks and labels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.datasets.arguments import check_image_size
from mtl_keras.datasets.reading.class_folders import read_class_folders
from mtl_keras.datasets.reading.folder_labels import (
    FolderLabels,
    read_folder_labels,
)
from mtl_keras.datasets.reading.folder_layout import FolderLayout, find_files
from mtl_keras.datasets.reading.folder_source import FolderSource
from mtl_keras.datasets.reading.image_header import ImageHeader, read_headers
from mtl_keras.datasets.reading.image_pixels import MODES
from mtl_keras.datasets.reading.mask_folders import pop_spec, read_mask_tasks
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
    labels: Any = None,
    image_column: str | None = None,
    class_folders: str | None = None,
    subfolders: bool = False,
    image_size: Sequence[int] | None = None,
    color_mode: str = "rgb",
    colors: Mapping[str, Any] | None = None,
    missing_pixel: Any = None,
    missing_values: Sequence[str] | Mapping[str, Sequence[str]] = (),
    delimiter: str = ",",
    decimal: str = ".",
    thousands: str | None = None,
    validation: float = 0.1,
    test: float = 0.2,
    group: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads images, with masks and a table of labels matched by name.

    The mask of `images/cell7.png` is `cell7.png` in each folder of masks, and
    its labels are the line `cell7` (or `cell7.png`) of the table. An image
    without a mask or a line has missing labels: -1 in all pixels, -1 for
    classes, NaN for regressions.

    Images are png or jpeg files of 8 bits per channel. They are rotated by
    their EXIF orientation, and so are masks. Before the first batch, only
    headers and a sample of the masks are read; all masks if the number of
    classes is not given. A file that is found to be corrupted or invalid later
    raises an error that names it.

    The values of masks are 0 and 1, or 0 and 255 (`num_classes=1`), or classes
    from 0, the same for all masks of a task. 255 beside other values is an
    error unless it has no label (`missing_pixel=255`), or is white with soft
    edges, which are cut at the middle (`num_classes=1`).

    Args:
        path: String or path of the folder that contains the others.
        tasks: What to predict: names or tasks of mask folders, of class
            folders and of columns of the table, as for `from_csv`. Defaults to
            `None`: all masks, and all columns of the table, with inferred
            kinds. Folders of masks are tasks in any case. An empty list
            without masks and class folders reads only the images, for
            `predict`.
        images: String, the folder of images, relative to `path`; `"."` is
            `path` itself. Defaults to `"images"`.
        masks: Dict from task name to the folder of its masks. Defaults to
            `None`: no masks.
        mask_suffix: String, suffix of the names of masks: with `"_mask"`,
            `cell7_mask.png` is the mask of `cell7.png`, also in one folder;
            with `".png"`, `cell7.png` is that of `cell7.jpg`. A dict sets it by
            task; a task that `masks` does not name has its masks in the folder
            of images. Defaults to `None`: masks have the names of their images.
        labels: String, a csv file that names one image per line; or a
            `pandas.DataFrame` of such lines. Defaults to `None`: no table.
        image_column: String, the column that names the images. Defaults to
            `None`: the first column with a name, because pandas writes the
            index without one.
        class_folders: String, name of a task whose classes are the folders in
            `images`: `images/cat/1.png` is a cat, named `cat/1`. Defaults to
            `None`.
        subfolders: Boolean, whether to read the sub-folders of `images` and of
            the folders of masks. Names are then paths: the mask of
            `images/ward2/cell7.png` is `ward2/cell7.png`, its line
            `ward2/cell7`. Defaults to `False`: sub-folders with images are an
            error.
        image_size: `(height, width)` to resize to, images bilinearly (averaged
            first if they shrink to half or less) and masks by the nearest
            pixel. Defaults to `None`: all images must have the same size.
        color_mode: `"grayscale"`, `"rgb"` or `"rgba"`. Defaults to `"rgb"`.
        colors: Dict from task name to the colours of its classes, class 0
            first: `{"street": {"road": (128, 64, 128), "car": (0, 0, 142)}}`.
            A class may have a list of colours. Defaults to `None`: the classes
            are grey values or palette indices.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label, such as 255; with `colors`, a colour. A dict sets it by task.
            Defaults to `None`: all pixels have a label.
        missing_values: List of strings, cells of the table that stand for a
            missing value besides the empty one, or a dict of them by column,
            see `from_csv`. Defaults to `()`.
        delimiter: String of one character between two cells of the table.
            Defaults to `","`.
        decimal: String between the whole part of a number and its decimals.
            Defaults to `"."`.
        thousands: String between groups of three digits. Defaults to `None`.
        validation: Float, fraction of the samples to use for validation. With
            0, there is no validation part. Defaults to 0.1.
        test: Float, fraction of the samples to use for the test. Defaults to
            0.2.
        group: String, column of the table: all images of a group are in one
            part. Defaults to `None`: images are split independently.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the split and of the order of the
            training part. Defaults to 0.

    Returns:
        `Splits`: x is float32 of shape `(batch, height, width, channels)` in
        `[0, 255]`, masks are int32 of shape `(batch, height, width, 1)`.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If a mask or line has no image, sizes differ, a file is
            corrupted, or a value is invalid. The error names the file.

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
            f"`color_mode` is unknown, found {color_mode!r}. "
            f"{did_you_mean(color_mode, MODES)}"
        )
    image_size = check_image_size(image_size)
    found = []
    if tasks is not None:
        found = read_target_specs(tasks, may_be_empty=labels is None)
    specs = {spec.name: spec for spec in found}
    layout = FolderLayout(
        path, images, masks, mask_suffix, class_folders, subfolders
    )
    files = find_files(layout)
    headers = read_headers(files.images.values())
    if image_size is None:
        image_size = _common_size(headers)
    mask_tasks, mask_files = read_mask_tasks(
        files.masks,
        dict(zip(files.images, headers, strict=True)),
        specs,
        colors,
        missing_pixel,
    )
    class_tasks, classes = [], {}
    if class_folders is not None:
        task, codes = read_class_folders(
            pop_spec(specs, class_folders), files.images, subfolders=subfolders
        )
        class_tasks, classes = [task], {task.name: codes}
    table = FolderLabels()
    if labels is not None:
        table = read_folder_labels(
            layout.root / labels
            if isinstance(labels, str | os.PathLike)
            else labels,
            list(files.images),
            list(specs.values()) or None,
            group,
            missing_values,
            image_column,
            delimiter=delimiter,
            decimal=decimal,
            thousands=thousands,
        )
    else:
        _check_no_columns(specs, group=group, image_column=image_column)
    made = (*mask_tasks, *class_tasks, *table.tasks)
    if tasks is None or made:
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


def _check_tasks(tasks: Sequence[Task]) -> None:
    if not tasks:
        raise ValueError(
            "`masks`, `class_folders` and `labels` define no task. Pass a "
            "folder of masks, a csv file, or both."
        )
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"The task {name!r} has labels from two sources: masks, class "
                "folders or columns of the table. Name the columns to read in "
                "`tasks`, and give each task a different name."
            )


def _check_no_columns(specs: Mapping[str, TargetSpec], **columns) -> None:
    """Raises an error if an argument needs a table, which is not given."""
    if specs:
        raise ValueError(
            f"`tasks` names {next(iter(specs))!r}, which has no labels: pass "
            "the folder of its masks as `masks`, or the csv file of its column "
            "as `labels`."
        )
    for argument, name in columns.items():
        if name is not None:
            raise ValueError(
                f"`{argument}` names the column {name!r}, but there is no "
                "table. Pass its csv file as `labels`."
            )


def _common_size(headers: Sequence[ImageHeader]) -> tuple[int, int]:
    first, *others = headers
    for other in others:
        if other.size != first.size:
            raise ValueError(
                "`images` must all have the same size, found "
                f"{first.size_text()} in '{first.file}' and "
                f"{other.size_text()} in '{other.file}'. Pass "
                "image_size=(height, width) to resize them."
            )
    return first.size
