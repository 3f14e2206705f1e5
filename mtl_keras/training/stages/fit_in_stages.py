"""Training in stages: first some tasks, then others on what they learned."""

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
    """Trains a model in stages, such as a hierarchy from its low tasks up.

    A stage trains the variables that its tasks reach, and no others: what only
    other tasks reach, or what is read past a stop of the gradient, stays as it
    is to the bit, the statistics of normalization included. With `frozen`, so
    does what an earlier stage trained.

    Losses, metrics, loss weights and weighting are the model's, each stage
    with a fresh optimizer of the same settings and a weighting that begins
    anew (left out where it has nothing to weigh: of one task, or of tasks
    whose shared parameters are frozen). The model's own optimizer, loss
    weights and trainable flags are afterwards what they were, also after an
    error.

    Args:
        model: A compiled `MultiTaskModel`.
        x: As in `MultiTaskModel.fit`: arrays, a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or an iterator.
        y: Dict from task name to targets. Tasks in no stage may be left out.
        stages: What each stage trains: the name of a task, or a list of names.
        epochs: Epochs of each stage, one number for all or one for each.
            Defaults to `1`.
        frozen: Whether a stage leaves what earlier ones trained as it is.
            Defaults to `False`.
        sample_weight: As in `MultiTaskModel.fit`.
        **fit_arguments: Further arguments of `MultiTaskModel.fit`, for each
            stage. Callbacks see the model of the stage, which has its tasks
            alone, and epochs that are counted on.

    Returns:
        A `keras.callbacks.History` of all stages, one after the other. What a
        stage does not log is NaN in its epochs; `loss` is that of its tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If a stage is empty, names an unknown task, or has nothing
            to train; if there are other numbers of epochs than of stages.

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
    names = _checked_stages(model, stages)
    counts = _checked_epochs(epochs, len(names))
    _check_fit_arguments(fit_arguments)
    _check_targets(model, x, y, names)
    # All of them before the first trains, so that errors come at once.
    planned = _planned(model, names, frozen)
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
    return _in_one(model, histories)


def _planned(model, names: list[list[str]], frozen: bool) -> list[Stage]:
    planned, before = [], TrainedPart(model, [], [])
    for tasks in names:
        stage = Stage(model, tasks, before if frozen else None)
        before.layers.extend(stage.trained.layers)
        before.variables.extend(stage.trained.variables)
        planned.append(stage)
    return planned


def _in_one(model, histories: Sequence) -> keras.callbacks.History:
    whole = keras.callbacks.History()
    whole.set_model(model)
    whole.epoch = list(range(sum(len(each.epoch) for each in histories)))
    keys = dict.fromkeys(key for each in histories for key in each.history)
    whole.history = {
        key: [
            value
            for each in histories
            for value in each.history.get(key, [math.nan] * len(each.epoch))
        ]
        for key in keys
    }
    return whole


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


def _checked_stages(model, stages) -> list[list[str]]:
    if isinstance(stages, str | Mapping) or not isinstance(stages, Sequence):
        raise TypeError(
            f"stages={stages!r}; expected a list of task names, or of lists "
            "of them, such as ['coarse', ['coarse', 'fine']]."
        )
    if not stages:
        raise ValueError("stages is empty; expected one stage at least.")
    known = [task.name for task in model.tasks]
    checked = []
    for stage in stages:
        names = [stage] if isinstance(stage, str) else stage
        if not isinstance(names, Sequence):
            raise TypeError(
                f"stages holds {stage!r} of type {type(stage).__name__}; "
                "expected the name of a task, or a list of names."
            )
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"stages holds {stage!r}; expected one name or several "
                "different ones."
            )
        for name in names:
            if name not in known:
                raise ValueError(
                    f"stages names {name!r}, which is no task of model "
                    f"{model.name!r}. {did_you_mean(str(name), known)}"
                )
        checked.append(list(names))
    return checked


def _checked_epochs(epochs, stages: int) -> list[int]:
    counts = epochs if isinstance(epochs, Sequence) else [epochs] * stages
    if len(counts) != stages:
        raise ValueError(
            f"epochs={epochs!r} for {stages} stages; expected one number, or "
            "one for each stage."
        )
    for count in counts:
        whole = isinstance(count, Integral) and not isinstance(count, bool)
        if not whole or count < 1:
            raise ValueError(
                f"epochs holds {count!r}; expected integers of 1 or more."
            )
    return list(counts)


def _check_fit_arguments(arguments: Mapping) -> None:
    if "initial_epoch" in arguments:
        raise TypeError(
            "initial_epoch is not taken: epochs are counted from 0, on from "
            "one stage to the next."
        )
    for callback in keras.tree.flatten(arguments.get("callbacks") or []):
        if isinstance(callback, _BACKUPS):
            raise TypeError(
                "callbacks holds a BackupAndRestore, which cannot tell stages "
                "apart. Save the model after each stage: call fit_in_stages "
                "for one after the other."
            )


def _check_targets(model, x, y, names: list[list[str]]) -> None:
    """Checks the names of the targets, where they can be known."""
    if y is None and isinstance(x, tf.data.Dataset):
        _, y, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
    elif y is None:
        return
    staged = {name for stage in names for name in stage}
    if isinstance(y, Mapping):
        known = [task.name for task in model.tasks]
        y = {k: None for k in known if k not in staged} | dict(y)
    pair_with_tasks(y, model.tasks)
