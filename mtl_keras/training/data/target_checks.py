"""Checks of targets before the first step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_keras.losses.counted_rank import counted_rank
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.training.data.arrays import shape_fits, to_numpy, with_samples


def check_targets(model, y, *, whole: bool = False) -> bool:
    """Checks the names, shapes and values of targets.

    Args:
        model: A `MultiTaskModel`.
        y: Targets: a dict from task name to array, or to `None` where a task
            has no labels.
        whole: Whether a task without a single label is an error. `None` says
            it explicitly and is none, unless all are. Defaults to `False`.

    Returns:
        Whether no label is missing.

    Raises:
        TypeError: If `y` is no dict.
        ValueError: If a name, shape or value does not fit.
    """
    output_shapes = model.task_output_shapes
    complete = True
    pairs = pair_with_tasks(y, model.tasks)
    if whole and all(target is None for target in pairs.values()):
        raise ValueError(
            "The targets of all tasks are None; expected labels for one task "
            "at least."
        )
    for task, target in pairs.items():
        if target is None or _says_unlabelled(task, target, model):
            complete = False
            continue
        if isinstance(target, list | tuple):
            raise TypeError(
                f"Task {task.name!r}: targets are a {type(target).__name__}, "
                "which Keras would take for several arrays; expected one "
                "array. Convert them with numpy.asarray."
            )
        output_shape = output_shapes[task.name]
        check_target_shape(task, tuple(np.shape(target)), output_shape)
        target = to_numpy(target)
        task.check_target_values(target, output_shape)
        labelled = _labelled_unless_all(task, target, output_shape)
        if labelled is None:
            continue
        complete = False
        _warn_of_minus_one(task, target, least=1 if whole else 20)
        if labelled.any():
            _check_counted(model, task, labelled, whole=whole)
            _warn_of_metrics(model, task, labelled)
        elif whole:
            missing = "-1 or NaN" if task.missing_label == -1 else "NaN"
            raise ValueError(
                f"Task {task.name!r}: none of its {len(target)} targets is "
                f"labelled (all are {missing}); expected one label at least. "
                "Leave the task out of the model, or pass None as its targets "
                "to say that it has none here."
            )
    return complete


def _warn_of_minus_one(task: Task, target: np.ndarray, least: int) -> None:
    """Warns of binary targets whose only labels are -1 and, so often, 1."""
    if task.target_kind != "binary" or target.max() != 1:
        return
    known = target[~np.isnan(target)] if target.dtype.kind == "f" else target
    ones = int((known == 1).sum())
    if ones >= least and ones + int((known == -1).sum()) == known.size:
        warnings.warn(
            f"Task {task.name!r}: its only labels are -1 and 1, and -1 means "
            "that a label is missing, so the task learns from class 1 alone. "
            "If -1 is the other class, write it as 0: (y + 1) / 2.",
            stacklevel=2,
        )


def _check_counted(
    model, task: Task, labelled: np.ndarray, *, whole: bool
) -> None:
    """Raises or warns where labels are there and no loss counts them."""
    loss = model.compiled_parts.losses.losses.get(task.name)
    if loss is None:
        return
    output_shape = model.task_output_shapes[task.name]
    rank = counted_rank(loss, task, output_shape)
    axes = tuple(range(rank, labelled.ndim))
    if not axes or labelled.all(axis=axes).any():
        return
    message = (
        f"Task {task.name!r}: its loss {loss.name!r} has one value for each "
        f"sample, and none of {len(labelled)} samples has all of its labels "
        f"({int(labelled.sum())} of {labelled.size} are there), so that none "
        "of them counts. Choose a loss with a value for each label, such as "
        "'mse' or 'binary_crossentropy', or fill the missing labels in."
    )
    if whole:
        raise ValueError(message)
    warnings.warn(message, stacklevel=2)


def _warn_of_metrics(model, task: Task, labelled: np.ndarray) -> None:
    """Warns of metrics of whole samples where no sample has all labels."""
    if not task.columns or labelled.ndim < 2:
        return
    if labelled.all(axis=tuple(range(1, labelled.ndim))).any():
        return
    metrics = model.compiled_parts.logs.task_metrics
    for name in metrics.names_of_samples(task):
        warnings.warn(
            f"Task {task.name!r}: its metric {name!r} sees whole samples, and "
            f"none of {len(labelled)} has all of its labels, so that it stays "
            "0. Choose one that sees each label, such as 'auc' or "
            "keras.metrics.F1Score(threshold=0.5).",
            stacklevel=2,
        )


def _says_unlabelled(task: Task, target, model) -> bool:
    """Whether targets are what `unlabelled` makes, and no targets by shape."""
    if np.ndim(target) != 1 or isinstance(target, list | tuple):
        return False
    options = task.target_shapes(model.task_output_shapes[task.name])
    if () in options:
        return False
    target = to_numpy(target)
    return target.dtype.kind == "f" and bool(np.isnan(target).all())


def _labelled_unless_all(task: Task, target: np.ndarray, output_shape: tuple):
    """Which elements are labelled, or `None` if all are."""
    if target.size == 0 or task.complete_labels:
        return None
    # Two reductions find complete labels out; NaN survives them.
    if task.missing_label == -1 and target.min() >= 0:
        return None
    labelled = task.labelled(target, output_shape)
    return None if labelled is None or labelled.all() else labelled


def check_split(model, y, validation_split: float) -> None:
    """Raises a `ValueError` if a part of a split lacks a task's labels.

    Args:
        model: A `MultiTaskModel`.
        y: Targets, checked.
        validation_split: Share of the samples, from the end, as in `fit`.
    """
    for task, target in pair_with_tasks(y, model.tasks).items():
        if target is None:
            continue
        target = to_numpy(target)
        output_shape = model.task_output_shapes[task.name]
        first = int(len(target) * (1 - validation_split))
        for part, of_part in (
            ("training", target[:first]),
            ("validation", target[first:]),
        ):
            labelled = _labelled_unless_all(task, of_part, output_shape)
            if labelled is not None and not labelled.any():
                raise ValueError(
                    f"Task {task.name!r}: the {part} part of "
                    f"validation_split={validation_split} has none of its "
                    "labels. The split takes the last samples: shuffle them "
                    "before, or pass validation_data."
                )


def pair_with_tasks(y, tasks: tuple[Task, ...]) -> dict[Task, Any]:
    """Pairs each task with its targets.

    Args:
        y: A dict from task name to targets or `None`; for one task, the
            targets alone will do.
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
                f"{sorted(y)}, expected {example}. If it has no labels here, "
                "say so with None."
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
    expected = " or ".join(with_samples(option) for option in options)
    raise ValueError(
        f"Task {task.name!r} ({type(task).__name__}): targets have shape "
        f"{shape}, expected {expected} to fit the output of shape "
        f"{with_samples(output_shape)}. Reshape or resize the targets, or "
        "change the task."
    )
