"""Reading data from the middle on, by two methods of Keras's iterator.

The first tests say when Keras has changed what `StreamReader` relies on.
"""

import pytest
import tensorflow as tf
from keras.src.backend.tensorflow.trainer import TFEpochIterator

from mtl_keras.training.backups.stream_position import Position, StreamReader

BATCHES, EPOCHS = 5, 4


def epochs_of(kind, steps_per_execution=1):
    """Keras's iterator over a stream in another order each time."""
    data = tf.data.Dataset.range(BATCHES * 2).shuffle(10, seed=3)
    steps = None
    if kind == "endless":
        data, steps = data.repeat(), 3
    if kind == "of unknown length":
        data = data.filter(lambda number: number >= 0)
    return TFEpochIterator(
        distribute_strategy=tf.distribute.get_strategy(),
        x=data.batch(2),
        steps_per_epoch=steps,
        steps_per_execution=steps_per_execution,
    )


def read(epochs, count=EPOCHS):
    """Reads as `fit` does; yields (epoch, first step, batches)."""
    for epoch in range(count):
        with epochs.catch_stop_iteration():
            for begin, _, iterator in epochs:
                batches = []
                for _ in range(epochs.steps_per_execution):
                    # A loop in the graph ends where the data do.
                    batch = iterator.get_next_as_optional()
                    if batch.has_value():
                        batches.append(batch.get_value().numpy().tolist())
                if not batches:
                    raise StopIteration
                yield epoch, begin, batches


def test_keras_goes_through_the_two_methods():
    epochs = epochs_of("finite")
    made = []
    stream = epochs._get_iterator
    epochs._get_iterator = lambda: made.append(0) or stream()
    first = [batches for _, _, batches in read(epochs, 1)]
    assert len(first) == BATCHES
    # One for the epoch, one ahead.
    assert len(made) == 2
    calls = []
    steps = epochs._enumerate_iterator
    epochs._enumerate_iterator = lambda: calls.append(0) or steps()
    second = [batches for _, _, batches in read(epochs, 1)]
    assert len(calls) == 1 and len(second) == BATCHES != first
    assert {"_num_batches", "_current_iterator", "_steps_seen"} <= set(
        vars(epochs)
    )


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("steps_per_execution", [1, 2])
@pytest.mark.parametrize("kind", ["finite", "endless", "of unknown length"])
def test_goes_on_anywhere(kind, steps_per_execution):
    options = (kind, steps_per_execution)
    expected = list(read(epochs_of(*options)))
    undisturbed = epochs_of(*options)
    reader = StreamReader(undisturbed)
    positions = []
    for epoch, begin, batches in read(undisturbed):
        assert (epoch, begin, batches) == expected[len(positions)]
        step = begin + steps_per_execution
        positions.append(reader.position(epoch, step))
    assert len(positions) == len(expected)
    for number, position in enumerate(positions):
        last_of_epoch = (
            number + 1 == len(expected)
            or expected[number + 1][0] > expected[number][0]
        )
        if last_of_epoch:
            continue  # the end of the epoch comes next
        epochs = epochs_of(*options)
        epochs.reset()
        StreamReader(epochs, position)
        found = [
            (epoch + position.epoch, begin, batches)
            for epoch, begin, batches in read(epochs, EPOCHS - position.epoch)
        ]
        assert found == expected[number + 1 :]


@pytest.mark.parametrize("kind", ["finite", "endless"])
def test_goes_on_after_an_epoch(kind):
    expected = list(read(epochs_of(kind)))
    undisturbed = epochs_of(kind)
    reader = StreamReader(undisturbed)
    for done in range(1, EPOCHS):
        for _ in read(undisturbed, 1):
            pass
        epochs = epochs_of(kind)
        StreamReader(epochs, reader.position(done, 0))
        found = [entry[1:] for entry in read(epochs, EPOCHS - done)]
        assert found == [entry[1:] for entry in expected if entry[0] >= done]


def test_counting_changes_nothing():
    expected = list(read(epochs_of("finite")))
    epochs = epochs_of("finite")
    reader = StreamReader(epochs)
    assert list(read(epochs)) == expected
    assert expected[0][2] != expected[BATCHES][2]
    assert reader.position(EPOCHS, 0) == Position(
        EPOCHS,
        0,
        iterators=2 * EPOCHS,
        batches=0,
        num_batches=BATCHES,
        read=tuple(range(1, 2 * EPOCHS, 2)),
    )
