"""Folders whose names are the classes of the images in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    SequenceTagging,
    Task,
)


def read_class_folders(
    spec: TargetSpec, images: Mapping[str, Path], *, subfolders: bool
) -> tuple[Task, np.ndarray]:
    """Makes a task of the folders that images lie in.

    Args:
        spec: What the caller says of the task.
        images: Dict from name, the path of the image seen from the folder of
            all images, to path.
        subfolders: Boolean, whether the folder of a class may have folders
            itself.

    Returns:
        The task, and an int32 array of the class of each image.

    Raises:
        ValueError: If an image lies in no folder or too deep, all lie in one,
            or a folder is none of the classes.
    """
    kind = spec.kind
    if kind is not None and (
        not issubclass(kind, BinaryClassification | Classification)
        or issubclass(kind, SequenceTagging)
    ):
        raise ValueError(
            f"Task {spec.name!r}: the name of a folder is one class, so "
            f"`class_folders` is for a Classification, found {kind.__name__}."
        )
    folders = [
        _class_of(spec.name, name, file, subfolders)
        for name, file in images.items()
    ]
    said = getattr(spec.task, "class_names", spec.arguments.get("class_names"))
    names = _sorted_names(set(folders)) if said is None else tuple(said)
    codes = {name: code for code, name in enumerate(names)}
    for folder, file in zip(folders, images.values(), strict=True):
        if folder not in codes:
            raise ValueError(
                f"Task {spec.name!r}: '{file}' lies in the folder {folder!r}, "
                "which is none of its class_names. "
                f"{did_you_mean(folder, names)}"
            )
    task = _make_task(spec, kind, names)
    return task, np.array([codes[folder] for folder in folders], "int32")


def _class_of(task: str, name: str, file: Path, subfolders: bool) -> str:
    first, *inner = name.split("/")
    if not inner:
        raise ValueError(
            f"Task {task!r}: '{file}' lies in no folder of a class, which "
            f"class_folders={task!r} asks for. Move it into one."
        )
    if len(inner) > 1 and not subfolders:
        raise ValueError(
            f"Task {task!r}: '{file}' lies in a sub-folder of the class "
            f"{first!r}. Pass subfolders=True if the first folder is the "
            "class, or make the other one the first."
        )
    return first


def _sorted_names(names: set[str]) -> tuple[str, ...]:
    # 2 comes before 10, where 02 and 2 would be two folders.
    numbered = all(
        name.isdecimal() and str(int(name)) == name for name in names
    )
    return tuple(sorted(names, key=int if numbered else str))


def _make_task(spec: TargetSpec, kind, names: Sequence[str]) -> Task:
    if len(names) < 2:
        raise ValueError(
            f"Task {spec.name!r}: all images lie in the folder {names[0]!r}, "
            "so there is nothing to tell apart. Leave `class_folders` out, and "
            "pass subfolders=True."
        )
    if kind is None:
        kind = BinaryClassification if len(names) == 2 else Classification
    if issubclass(kind, BinaryClassification):
        count, found = 2, {"class_names": names}
    else:
        count = getattr(
            spec.task,
            "num_classes",
            spec.arguments.get("num_classes", len(names)),
        )
        found = {"num_classes": len(names), "class_names": names}
    if count != len(names):
        raise ValueError(
            f"Task {spec.name!r}: found {len(names)} folders of classes, "
            f"expected {count}: {', '.join(map(repr, names[:10]))}. Name all "
            "classes with class_names, if some have no image."
        )
    if spec.task is None:
        return kind(spec.name, **{**found, **spec.arguments})
    if spec.task.class_names is not None:
        return spec.task
    return dataclasses.replace(spec.task, class_names=names)
