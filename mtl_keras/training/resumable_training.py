"""Training that goes on where a backup was made."""

from __future__ import annotations

import dataclasses

import keras
import tensorflow as tf
from keras.src.trainers.data_adapters import array_slicing

from mtl_keras.distribution import lost_workers_named
from mtl_keras.training.backups.backup_and_restore import BackupAndRestore
from mtl_keras.training.backups.ordered_batches import OrderedBatches
from mtl_keras.training.backups.stream_position import Position, StreamReader
from mtl_keras.training.data.streams import is_stream


class ResumableTraining:
    """Mixin that trains with a `BackupAndRestore` among the callbacks.

    The class that takes it in calls `restore_backup` before `fit`.
    """

    def start_resumable_training(self) -> None:
        """Sets what is there before the first training."""
        self._keep_untracked("_backup", None)
        self._keep_untracked("_before_build", None)
        self._keep_untracked("_begins_within_epoch", False)

    def restore_backup(self, callbacks) -> None:
        """Restores what a training goes on from, if there is a backup.

        Args:
            callbacks: What the user passed to `fit`.

        Raises:
            ValueError: If there are several such callbacks.
        """
        found = [
            callback
            for callback in _flat(callbacks)
            if isinstance(callback, BackupAndRestore)
        ]
        if len(found) > 1:
            raise ValueError(
                f"There are {len(found)} BackupAndRestore callbacks; pass one."
            )
        self._backup = found[0] if found else None
        if found:
            with lost_workers_named(self.distribute_strategy):
                found[0].restore(self)

    def fit(self, **arguments):
        """Trains as Keras does, and goes on from a backup if there is one."""
        backup, self._backup = self._backup, None
        with lost_workers_named(self.distribute_strategy):
            if backup is None:
                return super().fit(**arguments)
            return self._fit_with_backup(backup, arguments)

    def evaluate(self, **arguments):
        """Evaluates as Keras does, and names a worker that is lost."""
        with lost_workers_named(self.distribute_strategy):
            return super().evaluate(**arguments)

    def _fit_with_backup(self, backup: BackupAndRestore, arguments: dict):
        arguments["callbacks"] = _put_last(backup, arguments["callbacks"])
        epoch = arguments["initial_epoch"]
        if backup.restored_from:
            epoch = backup.restored_from[0]
        arguments["initial_epoch"] = (
            max(epoch, arguments["epochs"]) if backup.stopped else epoch
        )
        ordered = not is_stream(arguments["x"])
        if ordered:
            arguments = self._in_order(arguments, backup)
        elif arguments["shuffle"]:
            raise ValueError(
                "A PyDataset is shuffled by Keras in an order that cannot be "
                "had again after a kill. Pass shuffle=False, and shuffle in "
                "its on_epoch_end by a seed of your own."
            )

        def before_build(iterator):
            self._go_on(backup, iterator, ordered, arguments["callbacks"])

        self._before_build = before_build
        try:
            return super().fit(**arguments)
        finally:
            self._before_build = None
            self._begins_within_epoch = False

    def _get_metrics_result_or_logs(self, logs):
        if self._begins_within_epoch and not logs:
            # All batches of the epoch were trained on before.
            logs = self.get_metrics_result()
        return super()._get_metrics_result_or_logs(logs)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        super()._maybe_symbolic_build(iterator, data_batch)
        # The first one is what `fit` reads, the next what it evaluates.
        before_build, self._before_build = self._before_build, None
        if before_build is not None:
            before_build(iterator)

    def _go_on(self, backup, iterator, ordered: bool, callbacks) -> None:
        """Has `fit` read its data from where the backup was made."""
        position = backup.start(iterator.num_batches, self.steps_per_execution)
        if position is not None and position.step:
            # Its metrics are needed before the first step makes them.
            self.build_for(iterator)
            self._begins_within_epoch = True
            # What a training step sets, and metrics depend on.
            self.in_training = True
            complete = self.complete_labels["train"]
            self._compile_loss.by_label = not complete
        if position is not None and ordered:
            position = _of_pass(position)
        reader = StreamReader(iterator, position)
        backup.join(reader, _flat(callbacks))

    def _in_order(self, arguments: dict, backup: BackupAndRestore) -> dict:
        """Replaces arrays by a stream in an order that can be had again."""
        changed = dict(arguments)
        data = [changed.pop(name) for name in ("x", "y", "sample_weight")]
        split = changed.pop("validation_split")
        if split and changed["validation_data"] is None:
            data, changed["validation_data"] = (
                array_slicing.train_validation_split(data, split)
            )
        shuffle = changed.pop("shuffle")
        if shuffle == "batch":
            raise ValueError(
                "shuffle='batch' has an order that cannot be had again after a "
                "kill. Pass shuffle=True or False."
            )
        size, steps = changed.pop("batch_size"), changed["steps_per_epoch"]
        rows = keras.tree.flatten(data)[0].shape[0]
        size = size or (-(-rows // steps) if steps else 32)
        x, y, sample_weight = data
        if sample_weight is not None and not keras.tree.is_nested(
            sample_weight
        ):  # for each task, as in Keras
            sample_weight = keras.tree.map_structure(lambda _: sample_weight, y)
        data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        batches = OrderedBatches(
            data, batch_size=size, shuffle=bool(shuffle), seed=backup.run_seed
        )
        epoch = changed["initial_epoch"]
        if steps:
            changed["x"] = batches.endless(epoch * steps)
        else:
            with tf.device("CPU:0"):
                number = tf.Variable(epoch, trainable=False, dtype=tf.int64)
            changed["x"] = batches.one_pass(number)
            changed["callbacks"] = _put_last(
                _CountPasses(number), changed["callbacks"]
            )
        changed["validation_batch_size"] = (
            changed["validation_batch_size"] or size
        )
        return {**changed, "shuffle": False}


class _CountPasses(keras.callbacks.Callback):
    """Tells a stream of arrays which epoch it is read in."""

    def __init__(self, number: tf.Variable):
        super().__init__()
        self._number = number

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        self._number.assign(epoch)


def _of_pass(position: Position) -> Position:
    """Where to begin to read arrays, which are read from the epoch on."""
    begun = position.step > 0
    return dataclasses.replace(
        position, epoch=0, iterators=int(begun), batches=position.step
    )


def _flat(callbacks) -> list[keras.callbacks.Callback]:
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return keras.tree.flatten(callbacks or [])


def _put_last(callback: keras.callbacks.Callback, callbacks):
    """Has a callback called after all others."""
    ordered = [each for each in _flat(callbacks) if each is not callback]
    ordered.append(callback)
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        return ordered
    if callback.model is None:
        callback.set_model(callbacks.model)
    callbacks.callbacks[:] = ordered
    return callbacks
