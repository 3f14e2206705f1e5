"""Training in stages: first some tasks, then others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral

import keras
import tensorflow as tf

from mtl_keras.spelling import did_you_mean
from mtl_keras.training.backups.backup_and_restore import BackupAndRestore
from mtl_keras.training.data.target_checks import pair_with_tasks
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.stages.stage import Stage
from mtl_keras.training.stages.trained_part import TrainedPart

_BACKUPS = (BackupAndRestore, keras.callbacks.BackupAndRestore)


def fit_in_stages(
    model: MultiTaskModel,
    x,
    y=None,
    *,
    stages: Sequence[str | Sequence[str]],
    epochs: int | Sequence[int] = 1,
    frozen: bool = False,
    sample_weight=None,
    **fit_arguments,
) -> keras.callbacks.History:
    """Trains a model in stages, such as a hierarchy from low to high tasks.

    A stage trains only the variables that its tasks reach. Variables that only
    other tasks reach, or that are read through a `stop_gradient`, do not
    change, including normalization statistics. With `frozen=True`, variables
    that an earlier stage trained do not change either.

    Each stage uses the losses, metrics, loss weights and the weighting of the
    model, with a new optimizer of the same settings and a reset weighting. A
    weighting is omitted if it has no effect: with one task, or if all shared
    parameters are frozen. At the end, also after an error, the optimizer, the
    loss weights and the trainable flags of the model are unchanged.

    Args:
        model: A compiled `MultiTaskModel`.
        x: As in `MultiTaskModel.fit`: arrays, a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or an iterator.
        y: Dict from task name to targets. Tasks in no stage may be omitted.
        stages: List of stages, each a task name or a list of task names.
        epochs: Number of epochs, one for all stages or one per stage.
            Defaults to 1.
        frozen: Whether a stage freezes the variables that earlier stages
            trained. Defaults to `False`.
        sample_weight: As in `MultiTaskModel.fit`. Defaults to `None`.
        **fit_arguments: Other arguments of `MultiTaskModel.fit`, for each
            stage. Callbacks receive the model of the stage, which has only
            its tasks, and a continuous epoch count.

    Returns:
        A `keras.callbacks.History` of all stages. A value that a stage does
        not log is NaN in its epochs; `loss` is the loss of the stage.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a stage is empty, names an unknown task, or has no
            variables to train, or `epochs` has the wrong length.

    Example:

    >>> model = mtl_keras.build_hierarchical_mlp((4,))
    >>> y = {"coarse": np.array([0, 1] * 4), "fine": np.arange(8)}
    >>> history = mtl_keras.fit_in_stages(
    ...     model,
    ...     np.ones((8, 4)),
    ...     y,
    ...     stages=["coarse", "fine"],
    ...     epochs=[2, 3],
    ...     frozen=True,
    ...     verbose=0,
    ... )
    >>> history.epoch
    [0, 1, 2, 3, 4]

    Reference:
        Hashimoto et al., "A Joint Many-Task Model: Growing a Neural Network
        for Multiple NLP Tasks", EMNLP 2017 (tasks trained one after another).
    """
    _check_model(model)
    names = _check_stages(model, stages)
    counts = _check_epochs(epochs, len(names))
    _check_fit_arguments(fit_arguments)
    _check_targets(model, x, y, names)
    # Create all stages first, so that errors are raised before training.
    planned = _plan_stages(model, names, frozen)
    histories, done = [], 0
    for stage, count in zip(planned, counts, strict=True):
        history = stage.fit(
            x,
            y,
            sample_weight,
            epochs=done + count,
            initial_epoch=done,
            **fit_arguments,
        )
        done += len(history.epoch)
        histories.append(history)
    return _merge_histories(model, histories)


def _plan_stages(model, names: list[list[str]], frozen: bool) -> list[Stage]:
    planned, earlier = [], TrainedPart(model, [], [])
    for tasks in names:
        stage = Stage(model, tasks, earlier if frozen else None)
        earlier.layers.extend(stage.trained.layers)
        earlier.variables.extend(stage.trained.variables)
        planned.append(stage)
    return planned


def _merge_histories(model, histories: Sequence) -> keras.callbacks.History:
    merged = keras.callbacks.History()
    merged.set_model(model)
    merged.epoch = list(range(sum(len(each.epoch) for each in histories)))
    keys = dict.fromkeys(key for each in histories for key in each.history)
    merged.history = {
        key: [
            value
            for each in histories
            for value in each.history.get(key, [math.nan] * len(each.epoch))
        ]
        for key in keys
    }
    return merged


def _check_model(model) -> None:
    if not isinstance(model, MultiTaskModel):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a MultiTaskModel."
        )
    if not model.compiled:
        raise ValueError(
            f"Model {model.name!r} is not compiled: call model.compile(...) "
            "first."
        )


def _check_stages(model, stages) -> list[list[str]]:
    if isinstance(stages, str | Mapping) or not isinstance(stages, Sequence):
        raise TypeError(
            f"stages={stages!r}; expected a list of task names, or of lists "
            "of them, such as ['coarse', ['coarse', 'fine']]."
        )
    if not stages:
        raise ValueError("stages is empty; expected at least one stage.")
    known = [task.name for task in model.tasks]
    checked = []
    for stage in stages:
        names = [stage] if isinstance(stage, str) else stage
        if not isinstance(names, Sequence):
            raise TypeError(
                f"stages contains {stage!r} of type {type(stage).__name__}; "
                "expected a task name or a list of task names."
            )
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"stages contains {stage!r}; expected one or more different "
                "task names."
            )
        for name in names:
            if name not in known:
                raise ValueError(
                    f"stages names {name!r}, which is not a task of model "
                    f"{model.name!r}. {did_you_mean(str(name), known)}"
                )
        checked.append(list(names))
    return checked


def _check_epochs(epochs, stages: int) -> list[int]:
    counts = epochs if isinstance(epochs, Sequence) else [epochs] * stages
    if len(counts) != stages:
        raise ValueError(
            f"epochs={epochs!r} for {stages} stages; expected one number, or "
            "one per stage."
        )
    for count in counts:
        whole = isinstance(count, Integral) and not isinstance(count, bool)
        if not whole or count < 1:
            raise ValueError(
                f"epochs contains {count!r}; expected integers of 1 or more."
            )
    return list(counts)


def _check_fit_arguments(arguments: Mapping) -> None:
    if "initial_epoch" in arguments:
        raise TypeError(
            "initial_epoch is not supported: epochs are counted from 0 over "
            "all stages."
        )
    for callback in keras.tree.flatten(arguments.get("callbacks") or []):
        if isinstance(callback, _BACKUPS):
            raise TypeError(
                "callbacks contains a BackupAndRestore, which does not support "
                "stages. Call fit_in_stages once per stage, and save the model "
                "after each call."
            )


def _check_targets(model, x, y, names: list[list[str]]) -> None:
    """Checks the names of the targets if they are known."""
    if y is None and isinstance(x, tf.data.Dataset):
        _, y, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
    elif y is None:
        return
    staged = {name for stage in names for name in stage}
    if isinstance(y, Mapping):
        known = [task.name for task in model.tasks]
        y = {k: None for k in known if k not in staged} | dict(y)
    pair_with_tasks(y, model.tasks)
