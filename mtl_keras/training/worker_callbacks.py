"""Callbacks of training on several hosts."""

from __future__ import annotations

import keras

from mtl_keras.distribution.workers import from_chief, synchronize

_WRITERS = (
    keras.callbacks.BackupAndRestore,
    keras.callbacks.CSVLogger,
    keras.callbacks.ModelCheckpoint,
    keras.callbacks.RemoteMonitor,
    keras.callbacks.TensorBoard,
)


def select_worker_callbacks(callbacks, *, chief: bool, training: bool):
    """Selects the callbacks that run on this worker.

    Only the chief runs callbacks of Keras that write files, and callbacks with
    a true attribute `chief_only`. They must not wait for other workers.

    Args:
        callbacks: The argument of `fit`: callbacks, a `CallbackList` or
            `None`.
        chief: Whether this worker is the chief.
        training: Whether to add the callback that synchronizes the workers.

    Returns:
        The callbacks of this worker.
    """
    given = callbacks
    if isinstance(callbacks, keras.callbacks.CallbackList):
        given = callbacks.callbacks
    selected = [
        callback
        for callback in keras.tree.flatten(given or [])
        if chief or not is_chief_only(callback)
    ]
    if training:
        # After `BackupAndRestore` has restored the chief.
        selected.append(SynchronizeOnStart())
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return selected
    if training:
        selected[-1].set_model(callbacks.model)
    callbacks.callbacks[:] = selected
    return callbacks


def is_chief_only(callback: keras.callbacks.Callback) -> bool:
    """Returns whether a callback runs only on the chief.

    Args:
        callback: The callback.
    """
    return getattr(callback, "chief_only", isinstance(callback, _WRITERS))


class SynchronizeOnStart(keras.callbacks.Callback):
    """Copies weights and epoch of the chief to all workers on start."""

    def on_train_begin(self, logs=None) -> None:
        """Copies all saved state: weights, optimizer, weighting and epoch."""
        model = self.model
        strategy = model.distribute_strategy
        model.build_optimizer()
        weighting = model.weighting
        synchronize(
            strategy,
            [
                *model.weights,
                *model.optimizer.variables,
                *model.loss_weights.variables_by_task.values(),
                *(() if weighting is None else weighting.variables),
            ],
        )
        (epoch,) = from_chief(strategy, [model.start_epoch])
        model.start_epoch = int(epoch)
