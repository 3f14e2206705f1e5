"""The callbacks that `fit` adds to those of the user."""

from __future__ import annotations

import keras

from mtl_keras.training.backups.resumption import flatten_callbacks
from mtl_keras.training.gradients.non_finite_gradients import (
    StopOnNonFiniteGradient,
)
from mtl_keras.training.gradients.weighting_callback import WeightingCallback
from mtl_keras.training.losses.non_finite_loss import StopOnNonFiniteLoss


def set_monitor_modes(callbacks, model) -> None:
    """Sets the mode of callbacks that monitor a task metric.

    `EarlyStopping`, `ModelCheckpoint` and `ReduceLROnPlateau` infer the
    direction of few metrics; the tasks define it for all of theirs.

    Args:
        callbacks: The argument of `fit`.
        model: A compiled `MultiTaskModel`.
    """
    directions = model.compiled_parts.logs.directions()
    for callback in flatten_callbacks(callbacks):
        monitored = getattr(callback, "monitor", None)
        if getattr(callback, "mode", None) == "auto" and monitored:
            name = str(monitored)
            validation_mode = directions.get(name.removeprefix("val_"), "auto")
            callback.mode = directions.get(name) or validation_mode


def add_internal_callbacks(callbacks, model):
    """Adds the internal callbacks to the callbacks of the user.

    The weighting receives the end of an epoch first, so that checkpoints
    contain its updated state.

    Args:
        callbacks: The argument of `fit`.
        model: The model that is trained.

    Returns:
        A list, or the given `CallbackList`.
    """
    set_monitor_modes(callbacks, model)
    last = []
    if model.compiled_parts.checks_finite_updates:
        last.append(StopOnNonFiniteGradient())
    # First, so that no checkpoint of a non-finite loss is written.
    first = [StopOnNonFiniteLoss()]
    if model.weighting is not None:
        first.append(WeightingCallback())
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return [*first, *keras.tree.flatten(callbacks or []), *last]
    for callback in (*first, *last):
        callback.set_model(callbacks.model)
    callbacks.callbacks[:0] = first
    callbacks.callbacks.extend(last)
    return callbacks
