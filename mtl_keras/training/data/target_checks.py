"""Checks targets before the first step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_keras.losses.counted_rank import counted_rank
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.training.data.arrays import format_shape, shapes_match, to_numpy


def check_targets(model, y, *, whole: bool = False) -> bool:
    """Checks the names, shapes and values of targets.

    Args:
        model: A `MultiTaskModel`.
        y: Dict from task name to array, or to `None` for a task without
            labels.
        whole: Whether a task without labels is an error, unless its targets
            are `None`. Defaults to `False`.

    Returns:
        Whether all labels are present.

    Raises:
        TypeError: If `y` is not a dict.
        ValueError: If a name, shape or value does not match the model.
    """
    output_shapes = model.task_output_shapes
    complete = True
    pairs = pair_with_tasks(y, model.tasks)
    if whole and all(target is None for target in pairs.values()):
        raise ValueError(
            "The targets of all tasks are None; expected labels for at least "
            "one task."
        )
    for task, target in pairs.items():
        if target is None or _is_unlabelled(task, target, model):
            complete = False
            continue
        if isinstance(target, list | tuple):
            raise TypeError(
                f"Task {task.name!r}: targets are a {type(target).__name__}, "
                "which Keras would treat as several arrays; expected one "
                "array. Convert them with numpy.asarray."
            )
        output_shape = output_shapes[task.name]
        check_target_shape(task, tuple(np.shape(target)), output_shape)
        target = to_numpy(target)
        task.check_target_values(target, output_shape)
        labelled = _find_labelled(task, target, output_shape)
        if labelled is None:
            continue
        complete = False
        _warn_minus_one_labels(task, target, min_ones=1 if whole else 20)
        if labelled.any():
            _check_labels_count(model, task, labelled, whole=whole)
            _warn_unused_metrics(model, task, labelled)
        elif whole:
            missing = "-1 or NaN" if task.missing_label == -1 else "NaN"
            raise ValueError(
                f"Task {task.name!r}: none of its {len(target)} targets is "
                f"labelled (all are {missing}); expected at least one label. "
                "Remove the task from the model, or pass None as its targets "
                "if it has no labels in this data."
            )
    return complete


def _warn_minus_one_labels(
    task: Task, target: np.ndarray, min_ones: int
) -> None:
    """Warns if the labels of a binary task are only -1 and 1."""
    if task.target_kind != "binary" or target.max() != 1:
        return
    known = target[~np.isnan(target)] if target.dtype.kind == "f" else target
    ones = int((known == 1).sum())
    if ones >= min_ones and ones + int((known == -1).sum()) == known.size:
        warnings.warn(
            f"Task {task.name!r}: its only labels are -1 and 1, and -1 means "
            "a missing label, so the task learns only from class 1. If -1 is "
            "the other class, convert it to 0: (y + 1) / 2.",
            stacklevel=2,
        )


def _check_labels_count(
    model, task: Task, labelled: np.ndarray, *, whole: bool
) -> None:
    """Raises an error, or warns, if the loss counts none of the labels."""
    loss = model.compiled_parts.losses.losses.get(task.name)
    if loss is None:
        return
    output_shape = model.task_output_shapes[task.name]
    rank = counted_rank(loss, task, output_shape)
    axes = tuple(range(rank, labelled.ndim))
    if not axes or labelled.all(axis=axes).any():
        return
    message = (
        f"Task {task.name!r}: the loss {loss.name!r} has one value per sample, "
        f"and none of {len(labelled)} samples has all labels "
        f"({int(labelled.sum())} of {labelled.size} labels are present), so no "
        "sample counts. Choose a loss with one value per label, such as 'mse' "
        "or 'binary_crossentropy', or fill in the missing labels."
    )
    if whole:
        raise ValueError(message)
    warnings.warn(message, stacklevel=2)


def _warn_unused_metrics(model, task: Task, labelled: np.ndarray) -> None:
    """Warns about metrics per sample if no sample has all labels."""
    if not task.columns or labelled.ndim < 2:
        return
    if labelled.all(axis=tuple(range(1, labelled.ndim))).any():
        return
    metrics = model.compiled_parts.logs.task_metrics
    for name in metrics.sample_metric_names(task):
        warnings.warn(
            f"Task {task.name!r}: the metric {name!r} uses only samples with "
            f"all labels, and none of {len(labelled)} samples has all labels, "
            "so it remains 0. Choose a metric per label, such as 'auc' or "
            "keras.metrics.F1Score(threshold=0.5).",
            stacklevel=2,
        )


def _is_unlabelled(task: Task, target, model) -> bool:
    """Returns whether targets are the result of `make_missing_targets`."""
    if np.ndim(target) != 1 or isinstance(target, list | tuple):
        return False
    options = task.target_shapes(model.task_output_shapes[task.name])
    if () in options:
        return False
    target = to_numpy(target)
    return target.dtype.kind == "f" and bool(np.isnan(target).all())


def _find_labelled(task: Task, target: np.ndarray, output_shape: tuple):
    """Returns the mask of the labelled elements, or `None` if all are."""
    if target.size == 0 or task.complete_labels:
        return None
    # A fast path for complete labels; NaN fails the comparison.
    if task.missing_label == -1 and target.min() >= 0:
        return None
    labelled = task.labelled(target, output_shape)
    return None if labelled is None or labelled.all() else labelled


def check_validation_split(model, y, validation_split: float) -> None:
    """Checks that both parts of a split have labels for each task.

    Args:
        model: A `MultiTaskModel`.
        y: Dict from task name to targets, checked.
        validation_split: Fraction of the samples, from the end, as in `fit`.

    Raises:
        ValueError: If a part has no labels for a task.
    """
    for task, target in pair_with_tasks(y, model.tasks).items():
        if target is None:
            continue
        target = to_numpy(target)
        output_shape = model.task_output_shapes[task.name]
        first = int(len(target) * (1 - validation_split))
        for part, part_target in (
            ("training", target[:first]),
            ("validation", target[first:]),
        ):
            labelled = _find_labelled(task, part_target, output_shape)
            if labelled is not None and not labelled.any():
                raise ValueError(
                    f"Task {task.name!r}: the {part} part of "
                    f"validation_split={validation_split} has no labels for "
                    "this task. The split takes the last samples: shuffle the "
                    "samples first, or pass validation_data."
                )


def pair_with_tasks(y, tasks: tuple[Task, ...]) -> dict[Task, Any]:
    """Pairs each task with its targets.

    Args:
        y: Dict from task name to targets or `None`. With one task also its
            targets.
        tasks: The tasks of the model.

    Returns:
        Dict from task to targets.

    Raises:
        TypeError: If `y` is not a dict.
        ValueError: If a task is unknown or its targets are missing.
    """
    names = [task.name for task in tasks]
    example = "{" + ", ".join(f"{name!r}: ..." for name in names) + "}"
    if not isinstance(y, Mapping):
        if len(tasks) == 1 and y is not None and not _is_container(y):
            return {tasks[0]: y}
        found = "None" if y is None else f"a {type(y).__name__}"
        raise TypeError(
            f"Targets are {found}; expected a dict from task name to array: "
            f"{example}. A list is not supported, because Keras would pair it "
            "with the tasks in alphabetical order."
        )
    for name in y:
        if name not in names:
            raise ValueError(
                f"Targets name {name!r}, which is not a task of the model. "
                f"{did_you_mean(name, names)} Remove or rename it."
            )
    for name in names:
        if name not in y:
            raise ValueError(
                f"Task {name!r} has no targets; found targets for "
                f"{sorted(y)}, expected {example}. If the task has no labels "
                "in this data, pass None."
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
        ValueError: If the task does not accept the shape.
    """
    options = task.target_shapes(output_shape)
    if any(shapes_match(shape, (None, *option)) for option in options):
        return
    expected = " or ".join(format_shape(option) for option in options)
    raise ValueError(
        f"Task {task.name!r} ({type(task).__name__}): targets have shape "
        f"{shape}, expected {expected} to fit the output of shape "
        f"{format_shape(output_shape)}. Reshape or resize the targets, or "
        "change the task."
    )
