"""Makes a task of folders that are named after classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.kind_labels import (
    check_class_names,
    has_one_class,
)
from mtl_keras.datasets.reading.spec_task import (
    get_argument,
    get_num_classes,
    make_task,
)
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import BinaryClassification, Classification, Task


def read_class_folders(
    spec: TargetSpec, images: Mapping[str, Path], *, subfolders: bool
) -> tuple[Task, np.ndarray]:
    """Makes a task of the folders that contain the images.

    Args:
        spec: The `TargetSpec` of the task.
        images: Dict from name, the path of an image relative to the folder of
            all images, to path.
        subfolders: Boolean, whether the folder of a class may have
            sub-folders.

    Returns:
        The task, and an int32 array of the class of each image.

    Raises:
        ValueError: If an image is not in the folder of a class, all images are
            in one folder, or a folder is not among the class names.
    """
    kind = spec.kind
    if kind is not None and not has_one_class(kind, "sample"):
        raise ValueError(
            f"Task {spec.name!r}: `class_folders` is for a Classification, "
            f"found {kind.__name__}."
        )
    folders = [
        _read_class(spec.name, name, file, subfolders)
        for name, file in images.items()
    ]
    names = get_argument(spec, "class_names") or _sort_names(set(folders))
    codes = {name: code for code, name in enumerate(names)}
    for folder, file in zip(folders, images.values(), strict=True):
        if folder not in codes:
            raise ValueError(
                f"Task {spec.name!r}: '{file}' is in the folder {folder!r}, "
                "which is not among its class_names. "
                f"{did_you_mean(folder, names)}"
            )
    task = _make_task(spec, kind, tuple(names))
    return task, np.array([codes[folder] for folder in folders], "int32")


def _read_class(task: str, name: str, file: Path, subfolders: bool) -> str:
    first, *inner = name.split("/")
    if not inner:
        raise ValueError(
            f"Task {task!r}: '{file}' is not in the folder of a class, as "
            f"class_folders={task!r} requires. Move it into one."
        )
    if len(inner) > 1 and not subfolders:
        raise ValueError(
            f"Task {task!r}: '{file}' is in a sub-folder of the class "
            f"{first!r}. Pass subfolders=True if the outer folder is the "
            "class, or move the inner folder up."
        )
    return first


def _sort_names(names: set[str]) -> tuple[str, ...]:
    # Sort 2 before 10, unless 02 and 2 may be two folders.
    numbered = all(
        name.isdecimal() and str(int(name)) == name for name in names
    )
    return tuple(sorted(names, key=int if numbered else str))


def _make_task(spec: TargetSpec, kind, names: Sequence[str]) -> Task:
    if len(names) < 2:
        raise ValueError(
            f"Task {spec.name!r}: all images are in the folder {names[0]!r}, "
            "so there is nothing to learn. Pass subfolders=True without "
            "`class_folders`."
        )
    if kind is None:
        kind = BinaryClassification if len(names) == 2 else Classification
    check_class_names(spec.name, kind, names, "the names of the folders")
    count = get_num_classes(spec, kind)
    if count not in (None, len(names)):
        raise ValueError(
            f"Task {spec.name!r}: found {len(names)} folders of classes, "
            f"expected {count}: {', '.join(map(repr, names[:10]))}. If some "
            "classes have no images, pass all class_names."
        )
    return make_task(spec, kind, size=len(names), class_names=names)
