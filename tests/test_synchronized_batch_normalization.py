"""Batch normalization behind a mask, on one replica and on two."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_keras import distribution
from mtl_keras.normalization import normalize
from mtl_keras.synchronized_batch_normalization import (
    SynchronizedBatchNormalization,
)

STEPS = 7
LENGTHS = np.array([7, 5, 1, 0])


@pytest.fixture
def padded(rng):
    """Returns sequences with random padding, and the mask of real steps."""
    x = rng.normal(2.0, 3.0, size=(4, STEPS, 3)).astype("float32")
    mask = np.arange(STEPS) < LENGTHS[:, None]
    x[~mask] = 1e3
    return x, mask


def trained(layer, x, mask):
    """Returns the outputs of a layer in steps, and its moving statistics."""
    y = layer(x, mask=mask, training=True)
    return y, layer.moving_mean, layer.moving_variance


def test_one_replica_is_keras(padded):
    x, mask = padded
    keras_layer = keras.layers.BatchNormalization()
    expected = trained(keras_layer, x, mask)
    found = trained(SynchronizedBatchNormalization(), x, mask)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_statistics_are_those_of_what_is_not_masked(padded):
    x, mask = padded
    layer = SynchronizedBatchNormalization(momentum=0.0)
    y, mean, variance = trained(layer, x, mask)
    np.testing.assert_allclose(mean, x[mask].mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, x[mask].var(0), rtol=1e-4)
    np.testing.assert_allclose(y.numpy()[mask].mean(0), 0, atol=1e-5)


def forwards_and_back(layer, x, mask):
    """Returns outputs, and the gradient of a loss of the unmasked ones."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, mask=mask, training=True)
        total = tf.reduce_sum(tf.where(mask[..., None], y**3, 0.0))
    return y, tape.gradient(total, x)


def by_two_replicas(make_layer, strategy, x, mask):
    """Returns outputs and gradients of two replicas with two sequences each."""
    with distribution.strategy(strategy).scope():
        layer = make_layer()
        layer.build(x.shape)
    masks = tf.split(mask, 2)

    @tf.function
    def step():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        replica_x = tf.gather(tf.split(x, 2), index)
        return forwards_and_back(layer, replica_x, tf.gather(masks, index))

    results = strategy.run(step)
    parts = [strategy.experimental_local_results(r) for r in results]
    y, gradient = (np.concatenate(part) for part in parts)
    return y, gradient, layer.moving_mean.numpy()


def by_one(x, mask):
    """Returns those of one replica with Keras's layer."""
    layer = keras.layers.BatchNormalization(momentum=0.0)
    layer.build(x.shape)
    found = forwards_and_back(layer, tf.constant(x), tf.constant(mask))
    return *found, layer.moving_mean.numpy()


def test_two_replicas_are_one(padded, two_replicas):
    x, mask = padded

    def synchronized():
        return SynchronizedBatchNormalization(momentum=0.0)

    found = by_two_replicas(synchronized, two_replicas, x, mask)
    expected = by_one(x, mask)
    for ours, expected_one in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, expected_one, rtol=1e-3, atol=1e-4)


@pytest.mark.keras_source
def test_keras_still_needs_it(padded, two_replicas):
    """Once Keras synchronizes behind a mask, remove this class."""
    x, mask = padded

    def synchronized():
        return keras.layers.BatchNormalization(momentum=0.0, synchronized=True)

    _, _, mean = by_two_replicas(synchronized, two_replicas, x, mask)
    assert np.abs(mean - by_one(x, mask)[2]).max() > 1e-2


@pytest.mark.parametrize("wrong", [{"synchronized": False}, {"axis": 1}])
def test_what_it_cannot_is_refused(wrong):
    with pytest.raises(ValueError, match="synchronized=True"):
        SynchronizedBatchNormalization(**wrong)


def test_it_is_only_where_a_mask_is(two_replicas):
    def normalized(padding):
        with two_replicas.scope():
            inputs = keras.Input((STEPS,), dtype="int32")
            x = keras.layers.Embedding(9, 3, mask_zero=padding)(inputs)
            return type(normalize(x, "batch", "n")._keras_history.operation)

    assert normalized(True) is SynchronizedBatchNormalization
    assert normalized(False) is keras.layers.BatchNormalization


def test_it_comes_back_from_its_config():
    layer = SynchronizedBatchNormalization(momentum=0.5, epsilon=1e-2)
    serialized = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(serialized)
    assert type(again) is SynchronizedBatchNormalization
    assert (again.momentum, again.epsilon) == (0.5, 1e-2)
    assert again.synchronized
