"""Backs up training and restores it after a kill."""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path

import keras

from mtl_keras.argument_checks import is_integer
from mtl_keras.distribution.workers import broadcast_from_chief, is_chief
from mtl_keras.keras_compat import global_seed
from mtl_keras.training.backups.backup_file import BackupContent, write_backup
from mtl_keras.training.backups.callback_states import (
    extract_arrays,
    get_callback_states,
    insert_arrays,
    set_callback_states,
)
from mtl_keras.training.backups.shared_backup import read_shared_backup
from mtl_keras.training.backups.stream_position import Position, StreamReader
from mtl_keras.training.backups.training_state import (
    assign_metrics,
    assign_state,
    describe_state,
    read_metrics,
    read_state,
)

_METRICS = "metrics"


class BackupAndRestore(keras.callbacks.Callback):
    """Backs up training, so that it resumes after a kill with equal results.

    It works like `keras.callbacks.BackupAndRestore`: if the file exists when
    `fit` starts, training resumes from it, and the file is deleted when
    training is complete. In addition:

    - Training resumes at the batch of the last backup, not only at the epoch.
    - The file is replaced atomically, so a kill during a write or a full disk
      keeps the previous backup.
    - It contains all state that the next steps depend on: weights, the
      optimizer's state, loss weights, the state of the weighting and of random
      layers, the metrics of the current epoch, and the state of
      `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint` and `History`.
      Custom callbacks take part with the methods `get_backup_state()`, which
      returns a dict of numbers, strings, lists and arrays, and
      `set_backup_state(state)`.

    On one process and one device, training that was killed and restarted ends
    with the same weights, to the bit. Arrays are shuffled in an order that
    depends on the seed and the epoch. A stream must yield the same batches in
    the same order when it is created again: set the seed of shuffling
    (`dataset.shuffle(size, seed=0)`), and pass `shuffle=False` with a
    `keras.utils.PyDataset`. Earlier batches are read and skipped.

    With several workers, all of them use the callback, the chief writes and
    reads the file, and all resume from it.

    Args:
        filepath: Path of the file, whose folder is created if necessary. Use
            a separate file for each training.
        every_steps: Number of batches between two backups within an epoch, or
            `None` for no backups within an epoch. Each epoch ends with a
            backup in any case. Defaults to `None`.
        delete_checkpoint: Whether to delete the file when training is
            complete. Defaults to `True`.
        seed: Seed of the order of arrays. Defaults to the seed of
            `keras.utils.set_random_seed`, or to a random seed.

    Raises:
        BackupError: If a backup cannot be written or read.
        TypeError: If the model is not a `MultiTaskModel`.
        ValueError: If the backup belongs to another model or to other data.

    Example:

    >>> tasks = [mtl_keras.Classification("digit", 10)]
    >>> model = mtl_keras.build_mlp(input_shape=(4,), tasks=tasks)
    >>> backup = mtl_keras.BackupAndRestore("backup.npz", every_steps=1000)
    >>> x, y = np.ones((8, 4), "float32"), {"digit": np.arange(8)}
    >>> history = model.fit(x, y, verbose=0, callbacks=[backup])
    """

    # All workers take part: they gather the metrics.
    chief_only = False

    def __init__(
        self,
        filepath: str | os.PathLike,
        every_steps: int | None = None,
        delete_checkpoint: bool = True,
        seed: int | None = None,
    ):
        super().__init__()
        if every_steps is not None and (
            not is_integer(every_steps) or every_steps < 1
        ):
            raise ValueError(
                f"every_steps={every_steps!r}; expected an integer from 1, or "
                "None to back up only at the end of each epoch."
            )
        self.filepath = Path(filepath)
        self.every_steps = every_steps
        self.delete_checkpoint = delete_checkpoint
        self.seed = seed
        # Lets Keras run other callbacks while the next step runs.
        self.async_safe = every_steps is None
        self._restored: BackupContent | None = None
        self._reset()

    def _reset(self) -> None:
        self._reader: StreamReader | None = None
        self._callbacks: list[keras.callbacks.Callback] = []
        self._epoch = self._last_step = 0
        self._has_pending = False

    @property
    def restored_from(self) -> tuple[int, int] | None:
        """The numbers of complete epochs and batches that were restored.

        `None` if the last training did not resume.
        """
        if self._restored is None:
            return None
        facts = self._restored.facts
        return facts["position"]["epoch"], facts["position"]["step"]

    @property
    def stopped(self) -> bool:
        """Returns whether a callback had stopped the restored training."""
        return self._restored is not None and self._restored.facts["stopped"]

    def restore(self, model: keras.Model) -> None:
        """Restores a model from the backup, if there is one.

        `MultiTaskModel.fit` calls this method on every worker.

        Args:
            model: The compiled model.
        """
        self._reset()
        self._restored = None
        content = self._restored = read_shared_backup(self.filepath, model)
        if content is None:
            self.run_seed = self._draw_seed(model.distribute_strategy)
            return
        self.run_seed = content.facts["seed"]
        assign_state(model, content.arrays)
        self._has_pending = True

    def get_start(self, num_batches: int | None, steps: int) -> Position | None:
        """Returns the position in the data where training resumes.

        Args:
            num_batches: Number of batches per epoch, or `None` if unknown.
            steps: Number of steps per execution.

        Returns:
            A `Position`, or `None` if training does not resume.

        Raises:
            ValueError: If an argument differs from the backup.
        """
        if self._restored is None:
            return None
        facts = self._restored.facts
        position = Position(**facts["position"])
        for what, before, now in (
            ("batches in an epoch", facts["num_batches"], num_batches),
            ("steps_per_execution", facts["steps_per_execution"], steps),
        ):
            if before != now:
                raise ValueError(
                    f"The backup '{self.filepath}' was written with {before} "
                    f"{what}, but this training has {now}. Pass the same data "
                    "and arguments, or remove the backup to train from the "
                    "start."
                )
        return position

    def attach(self, reader: StreamReader, callbacks: list) -> None:
        """Attaches the data reader and the callbacks of training.

        Args:
            reader: The reader of the data.
            callbacks: All callbacks of training.
        """
        self._reader = reader
        self._num_batches = reader.num_batches
        self._callbacks = [each for each in callbacks if each is not self]
        self._last_step = (self.restored_from or (0, 0))[1]

    def on_train_begin(self, logs=None) -> None:
        """Checks that the model supports backups."""
        if self._reader is None:
            raise TypeError(
                "mtl_keras.BackupAndRestore needs a MultiTaskModel, and the "
                f"model is a {type(self.model).__name__}. Use "
                "keras.callbacks.BackupAndRestore there."
            )
        # A complete training ends next, and `EarlyStopping` then restores the
        # best weights.
        if self._has_pending:
            self._restore_callbacks()

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Restores the state that Keras resets when an epoch begins."""
        self._epoch = epoch
        self._restore_pending()

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Writes a backup every `every_steps` batches."""
        step = batch + 1
        if self.every_steps is None:
            return
        if step - self._last_step < self.every_steps:
            return
        if step >= (self.params["steps"] or step + 1):
            return  # the end of the epoch follows
        self._last_step = step
        self._write(self._epoch, step)

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Writes a backup."""
        self._last_step = 0
        self._write(epoch + 1, 0, {"epoch": epoch, "logs": logs or {}})

    def on_train_end(self, logs=None) -> None:
        """Deletes the backup of a complete training."""
        self._restore_pending()
        if self.delete_checkpoint and is_chief(self.model.distribute_strategy):
            self.filepath.unlink(missing_ok=True)

    def _restore_pending(self) -> None:
        if not self._has_pending:
            return
        self._has_pending = False
        content = self._restored
        self._restore_callbacks()
        if _METRICS in content.arrays:
            assign_metrics(self.model, content.arrays[_METRICS])
        self._restored = BackupContent(content.facts, {})

    def _restore_callbacks(self) -> None:
        content = self._restored
        states = insert_arrays(content.facts["callbacks"], content.arrays)
        set_callback_states(self._with_history(), states)

    def _with_history(self) -> list[keras.callbacks.Callback]:
        # Keras appends this callback after all others.
        history = self.model.history
        others = [each for each in self._callbacks if each is not history]
        return [*others, history]

    def _write(self, epoch: int, step: int, ended: dict | None = None) -> None:
        strategy = self.model.distribute_strategy
        arrays = {_METRICS: read_metrics(self.model)} if step else {}
        if not is_chief(strategy):
            return
        arrays |= read_state(self.model)
        states = get_callback_states(self._with_history())
        if ended is not None:
            _add_epoch(states, self._with_history(), **ended)
        position = self._reader.position(epoch, step)
        facts = {
            "position": dataclasses.asdict(position),
            "stopped": bool(self.model.stop_training),
            "seed": self.run_seed,
            "num_batches": self._num_batches,
            "steps_per_execution": self.model.steps_per_execution,
            "model": describe_state(self.model),
            "callbacks": extract_arrays(states, arrays),
        }
        write_backup(self.filepath, facts, arrays)

    def _draw_seed(self, strategy) -> int:
        seed = self.seed
        if seed is None:
            seed = global_seed()
        if seed is None:
            seed = secrets.randbelow(2**31)
        return int(broadcast_from_chief(strategy, [seed])[0])


def _add_epoch(states: dict, callbacks: list, epoch: int, logs: dict) -> None:
    """Adds the current epoch, which `History` receives after all others."""
    history = callbacks[-1]
    number = sum(type(each) is type(history) for each in callbacks) - 1
    state = states[f"{type(history).__name__} {number}"]
    if state["epoch"][-1:] == [epoch]:
        return  # a History of the user, which runs before the backup
    state["epoch"] = [*state["epoch"], epoch]
    state["history"] = {
        name: [*values, logs[name]]
        for name, values in {
            **{name: [] for name in logs},
            **state["history"],
        }.items()
        if name in logs
    }
