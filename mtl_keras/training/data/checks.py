"""Checks data before the first step."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.training.data.arrays import (
    format_shape,
    is_dense,
    shapes_match,
    to_numpy,
)
from mtl_keras.training.data.input_checks import (
    check_input_sizes,
    warn_unscaled_inputs,
)
from mtl_keras.training.data.match_inputs import match_inputs
from mtl_keras.training.data.strings import check_token_counts
from mtl_keras.training.data.table_inputs import accepts_missing_values
from mtl_keras.training.data.target_checks import check_targets, pair_with_tasks


def check_data(
    model, x, y, sample_weight=None, *, where: str = "", whole: bool = False
) -> bool:
    """Checks a batch, or whole arrays, against a model.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs: an array, or a dict or list of arrays.
        y: Dict from task name to array.
        sample_weight: `None`, an array for all tasks, or a dict from task
            name to array. Defaults to `None`.
        where: Name of the data in errors, such as `"validation_data"`.
            Defaults to none.
        whole: Whether these are all samples, so that a task without labels is
            an error. Defaults to `False`.

    Returns:
        Whether all labels are present.

    Raises:
        TypeError: If a container or dtype is of the wrong kind.
        ValueError: If names, shapes or values do not match the model.
    """
    try:
        x = match_inputs(model, x)
        check_inputs(model, x)
        if whole:
            warn_unscaled_inputs(model, keras.tree.flatten(x))
        complete = check_targets(model, y, whole=whole)
        _check_counts(model, x, y)
        check_token_counts(model, x, y)
        check_sample_weight(model, sample_weight)
    except (TypeError, ValueError) as error:
        if not where:
            raise
        raise type(error)(f"In {where}: {error}") from None
    return complete


def check_inputs(model, x, *, values: bool = True) -> None:
    """Checks the shapes of inputs and that all values are finite.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs: an array, or a dict or list of arrays.
        values: Whether to check values, and not only shapes. Defaults to
            `True`.

    Raises:
        ValueError: If a shape does not match, or a value is NaN or infinite.
    """
    check_input_sizes(model, x)
    arrays = keras.tree.flatten(x)
    if isinstance(x, list | tuple) and len(arrays) > len(model.inputs) == 1:
        raise ValueError(
            f"Inputs are a {type(x).__name__} of {len(arrays)} arrays, and the "
            f"model has one input, {model.inputs[0].name!r}; expected one "
            "array. Join the samples with numpy.stack."
        )
    if len(arrays) != len(model.inputs):
        return  # Keras describes the structure better in its message.
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if array is None or not is_dense(array):
            continue
        if values and np.shape(array)[:1] == (0,):
            raise ValueError(
                f"Input {tensor.name!r}: found no samples (shape "
                f"{tuple(np.shape(array))}); expected one or more."
            )
        _check_input_shape(tuple(np.shape(array)), tensor)
        if values and not accepts_missing_values(model, tensor):
            _check_finite(to_numpy(array), tensor.name)


def _check_input_shape(shape: tuple, tensor) -> None:
    expected = tuple(tensor.shape)
    # Keras adds or removes a last axis of length 1.
    options = [expected, (*expected, 1)]
    if expected[-1:] == (1,):
        options.append(expected[:-1])
    if not any(shapes_match(shape, option) for option in options):
        raise ValueError(
            f"Input {tensor.name!r}: found shape {shape}, expected "
            f"{format_shape(expected[1:])}. Reshape or resize the inputs, or "
            f"build the model with input_shape={shape[1:]}."
        )


def _check_finite(array: np.ndarray, name: str) -> None:
    if array.dtype.kind != "f" or array.size == 0:
        return
    # Sums keep NaN and infinity in one pass without a temporary array; the
    # exact test follows only if a sum is not finite. Without BLAS, whose
    # threads would compete with the first steps.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.einsum("ij->i", array.reshape(len(array), -1))
    if np.isfinite(sums).all():
        return
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    index = tuple(
        int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape)
    )
    raise ValueError(
        f"Input {name!r}: found {array[index]} at index {index} "
        f"({int(bad.sum())} of {bad.size} values are not finite); expected "
        "finite numbers. Replace them (numpy.nan_to_num) or drop the samples."
    )


def _check_counts(model, x, y) -> None:
    inputs = [a for a in keras.tree.flatten(x) if a is not None]
    if not inputs:
        return
    # Sparse inputs have no numpy shape.
    shape = inputs[0].shape if hasattr(inputs[0], "shape") else ()
    samples = shape[0] if len(shape) else len(inputs[0])
    for task, target in pair_with_tasks(y, model.tasks).items():
        if target is not None and len(target) != samples:
            raise ValueError(
                f"Task {task.name!r}: found {len(target)} targets for "
                f"{samples} inputs; expected one target per input."
            )


def check_sample_weight(model, sample_weight) -> None:
    """Checks the names and values of sample weights.

    Args:
        model: A `MultiTaskModel`.
        sample_weight: `None`, an array, or a dict from task name to array.

    Raises:
        ValueError: If a task is unknown or missing, or a weight is NaN or
            infinite.
    """
    if sample_weight is None:
        return
    if not isinstance(sample_weight, Mapping):
        for array in keras.tree.flatten(sample_weight):
            _check_finite(to_numpy(array), "sample_weight")
        return
    names = [task.name for task in model.tasks]
    for name in sample_weight:
        if name not in names:
            raise ValueError(
                f"sample_weight names {name!r}, which is not a task of the "
                f"model. {did_you_mean(name, names)}"
            )
    for task in model.tasks:
        name = task.name
        if name not in sample_weight:
            raise ValueError(
                f"sample_weight has no entry for task {name!r}; found "
                f"{sorted(sample_weight)}. Add an array of ones for it."
            )
        weights = to_numpy(sample_weight[name])
        _check_weight_shape(model, task, weights)
        _check_finite(weights, f"sample_weight[{name!r}]")


def _check_weight_shape(model, task: Task, weights: np.ndarray) -> None:
    """Checks that there is one weight per sample or per element."""
    output_shape = model.task_output_shapes[task.name]
    elements = output_shape if task.columns else output_shape[:-1]
    options = [(), (1,), elements, (*elements, 1)]
    if task.columns:
        options += [output_shape[:-1], (*output_shape[:-1], 1)]
    if task.labels_per == "step":  # tags may be padded
        options += [(None,), (None, 1)]
    if any(shapes_match(weights.shape, (None, *o)) for o in options):
        return
    expected = " or ".join(
        dict.fromkeys(format_shape(option) for option in options)
    )
    raise ValueError(
        f"sample_weight[{task.name!r}]: found shape {weights.shape}; expected "
        f"{expected}, one weight per sample or per element."
    )
