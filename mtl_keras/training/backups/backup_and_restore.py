"""Backs a training up, and goes on from there after a kill."""

from __future__ import annotations

import dataclasses
import os
import secrets
from pathlib import Path

import keras

from mtl_keras.distribution.workers import from_chief, is_chief
from mtl_keras.keras_compat import global_seed
from mtl_keras.training.backups.backup_file import Content, write_backup
from mtl_keras.training.backups.callback_states import (
    assign_callbacks,
    put_arrays_in,
    read_callbacks,
    take_arrays_out,
)
from mtl_keras.training.backups.shared_backup import read_for_all
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
    """Backs a training up, so that it goes on after a kill as if undisturbed.

    The manner is that of `keras.callbacks.BackupAndRestore`: if the file is
    there when `fit` begins, the training goes on from it, and it is deleted
    when the training is complete. Beyond that:

    - It goes on at the batch of the last backup, not only at the epoch.
    - The file is replaced at once, so a kill during a write or a full disk
      leaves the backup before.
    - It holds all that the next steps depend on: weights, the optimizer's
      state, loss weights, the state of the weighting and of random layers, the
      metrics of the running epoch, and what `EarlyStopping`,
      `ReduceLROnPlateau`, `ModelCheckpoint` and `History` remember. Callbacks
      of your own take part by the methods `get_backup_state()`, which returns
      a dict of numbers, texts, lists and arrays, and
      `set_backup_state(state)`.

    On one process and one device, a training that was killed and started
    again ends with the same weights, to the bit. Arrays are shuffled in an
    order that follows from the seed and the epoch. A stream must give the same
    batches in the same order when it is made again: seed what shuffles
    (`dataset.shuffle(size, seed=0)`), and pass `shuffle=False` with a
    `keras.utils.PyDataset`. Batches that were trained on are read and passed
    over.

    Under several workers all of them pass it, the chief writes and reads the
    file, and all go on alike.

    Args:
        filepath: Path of the file, whose folder is made if need be. Each
            training needs a file of its own.
        every_steps: Number of batches after which a backup is made within an
            epoch, or `None` for none (default). One is made at the end of each
            epoch in any case.
        delete_checkpoint: Whether to delete the file when the training is
            complete. Defaults to `True`.
        seed: Seed of the order of arrays. Defaults to that of
            `keras.utils.set_random_seed`, or else to one that is drawn.

    Raises:
        BackupError: If a backup cannot be written or read.
        TypeError: If the model is no `MultiTaskModel`.
        ValueError: If the backup is of another model, or the training reads
            other data than the one that was backed up.

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
            isinstance(every_steps, bool)
            or not isinstance(every_steps, int)
            or every_steps < 1
        ):
            raise ValueError(
                f"every_steps={every_steps!r}; expected an integer from 1, or "
                "None to back up at the ends of epochs alone."
            )
        self.filepath = Path(filepath)
        self.every_steps = every_steps
        self.delete_checkpoint = delete_checkpoint
        self.seed = seed
        # Lets Keras run other callbacks beside the next step.
        self.async_safe = every_steps is None
        self._restored: Content | None = None
        self._forget()

    def _forget(self) -> None:
        self._reader: StreamReader | None = None
        self._others: list[keras.callbacks.Callback] = []
        self._epoch = self._last_step = 0
        self._has_pending = False

    @property
    def restored_from(self) -> tuple[int, int] | None:
        """Complete epochs, and batches of the next one, of what was restored.

        `None` if the last training began from the start.
        """
        if self._restored is None:
            return None
        facts = self._restored.facts
        return facts["position"]["epoch"], facts["position"]["step"]

    @property
    def stopped(self) -> bool:
        """Whether a callback had ended the training that was restored."""
        return self._restored is not None and self._restored.facts["stopped"]

    def restore(self, model: keras.Model) -> None:
        """Brings a model to where the backup was made, if there is one.

        `MultiTaskModel.fit` calls it, on every worker.

        Args:
            model: The compiled model.
        """
        self._forget()
        self._restored = None
        content = self._restored = read_for_all(self.filepath, model)
        if content is None:
            self.run_seed = self._draw_seed(model.distribute_strategy)
            return
        self.run_seed = content.facts["seed"]
        assign_state(model, content.arrays)
        self._has_pending = True

    def start(self, num_batches: int | None, steps: int) -> Position | None:
        """Where to begin to read the data, which are checked for that.

        Args:
            num_batches: Number of batches of an epoch, as far as it is known.
            steps: Steps in an execution.

        Raises:
            ValueError: If these are not what they were.
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
                    f"The backup '{self.filepath}' is of a training with "
                    f"{before} {what}, and this one has {now}. Pass the same "
                    "data and arguments, or remove the backup to train from "
                    "the start."
                )
        return position

    def join(self, reader: StreamReader, callbacks: list) -> None:
        """Takes what a training is made of.

        Args:
            reader: What reads the data.
            callbacks: All callbacks of the training.
        """
        self._reader = reader
        self._num_batches = reader.num_batches
        self._others = [each for each in callbacks if each is not self]
        self._last_step = (self.restored_from or (0, 0))[1]

    def on_train_begin(self, logs=None) -> None:
        """Checks that the model knows of backups."""
        if self._reader is None:
            raise TypeError(
                "mtl_keras.BackupAndRestore needs a MultiTaskModel, and the "
                f"model is a {type(self.model).__name__}. Use "
                "keras.callbacks.BackupAndRestore there."
            )
        # A training that is complete ends next, and `EarlyStopping` puts the
        # best weights in place.
        if self._has_pending:
            self._restore_callbacks()

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Restores what Keras resets when an epoch begins."""
        self._epoch = epoch
        self._restore_pending()

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        """Writes a backup, every so many steps."""
        step = batch + 1
        if self.every_steps is None:
            return
        if step - self._last_step < self.every_steps:
            return
        if step >= (self.params["steps"] or step + 1):
            return  # the end of the epoch comes next
        self._last_step = step
        self._write(self._epoch, step)

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Writes a backup."""
        self._last_step = 0
        self._write(epoch + 1, 0, {"epoch": epoch, "logs": logs or {}})

    def on_train_end(self, logs=None) -> None:
        """Deletes the backup of a training that is complete."""
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
        self._restored = Content(content.facts, {})

    def _restore_callbacks(self) -> None:
        content = self._restored
        states = put_arrays_in(content.facts["callbacks"], content.arrays)
        assign_callbacks(self._with_history(), states)

    def _with_history(self) -> list[keras.callbacks.Callback]:
        # Keras makes this one itself, after all others.
        history = self.model.history
        others = [each for each in self._others if each is not history]
        return [*others, history]

    def _write(self, epoch: int, step: int, ended: dict | None = None) -> None:
        strategy = self.model.distribute_strategy
        arrays = {_METRICS: read_metrics(self.model)} if step else {}
        if not is_chief(strategy):
            return
        arrays |= read_state(self.model)
        states = read_callbacks(self._with_history())
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
            "callbacks": take_arrays_out(states, arrays),
        }
        write_backup(self.filepath, facts, arrays)

    def _draw_seed(self, strategy) -> int:
        seed = self.seed
        if seed is None:
            seed = global_seed()
        if seed is None:
            seed = secrets.randbelow(2**31)
        return int(from_chief(strategy, [seed])[0])


def _add_epoch(states: dict, callbacks: list, epoch: int, logs: dict) -> None:
    """Adds the epoch that ends, which `History` is told of after all others."""
    history = callbacks[-1]
    number = sum(type(each) is type(history) for each in callbacks) - 1
    state = states[f"{type(history).__name__} {number}"]
    if state["epoch"][-1:] == [epoch]:
        return  # one that the user passed, which comes before the backup
    state["epoch"] = [*state["epoch"], epoch]
    state["history"] = {
        name: [*values, logs[name]]
        for name, values in {
            **{name: [] for name in logs},
            **state["history"],
        }.items()
        if name in logs
    }
