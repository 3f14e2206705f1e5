"""Checks of inputs and targets before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task


def check_data(model, x, y, sample_weight=None, *, where: str = "") -> None:
    """Checks a batch, or whole arrays, against a model.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs: an array, or a dict or list of arrays.
        y: Targets: a dict from task name to array.
        sample_weight: `None`, an array for all tasks, or a dict from task
            name to array.
        where: Says in errors which data it was, such as `"validation_data"`.

    Raises:
        TypeError: If a container or dtype is of the wrong kind.
        ValueError: If names, shapes or values do not fit. The message names
            the task, what was found, what was expected and the way out.
    """
    try:
        check_inputs(model, x)
        check_targets(model, y)
        _check_counts(model, x, y)
        check_sample_weight(model, sample_weight)
    except (TypeError, ValueError) as error:
        if not where:
            raise
        raise type(error)(f"In {where}: {error}") from None


def check_inputs(model, x) -> None:
    """Checks the shapes of inputs and that all values are finite.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs: an array, or a dict or list of arrays.

    Raises:
        ValueError: If a shape does not fit, or a value is NaN or infinite.
    """
    arrays = keras.tree.flatten(x)
    if isinstance(x, list | tuple) and len(arrays) > len(model.inputs) == 1:
        raise ValueError(
            f"Inputs are a {type(x).__name__} of {len(arrays)} arrays, and the "
            f"model has one input, {model.inputs[0].name!r}; expected one "
            "array. Put the samples into one with numpy.stack."
        )
    if len(arrays) != len(model.inputs):
        return  # Keras's own message about the structure is the better one.
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if array is None or not _is_dense(array):
            continue
        if np.shape(array)[:1] == (0,):
            raise ValueError(
                f"Input {tensor.name!r}: found no samples (shape "
                f"{tuple(np.shape(array))}); expected one or more."
            )
        _check_input_shape(tuple(np.shape(array)), tensor)
        _check_finite(to_numpy(array), tensor.name)


def _check_input_shape(shape: tuple, tensor) -> None:
    expected = tuple(tensor.shape)
    # Keras adds or drops a last axis of length 1 by itself.
    lenient = [expected, (*expected, 1)]
    if expected[-1:] == (1,):
        lenient.append(expected[:-1])
    if not any(shape_fits(shape, option) for option in lenient):
        raise ValueError(
            f"Input {tensor.name!r}: found shape {shape}, expected "
            f"{_with_n(expected[1:])}. Reshape or resize the inputs, or build "
            f"the model with input_shape={shape[1:]}."
        )


def _check_finite(array: np.ndarray, name: str) -> None:
    if array.dtype.kind != "f" or array.size == 0:
        return
    # Sums are one pass without a temporary, and NaN and infinity survive
    # them; finite values whose sum overflows pay for the exact test. Not by
    # BLAS, whose threads would go on spinning beside the first steps.
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


def check_targets(model, y) -> None:
    """Checks the names, shapes and values of targets.

    Args:
        model: A `MultiTaskModel`.
        y: Targets: a dict from task name to array.

    Raises:
        TypeError: If `y` is no dict.
        ValueError: If a name, shape or value does not fit.
    """
    output_shapes = model.task_output_shapes
    for task, target in pair_with_tasks(y, model.tasks).items():
        if isinstance(target, list | tuple):
            raise TypeError(
                f"Task {task.name!r}: targets are a {type(target).__name__}, "
                "which Keras would take for several arrays; expected one "
                "array. Convert them with numpy.asarray."
            )
        output_shape = output_shapes[task.name]
        check_target_shape(task, tuple(np.shape(target)), output_shape)
        task.check_target_values(to_numpy(target), output_shape)


def _check_counts(model, x, y) -> None:
    inputs = [a for a in keras.tree.flatten(x) if a is not None]
    if not inputs:
        return
    # Of sparse inputs numpy knows no shape.
    shape = inputs[0].shape if hasattr(inputs[0], "shape") else ()
    samples = shape[0] if len(shape) else len(inputs[0])
    for task, target in pair_with_tasks(y, model.tasks).items():
        if len(target) != samples:
            raise ValueError(
                f"Task {task.name!r}: found {len(target)} targets for "
                f"{samples} inputs; expected one for each."
            )


def pair_with_tasks(y, tasks: tuple[Task, ...]) -> dict[Task, Any]:
    """Pairs each task with its targets.

    Args:
        y: A dict from task name to targets; for one task, the targets alone
            will do.
        tasks: The tasks of the model.

    Returns:
        Targets by task.

    Raises:
        TypeError: If `y` is no dict.
        ValueError: If a task lacks targets or a name is no task's.
    """
    names = [task.name for task in tasks]
    example = "{" + ", ".join(f"{name!r}: ..." for name in names) + "}"
    if not isinstance(y, Mapping):
        if len(tasks) == 1 and y is not None and not _is_container(y):
            return {tasks[0]: y}
        found = "None" if y is None else f"a {type(y).__name__}"
        raise TypeError(
            f"Targets are {found}; expected a dict from task name to array: "
            f"{example}. Keras would pair a list with the tasks in "
            "alphabetical order, so a list is refused."
        )
    for name in y:
        if name not in names:
            raise ValueError(
                f"Targets name {name!r}, which is no task of the model. "
                f"{did_you_mean(name, names)} Remove it, or rename it."
            )
    for name in names:
        if name not in y:
            raise ValueError(
                f"Task {name!r} has no targets; found targets for "
                f"{sorted(y)}, expected {example}."
            )
    for name, target in y.items():
        if target is None:
            raise ValueError(
                f"Task {name!r}: the targets are None; expected an array."
            )
    return {task: y[task.name] for task in tasks}


def _is_container(y) -> bool:
    return isinstance(y, list | tuple)


def check_target_shape(task: Task, shape: tuple, output_shape: tuple) -> None:
    """Checks the shape of a task's targets.

    Args:
        task: The task.
        shape: Shape of the targets, batch axis first; `None` for any length.
        output_shape: Shape of the task's output without the batch axis.

    Raises:
        ValueError: If it is none of the shapes that the task takes.
    """
    options = task.target_shapes(output_shape)
    if any(shape_fits(shape, (None, *option)) for option in options):
        return
    expected = " or ".join(_with_n(option) for option in options)
    raise ValueError(
        f"Task {task.name!r} ({type(task).__name__}): targets have shape "
        f"{shape}, expected {expected} to fit the output of shape "
        f"{_with_n(output_shape)}. Reshape or resize the targets, or change "
        "the task."
    )


def check_sample_weight(model, sample_weight) -> None:
    """Checks the names and values of sample weights.

    Args:
        model: A `MultiTaskModel`.
        sample_weight: `None`, an array, or a dict from task name to array.

    Raises:
        ValueError: If a name is no task's, a task is left out, or a weight is
            NaN or infinite.
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
                f"sample_weight names {name!r}, which is no task of the "
                f"model. {did_you_mean(name, names)}"
            )
    for name in names:
        if name not in sample_weight:
            raise ValueError(
                f"sample_weight has no entry for task {name!r}; found "
                f"{sorted(sample_weight)}. Add an array of ones for it."
            )
        _check_finite(to_numpy(sample_weight[name]), f"sample_weight[{name!r}]")


def to_numpy(array) -> np.ndarray:
    """Views a tensor, data frame or list as a numpy array.

    Args:
        array: Anything that `numpy.asarray` or Keras can convert.
    """
    if keras.ops.is_tensor(array):
        return keras.ops.convert_to_numpy(array)
    return np.asarray(array)


def _is_dense(array) -> bool:
    """Whether values lie in a plain array; Keras takes sparse inputs too."""
    return not (
        hasattr(array, "tocsr")
        or isinstance(array, tf.SparseTensor | tf.RaggedTensor)
    )


def shape_fits(shape: tuple, expected: tuple) -> bool:
    """Compares shapes, `None` on either side fitting any length.

    Args:
        shape: A shape.
        expected: The shape that it should have.
    """
    return len(shape) == len(expected) and all(
        found is None or wanted is None or found == wanted
        for found, wanted in zip(shape, expected, strict=True)
    )


def _with_n(shape: tuple) -> str:
    inner = "".join(f", {'any' if n is None else n}" for n in shape)
    return f"(n{inner})" if shape else "(n,)"
