"""Finds mistakes that would fail every trial, before the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.spelling import did_you_mean
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.preparation import prepare
from mtl_keras.tuning.dimensions import Fixed
from mtl_keras.tuning.first_batch import read_first_batch
from mtl_keras.tuning.folds import Part, unpack
from mtl_keras.tuning.make_hyper_model import HyperModel
from mtl_keras.tuning.objective import CONSTANTS, DELTA_M, TOTAL_LOSS
from mtl_keras.tuning.trial_arguments import make_optimizer

# Arguments that determine which data a model accepts.
_DATA_ARGUMENTS = {"input_shape", "num_classes", "preprocessing", "tasks"}
# Samples of a first batch.
_FEW = 8


def check_streams(train, validation) -> None:
    """Checks that each trial can read the data to its end.

    Args:
        train: Training data.
        validation: Validation data, or `None`.

    Raises:
        TypeError: If the data can be read only once.
        ValueError: If a data set has no end.
    """
    for name, data in (("training", train), ("validation", validation)):
        if hasattr(data, "__next__"):
            raise TypeError(
                f"The {name} data is a {type(data).__name__}, which can be "
                "read only once, but each trial reads it. Pass arrays, a "
                "keras.utils.PyDataset, or a data set such as "
                "tf.data.Dataset.from_generator(function, ...)."
            )
        if (
            isinstance(data, tf.data.Dataset)
            and data.cardinality() == tf.data.INFINITE_CARDINALITY
        ):
            raise ValueError(
                f"The {name} data set repeats without end, so no epoch would "
                "end. Leave repeat() out, or add take(number_of_batches)."
            )


def check_optimizer(hyper_model: HyperModel) -> None:
    """Checks that the space does not vary the rate of a schedule.

    Args:
        hyper_model: The hypermodel.

    Raises:
        ValueError: If the space has a `learning_rate`, and the optimizer of
            all trials has a schedule.
    """
    optimizer = hyper_model.default_arguments.optimizer
    given = hyper_model.space.get("optimizer")
    if optimizer is None or not isinstance(given, Fixed):
        return
    if "learning_rate" in hyper_model.space:
        make_optimizer(optimizer, 1.0)


def check_parts(hyper_model: HyperModel, parts: Sequence[Part]) -> None:
    """Checks the data against the default model.

    A `HyperModel` with a custom `fit`, which may convert the data, and a space
    that varies the inputs or tasks are not checked.

    Args:
        hyper_model: The hypermodel.
        parts: The data: a part for each fold.

    Raises:
        TypeError: If a container or dtype is of the wrong kind.
        ValueError: If names, shapes or values do not match the model.
    """
    space = hyper_model.space
    varied = {n for n in space if not isinstance(space[n], Fixed)}
    if hyper_model.has_custom_fit or varied & _DATA_ARGUMENTS:
        return
    model = hyper_model.default_model
    if not isinstance(model, MultiTaskModel):
        # Their validation data was evaluated to find the objectives.
        _evaluate_first_batch(model, parts[0].train, "the training data")
        return
    for at, part in enumerate(parts):
        fold = f" of fold {at}" if len(parts) > 1 else ""
        for name in ("train", "validation"):
            where = f"the {name.replace('train', 'training')} data{fold}"
            _check(model, getattr(part, name), where)


def check_monitors(
    hyper_model: HyperModel,
    callbacks: Sequence[keras.callbacks.Callback],
    logs: Mapping,
) -> None:
    """Checks that the logs have the values that callbacks monitor.

    Custom callbacks and models may log other values, so monitors are not
    checked with them.

    Args:
        hyper_model: The hypermodel.
        callbacks: The callbacks.
        logs: The result of `known_objectives`.

    Raises:
        ValueError: If there is no such value, or Keras cannot infer whether
            higher is better.
    """
    if (
        hyper_model.has_custom_fit
        or not _is_ours(hyper_model.default_model)
        or not all(map(_is_ours, callbacks))
    ):
        return
    metrics = set(logs) - {DELTA_M, *CONSTANTS}
    known = metrics | {f"val_{name}" for name in metrics} | {"learning_rate"}
    known |= {f"weight/{task}" for task in hyper_model.tasks}  # by schedules
    for callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor not in known:
            raise ValueError(
                f"callbacks: {type(callback).__name__} monitors {monitor!r}, "
                f"which no epoch logs. {did_you_mean(monitor, known)}"
            )
        _check_mode(hyper_model.default_model, callback, logs)


def _check_mode(model: keras.Model, callback, logs: Mapping) -> None:
    """Checks `mode`, which Keras infers only for the total loss."""
    if not isinstance(model, MultiTaskModel) or not isinstance(
        callback,
        keras.callbacks.EarlyStopping | keras.callbacks.ReduceLROnPlateau,
    ):
        return
    name = callback.monitor.removeprefix("val_")
    if callback.mode == "auto" and name != TOTAL_LOSS:
        direction = logs.get(name)
        modes = "'min' or 'max'" if direction is None else repr(direction)
        raise ValueError(
            f"callbacks: {type(callback).__name__} monitors "
            f"{callback.monitor!r} with mode='auto', which Keras supports only "
            f"for the loss. Pass mode={modes}."
        )


def _check(model: keras.Model, data, where: str) -> None:
    x, y, weights = unpack(data)
    try:
        prepared = prepare(model, x, y, weights)
        if y is None:
            batch = read_first_batch(prepared.x)
            if batch is None:
                raise ValueError("found no batches; expected one or more.")
            check_data(model, *keras.utils.unpack_x_y_sample_weight(batch))
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"In {where}: {error}") from None


def _evaluate_first_batch(model: keras.Model, data, where: str) -> None:
    """Evaluates a plain Keras model, which checks data only in a step."""
    found = unpack(data)
    if found[1] is None:
        batch = read_first_batch(found[0])
        found = keras.utils.unpack_x_y_sample_weight(batch)
    else:
        found = keras.tree.map_structure(
            lambda array: None if array is None else array[:_FEW], found
        )
    x, y, weights = found
    try:
        model.evaluate(x, y, sample_weight=weights, verbose=0)
    except Exception as error:
        raise ValueError(
            f"In {where}: the default model cannot be evaluated on the first "
            f"batch: {type(error).__name__}: {error}"
        ) from error


def _is_ours(thing) -> bool:
    """Checks for a class of Keras or of this library."""
    return type(thing).__module__.split(".")[0] in ("keras", "mtl_keras")
