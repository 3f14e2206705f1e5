"""Reads the arrays of an npz file."""

from __future__ import annotations

import dataclasses
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_keras.argument_checks import is_integer
from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.reading.array_targets import make_array_target
from mtl_keras.datasets.reading.missing_values import check_missing_values
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.rounding import check_rounding
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task

_CHUNK = 256
_READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError)


def from_npz(
    path: str | os.PathLike,
    tasks: Sequence[str | Task] | Mapping[str, object],
    inputs: str = "x",
    *,
    missing_pixel: int | Mapping[str, int] | None = None,
    missing_values: Sequence[str] | Mapping[str, Sequence[str]] = (),
    validation: float = 0.1,
    test: float = 0.2,
    group: str | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads the arrays of an npz file as inputs and targets.

    NaN is a missing label; for classes, so are -1 and the empty string.
    Targets become float32 with NaN for regressions, and int32 with -1 for
    classes.

    Args:
        path: String or path of an npz file, as `numpy.savez` writes it.
        tasks: What to predict, as for `from_csv`, with keys of arrays in place
            of columns. The kind of a column is inferred as there. Arrays of
            shape `(n, height, width)`, with or without a last axis of 1, are
            masks (of 0 and 1, of 0 and 255, or of classes, see `from_folder`).
            Arrays of shape `(n, k)` are regressions if they contain floats,
            and multi-label classifications if they contain 0 and 1. An empty
            list reads only the inputs, for `predict`.
        inputs: String, key of the inputs, an array of numbers of shape
            `(n, ...)`. Defaults to `"x"`.
        missing_pixel: Integer, value of the pixels of a mask that have no
            label, such as 255. A dict sets it by task. Defaults to `None`: all
            pixels have a label.
        missing_values: List of strings that stand for a missing label besides
            the empty one, or a dict of them by key. Numbers are compared as
            numbers. Defaults to `()`.
        validation: Float, fraction of the samples to use for validation. With
            0, there is no validation part. Defaults to 0.1.
        test: Float, fraction of the samples to use for the test. Defaults to
            0.2.
        group: String, key of an array of shape `(n,)`: all samples with the
            same value are in one part. Defaults to `None`: samples are split
            independently.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the split and of the order of the
            training part. Defaults to 0.

    Returns:
        `Splits`, with inputs in float32.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file lacks a key, has no samples, or an array does
            not fit.

    Example:

    ```python
    data = mtl_keras.datasets.from_npz(
        "cells.npz", inputs="images", tasks=["mask", "stain"], group="patient"
    )
    model = mtl_keras.build_cnn_cls_seg(
        input_shape=data.input_shape, tasks=data.tasks
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is shuffled already
        epochs=10,
    )
    ```
    """
    specs = read_target_specs(tasks, may_be_empty=True)
    file = existing_file(path, "Pass the path of an npz file.")
    specs = [_with_one_key(spec) for spec in specs]
    missing_values = check_missing_values(
        missing_values, [spec.columns[0] for spec in specs]
    )
    keys = {spec.columns[0]: "tasks" for spec in specs}
    keys |= {inputs: "inputs", **({} if group is None else {group: "group"})}
    arrays = _read_arrays(file, keys)
    _check_lengths(arrays, inputs, file)
    missing = _missing_pixels(missing_pixel, [spec.name for spec in specs])
    targets = [
        make_array_target(
            spec,
            arrays[spec.columns[0]],
            f"{spec.columns[0]!r} of '{file}'",
            missing.get(spec.name),
            missing_values,
        )
        for spec in specs
    ]
    groups = None
    if group is not None:
        groups = _read_groups(arrays[group], group, file)
    x = _read_inputs(arrays[inputs], inputs, file)
    # The source holds its own copy.
    arrays.clear()
    parts = partition(
        len(x),
        validation=validation,
        test=test,
        seed=seed,
        source=f"'{file}'",
        groups=groups,
    )
    made = tuple(task for task, _ in targets)
    y = {task.name: values for task, values in targets}
    numbers = [task.name for task in made if task.num_label_classes is None]
    return make_splits(
        ArraySource(x, y, numbers),
        made,
        parts,
        batch_size=batch_size,
        seed=seed,
        groups=groups,
    )


def _missing_pixels(missing_pixel, names: Sequence[str]) -> dict[str, int]:
    pixels = missing_pixel
    if not isinstance(pixels, Mapping):
        pixels = dict.fromkeys(names, pixels)
    for name, value in pixels.items():
        if name not in names:
            raise ValueError(
                f"`missing_pixel` names {name!r}, which is not a task. "
                f"{did_you_mean(name, names)}"
            )
        if value is not None and not is_integer(value):
            raise ValueError(
                f"`missing_pixel` must be an integer, found {value!r}."
            )
    return {name: value for name, value in pixels.items() if value is not None}


def _with_one_key(spec: TargetSpec) -> TargetSpec:
    if spec.task is not None and len(spec.columns) > 1:
        # Only in a table, the names of its labels are columns.
        return dataclasses.replace(spec, columns=(spec.name,))
    if len(spec.columns) > 1:
        raise ValueError(
            f"`tasks` has several keys for {spec.name!r}: "
            f"{list(spec.columns)}; expected one array per task. Stack them "
            "before saving the file."
        )
    return spec


def _read_arrays(file: Path, keys: Mapping[str, str]) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(file):
        raise ValueError(
            f"`path` must name an npz file, found something else in '{file}'. "
            "numpy.savez writes one."
        )
    with np.load(file, allow_pickle=False) as archive:
        for key, argument in keys.items():
            if key not in archive.files:
                raise ValueError(
                    f"`{argument}` names the key {key!r}, which '{file}' does "
                    f"not have. {did_you_mean(key, archive.files)}"
                )
        arrays = {}
        for key in keys:
            try:
                arrays[key] = _to_native(archive[key])
            except (*_READ_ERRORS, ValueError) as error:
                if "allow_pickle" not in str(error):
                    raise ValueError(
                        f"`path` must name an npz file that can be read, but "
                        f"{key!r} of '{file}' is corrupted: {error}. Save or "
                        "copy it again."
                    ) from error
                raise ValueError(
                    "`path` must hold numbers or strings, found Python objects "
                    f"in {key!r} of '{file}'. Convert them before saving: "
                    ".astype('float32') (None becomes NaN) or .astype(str)."
                ) from error
    return arrays


def _to_native(array: np.ndarray) -> np.ndarray:
    """Converts an array to the byte order of this machine."""
    if array.dtype.kind in "iufc" and not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array) if array.ndim else array


def _check_lengths(arrays, inputs, file) -> None:
    count = len(arrays[inputs]) if arrays[inputs].ndim else 0
    if not count:
        raise ValueError(
            f"`path` must hold samples, found an array of shape "
            f"{arrays[inputs].shape} in {inputs!r} of '{file}'."
        )
    for key, array in arrays.items():
        if not array.ndim or len(array) != count:
            raise ValueError(
                "`path` must hold arrays with the same number of samples, "
                f"found shape {array.shape} in {key!r} and {count} samples in "
                f"{inputs!r} of '{file}'."
            )


def _read_inputs(x: np.ndarray, key: str, file: Path) -> np.ndarray:
    if x.dtype.kind not in "biuf":
        raise ValueError(
            f"`inputs` must be numbers, found dtype {x.dtype} in {key!r} of "
            f"'{file}'. Encode strings as numbers before saving the file."
        )
    is_float = x.dtype.kind == "f"
    check_rounding(x, f"`inputs` {key!r} of '{file}'")
    if x.dtype.itemsize > 2:  # smaller dtypes are converted batch by batch
        with np.errstate(over="ignore"):
            x = x.astype("float32", copy=False)
    for start in range(0, len(x) if is_float else 0, _CHUNK):
        finite = np.isfinite(x[start : start + _CHUNK])
        if not finite.all():
            index = np.argwhere(~finite)[0]
            index[0] += start
            raise ValueError(
                f"`inputs` must be finite numbers, found {x[tuple(index)]} at "
                f"index {index.tolist()} of {key!r} in '{file}'. Replace "
                "them, or remove these samples."
            )
    return x[:, None] if x.ndim == 1 else x


def _read_groups(values: np.ndarray, key: str, file: Path) -> np.ndarray:
    if values.ndim != 1:
        raise ValueError(
            f"`group` must be an array with a value per sample, found "
            f"shape {values.shape} in {key!r} of '{file}'."
        )
    return np.unique(values, return_inverse=True)[1]
