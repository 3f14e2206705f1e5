"""Callbacks of a training on several hosts."""

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


def callbacks_of_worker(callbacks, *, chief: bool, training: bool):
    """Leaves out the callbacks that are the chief's.

    These are Keras's own that write files, and others that have an attribute
    `chief_only` that is true. They must not wait for other workers.

    Args:
        callbacks: What the user passed: callbacks, a `CallbackList` or `None`.
        chief: Whether this worker is the chief.
        training: Whether to add what makes all workers start alike.

    Returns:
        The callbacks of this worker.
    """
    given = callbacks
    if isinstance(callbacks, keras.callbacks.CallbackList):
        given = callbacks.callbacks
    own = [
        callback
        for callback in keras.tree.flatten(given or [])
        if chief or not is_chief_only(callback)
    ]
    if training:
        # After `BackupAndRestore` has loaded on the chief what it wrote there.
        own.append(StartAlike())
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return own
    if training:
        own[-1].set_model(callbacks.model)
    callbacks.callbacks[:] = own
    return callbacks


def is_chief_only(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback belongs on the chief alone.

    Args:
        callback: The callback.
    """
    return getattr(callback, "chief_only", isinstance(callback, _WRITERS))


class StartAlike(keras.callbacks.Callback):
    """Gives all workers the chief's weights and epoch as a training starts."""

    def on_train_begin(self, logs=None) -> None:
        """Sends weights, the optimizer's state and what else is saved."""
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
