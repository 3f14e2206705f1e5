"""Streams whose samples are found by index resume without reading the past."""

import numpy as np
import pytest
import tensorflow as tf
from backup_training import (
    BATCH,
    SAMPLES,
    Kill,
    Killed,
    arrays,
    assert_goes_on,
    make_model,
    run,
)

import mtl_keras
from mtl_keras.datasets.reading.indexed_batches import indexed_batches
from mtl_keras.training.backups.indexed_samples import (
    IndexedSamples,
    find_indexed,
)
from mtl_keras.training.backups.ordered_batches import OrderedBatches

READ = []


def stream(seed=3):
    """Returns a stream that notes which samples it reads."""
    x, y = arrays()

    def read(rows):
        READ.append(rows.tolist())
        return x[rows], y["grade"][rows], y["price"][rows]

    def gather(rows):
        dtypes = (tf.float32, tf.int64, tf.float32)
        x, grade, price = tf.numpy_function(read, [rows], dtypes)
        x.set_shape((None, 5))
        grade.set_shape((None,))
        price.set_shape((None,))
        return x, {"grade": grade, "price": price}

    return indexed_batches(np.arange(SAMPLES), gather, BATCH, seed)


def of_indexed():
    return {"x": stream()}


def of_indexed_in_steps():
    return {"x": stream(), "steps_per_epoch": 5}


@pytest.mark.parametrize("data", [of_indexed, of_indexed_in_steps])
def test_a_stream_resumes_to_the_same_weights(path, data):
    assert_goes_on(path, make_model, data, (1, 5))


def test_what_was_trained_on_is_not_read_again(path):
    backup = mtl_keras.BackupAndRestore(path, every_steps=2)
    with pytest.raises(Killed):
        run(make_model(), of_indexed(), [backup, Kill(2, 5)])
    READ.clear()
    run(make_model(), of_indexed(), [backup])
    # Two batches were left, and Keras takes one to build the model.
    assert backup.restored_from == (2, 4)
    assert 2 <= len(READ) < 10
    assert sum(map(len, READ)) < 2 * SAMPLES


def test_an_order_is_kept_where_the_stream_has_one():
    found = find_indexed(stream(seed=None))
    assert not found.shuffle
    batches = OrderedBatches(found.samples, batch_size=5, shuffle=False, seed=0)
    x = np.concatenate([x for x, _ in batches.infinite(0).take(5)])
    np.testing.assert_array_equal(x, arrays()[0])


def test_only_the_stream_itself_has_the_mark():
    marked = stream()
    found = find_indexed(marked)
    assert (found.samples.count, found.batch_size) == (SAMPLES, BATCH)
    assert found.shuffle
    assert find_indexed(marked.map(lambda x, y: (x, y))) is None
    assert find_indexed(np.zeros(3)) is None


def test_lists_of_inputs_stay_apart():
    x = [np.zeros((SAMPLES, 2)), np.ones((SAMPLES, 3))]
    samples = IndexedSamples.from_arrays((x, {"y": x[0]}))
    (first, second), y = samples.gather(tf.constant([3, 4]))
    assert samples.count == SAMPLES
    assert first.shape == (2, 2) and second.shape == (2, 3)
    assert first.dtype == "float32" and set(y) == {"y"}
