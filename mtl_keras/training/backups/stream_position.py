"""How far a training has read its data, and how it goes on from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from mtl_keras.keras_compat import EpochIterator


@dataclasses.dataclass(frozen=True)
class Position:
    """A place in the data of a training.

    Args:
        epoch: Number of complete epochs.
        step: Number of batches of the next epoch that were trained on.
        iterators: How many iterators Keras has made over the data. A shuffled
            dataset has another order in each.
        batches: How many batches were drawn from the last one.
        num_batches: Number of batches of an epoch, as far as it is known.
        read: Numbers, from 1, of the iterators that a batch was drawn from.
    """

    epoch: int = 0
    step: int = 0
    iterators: int = 0
    batches: int = 0
    num_batches: int | None = None
    read: tuple[int, ...] = ()


class StreamReader:
    """Counts what Keras's iterator over epochs reads, and may begin later.

    It replaces two methods of the object, which `fit` makes for itself.
    `tests/training/backups/test_stream_position.py` says when Keras has
    changed.

    Args:
        epochs: What Keras's `fit` goes through.
        start: Where to begin, or `None` for the start.
    """

    def __init__(self, epochs: EpochIterator, start: Position | None = None):
        self._epochs = epochs
        self._start = start
        self._stream = epochs._get_iterator
        self._enumerate = epochs._enumerate_iterator
        self._iterators = self._batches = 0
        self._read: list[int] = []
        epochs._get_iterator = lambda: self
        epochs._enumerate_iterator = self._one_epoch

    @property
    def num_batches(self) -> int | None:
        """Number of batches of an epoch, as far as it is known."""
        return self._epochs.num_batches

    def position(self, epoch: int, step: int) -> Position:
        """Where the training is now.

        Args:
            epoch: Number of complete epochs.
            step: Number of batches of the next epoch that were trained on.
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
        """Called by Keras where it begins to read the data anew."""
        self._iterators += 1
        self._batches = 0
        return iter(self._stream())

    def _one_epoch(self) -> Iterator[tuple]:
        """What Keras's own gives, from the first step not trained on yet."""
        skipped = self._go_to_start()
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

    def _go_to_start(self) -> int:
        """Reads up to the epoch to begin with; returns the steps to skip."""
        start, self._start = self._start, None
        if start is None:
            return 0
        epochs = self._epochs
        if start.num_batches is not None:  # it may be learned in an epoch
            epochs._num_batches = start.num_batches
        for _ in range(start.epoch):
            epochs.data_adapter.on_epoch_end()  # PyDatasets may shuffle there
        goes_on = epochs.steps_per_epoch is not None
        # An epoch that has begun, and one that goes on where the one before
        # ended, read an iterator that was made already.
        made = bool(start.iterators) and (goes_on or start.step > 0)
        for _ in range(start.iterators - made):
            iterator = iter(self)
            # Some streams count their epochs where one is first read, and
            # Keras makes iterators that it never reads.
            if self._iterators in start.read:
                self._read.append(self._iterators)
                next(iterator, None)
        if made and goes_on:
            iterator = epochs._current_iterator = iter(self)
            self._batches = start.batches - start.step
            for _ in range(self._batches):
                next(iterator)
            epochs._steps_seen = self._batches
        return start.step
