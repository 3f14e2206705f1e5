"""The position of training in its data, and reading from a position."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mtl_keras.keras_compat import EpochIterator


@dataclasses.dataclass(frozen=True)
class Position:
    """A position in the data of training.

    Args:
        epoch: Number of complete epochs.
        step: Number of complete batches of the next epoch.
        iterators: Number of iterators that Keras created over the data. A
            shuffled dataset has another order in each.
        batches: Number of batches that were read from the last iterator.
        num_batches: Number of batches per epoch, or `None` if unknown.
        read: Numbers, from 1, of the iterators that a batch was read from.
    """

    epoch: int = 0
    step: int = 0
    iterators: int = 0
    batches: int = 0
    num_batches: int | None = None
    read: tuple[int, ...] = ()


class StreamReader:
    """Counts the batches that Keras reads, and can start at a position.

    It replaces two methods of Keras's iterator over epochs, which `fit`
    creates. `tests/training/backups/test_stream_position.py` fails where Keras
    changes them.

    Args:
        epochs: Keras's iterator over epochs.
        start: Position to start at, or `None` for the start.
    """

    def __init__(self, epochs: EpochIterator, start: Position | None = None):
        self._epochs = epochs
        self._start = start
        self._stream = epochs._get_iterator
        self._enumerate = epochs._enumerate_iterator
        self._iterators = self._batches = 0
        self._read: list[int] = []
        epochs._get_iterator = lambda: self
        epochs._enumerate_iterator = self._enumerate_epoch

    @property
    def num_batches(self) -> int | None:
        """The number of batches per epoch, or `None` if unknown."""
        return self._epochs.num_batches

    def position(self, epoch: int, step: int) -> Position:
        """Returns the current position.

        Args:
            epoch: Number of complete epochs.
            step: Number of complete batches of the next epoch.
        """
        return Position(
            epoch,
            step,
            self._iterators,
            self._batches,
            self._epochs._num_batches,
            tuple(self._read),
        )

    def __iter__(self) -> Iterator:
        """Restarts the data; Keras calls this at the end of a pass."""
        self._iterators += 1
        self._batches = 0
        return iter(self._stream())

    def _enumerate_epoch(self) -> Iterator[tuple]:
        """Enumerates an epoch like Keras, from the first incomplete step."""
        skipped = self._skip_to_start()
        count = self._epochs.steps_per_execution
        for begin, end, iterator in self._enumerate():
            if self._iterators not in self._read[-1:]:
                self._read.append(self._iterators)
            self._batches += count
            if begin >= skipped:
                yield begin, end, iterator
                continue
            for _ in range(count):
                next(iterator)

    def _skip_to_start(self) -> int:
        """Reads up to the first epoch and returns the steps to skip in it."""
        start, self._start = self._start, None
        if start is None:
            return 0
        epochs = self._epochs
        if start.num_batches is not None:  # Keras may learn it in an epoch
            epochs._num_batches = start.num_batches
        for _ in range(start.epoch):
            epochs.data_adapter.on_epoch_end()  # PyDatasets may shuffle there
        continues = epochs.steps_per_epoch is not None
        # A started epoch, and an epoch that continues the previous one, read
        # an iterator that was created before.
        reused = bool(start.iterators) and (continues or start.step > 0)
        for _ in range(start.iterators - reused):
            iterator = iter(self)
            # Some streams count an epoch at its first batch, and Keras creates
            # iterators that it never reads.
            if self._iterators in start.read:
                self._read.append(self._iterators)
                next(iterator, None)
        if reused and continues:
            iterator = epochs._current_iterator = iter(self)
            self._batches = start.batches - start.step
            for _ in range(self._batches):
                next(iterator)
            epochs._steps_seen = self._batches
        return start.step
