"""The callbacks that every training of a multi-task model needs."""

from __future__ import annotations

import keras

from mtl_keras.training.backups.resumption import flat_callbacks
from mtl_keras.training.gradients.non_finite_gradients import WatchGradients
from mtl_keras.training.gradients.weighting_epochs import WeightingEpochs
from mtl_keras.training.losses.non_finite_loss import StopOnNonFiniteLoss


def set_directions(callbacks, model) -> None:
    """Sets the mode of callbacks that monitor a metric of a task.

    `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` know the better
    direction of few names; the task knows it of its own.

    Args:
        callbacks: The argument of `fit`.
        model: A compiled `MultiTaskModel`.
    """
    directions = model.compiled_parts.logs.directions()
    for callback in flat_callbacks(callbacks):
        monitored = getattr(callback, "monitor", None)
        if getattr(callback, "mode", None) == "auto" and monitored:
            name = str(monitored)
            of_training = directions.get(name)
            of_validation = directions.get(name.removeprefix("val_"), "auto")
            callback.mode = of_training or of_validation


def with_own(callbacks, model):
    """Adds our callbacks to those that a user gave to `fit`.

    A weighting sees the end of an epoch first, so that checkpoints hold what
    it makes of it.

    Args:
        callbacks: The argument of `fit`.
        model: The model that is trained.

    Returns:
        A list, or the `CallbackList` that was given.
    """
    set_directions(callbacks, model)
    last = []
    if model.compiled_parts.guards_steps:
        last.append(WatchGradients())
    # Before a checkpoint is written of it.
    first = [StopOnNonFiniteLoss()]
    if model.weighting is not None:
        first.append(WeightingEpochs())
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return [*first, *keras.tree.flatten(callbacks or []), *last]
    for callback in (*first, *last):
        callback.set_model(callbacks.model)
    callbacks.callbacks[:0] = first
    callbacks.callbacks.extend(last)
    return callbacks
