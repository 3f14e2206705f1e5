"""Resumes training from the backup of a `BackupAndRestore`."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf

from mtl_keras.keras_compat import train_validation_split
from mtl_keras.training.backups.backup_and_restore import BackupAndRestore
from mtl_keras.training.backups.indexed_samples import (
    IndexedSamples,
    find_indexed,
)
from mtl_keras.training.backups.ordered_batches import OrderedBatches
from mtl_keras.training.backups.stream_position import Position, StreamReader
from mtl_keras.training.data.streams import is_stream


def find_backup(callbacks) -> BackupAndRestore | None:
    """Returns the `BackupAndRestore` among callbacks, or `None`.

    Args:
        callbacks: The argument of `fit`.

    Raises:
        ValueError: If there are several.
    """
    found = [
        callback
        for callback in flatten_callbacks(callbacks)
        if isinstance(callback, BackupAndRestore)
    ]
    if len(found) > 1:
        raise ValueError(
            f"There are {len(found)} BackupAndRestore callbacks; pass only one."
        )
    return found[0] if found else None


class Resumption:
    """Adapts the arguments of `fit` so that training resumes from a backup.

    Args:
        backup: The callback, after it restored the model.
        arguments: Arguments of `keras.Model.fit`.
        steps_per_execution: The setting of the model.

    Raises:
        ValueError: If the order of the data cannot be reproduced.
    """

    def __init__(
        self,
        backup: BackupAndRestore,
        arguments: dict,
        steps_per_execution: int,
    ):
        self._backup = backup
        self._steps_per_execution = steps_per_execution
        self._started = False
        # Whether training resumes within an epoch, which may have no step left.
        self.within_epoch = False
        changed = dict(arguments)
        changed["callbacks"] = _move_to_end(backup, changed["callbacks"])
        epoch = changed["initial_epoch"]
        if backup.restored_from:
            epoch = backup.restored_from[0]
        changed["initial_epoch"] = (
            max(epoch, changed["epochs"]) if backup.stopped else epoch
        )
        indexed = find_indexed(changed["x"])
        self._ordered = indexed is not None or not is_stream(changed["x"])
        if indexed is not None:
            changed = self._order_samples(
                changed, indexed.samples, indexed.batch_size, indexed.shuffle
            )
        elif self._ordered:
            changed = self._order_arrays(changed)
        elif changed["shuffle"]:
            raise ValueError(
                "Keras shuffles a PyDataset in an order that cannot be "
                "reproduced when training resumes. Pass shuffle=False, and "
                "shuffle in its on_epoch_end with a fixed seed."
            )
        self.arguments = changed

    def begin(self, iterator, build) -> None:
        """Makes `fit` read its data from the position of the backup.

        Args:
            iterator: Keras's iterator over epochs.
            build: Function of the iterator that creates the variables of
                metrics and optimizer.
        """
        if self._started:
            return
        self._started = True
        position = self._backup.get_start(
            iterator.num_batches, self._steps_per_execution
        )
        if position is not None and position.step:
            # The metrics are restored before the first step creates them.
            build(iterator)
            self.within_epoch = True
        if position is not None and self._ordered:
            position = _to_pass_position(position)
        reader = StreamReader(iterator, position)
        self._backup.attach(
            reader, flatten_callbacks(self.arguments["callbacks"])
        )

    def _order_arrays(self, arguments: dict) -> dict:
        """Replaces arrays with a stream in a reproducible order."""
        changed = dict(arguments)
        data = [changed.pop(name) for name in ("x", "y", "sample_weight")]
        split = changed.pop("validation_split")
        if split and changed["validation_data"] is None:
            data, changed["validation_data"] = train_validation_split(
                data, split
            )
        shuffle = changed.pop("shuffle")
        if shuffle == "batch":
            raise ValueError(
                "shuffle='batch' has an order that cannot be reproduced when "
                "training resumes. Pass shuffle=True or False."
            )
        size, steps = changed.pop("batch_size"), changed["steps_per_epoch"]
        rows = keras.tree.flatten(data)[0].shape[0]
        size = size or (-(-rows // steps) if steps else 32)
        x, y, sample_weight = data
        if sample_weight is not None and not keras.tree.is_nested(
            sample_weight
        ):  # the same for each task, as in Keras
            sample_weight = keras.tree.map_structure(lambda _: sample_weight, y)
        data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        changed["validation_batch_size"] = (
            changed["validation_batch_size"] or size
        )
        samples = IndexedSamples.from_arrays(data)
        return self._order_samples(changed, samples, size, bool(shuffle))

    def _order_samples(
        self,
        arguments: dict,
        samples: IndexedSamples,
        batch_size: int,
        shuffle: bool,
    ) -> dict:
        """Replaces samples with a stream in a reproducible order."""
        changed = {**arguments, "shuffle": False}
        batches = OrderedBatches(
            samples,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=self._backup.run_seed,
        )
        epoch, steps = changed["initial_epoch"], changed["steps_per_epoch"]
        if steps:
            changed["x"] = batches.infinite(epoch * steps)
            return changed
        with tf.device("CPU:0"):
            number = tf.Variable(epoch, trainable=False, dtype=tf.int64)
        changed["x"] = batches.one_pass(number)
        changed["callbacks"] = _move_to_end(
            _SetPassNumber(number), changed["callbacks"]
        )
        return changed


class _SetPassNumber(keras.callbacks.Callback):
    """Sets the number of the pass, which is the epoch."""

    def __init__(self, number: tf.Variable):
        super().__init__()
        self._number = number

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        self._number.assign(epoch)


def _to_pass_position(position: Position) -> Position:
    """Converts a position in all epochs to one in the current pass."""
    started = position.step > 0
    return dataclasses.replace(
        position, epoch=0, iterators=int(started), batches=position.step
    )


def flatten_callbacks(callbacks) -> list[keras.callbacks.Callback]:
    """Returns the callbacks of `fit` as a flat list.

    Args:
        callbacks: A callback, a list, a `CallbackList` or `None`.
    """
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return keras.tree.flatten(callbacks or [])


def _move_to_end(callback: keras.callbacks.Callback, callbacks):
    """Moves a callback to the end of all callbacks."""
    ordered = [
        each for each in flatten_callbacks(callbacks) if each is not callback
    ]
    ordered.append(callback)
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return ordered
    if callback.model is None:
        callback.set_model(callbacks.model)
    callbacks.callbacks[:] = ordered
    return callbacks
