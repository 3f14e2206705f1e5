"""Losses against numpy and against Keras."""

import keras
import numpy as np
import pytest

from mtl_keras.losses import Crossentropy, CrossentropyDice


def softmax(logits):
    """Computes softmax over the last axis."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def dice_loss(masks, probabilities):
    """Computes Dice with loops over samples and classes."""
    losses = []
    for mask, probability in zip(masks, probabilities, strict=True):
        for channel in range(mask.shape[-1]):
            t, p = mask[..., channel], probability[..., channel]
            overlap, size = (t * p).sum(), t.sum() + p.sum()
            losses.append(1 - (2 * overlap + 1) / (size + 1))
    return np.mean(losses)


@pytest.mark.parametrize("shape", [(7,), (5, 6), (3, 4, 4)])
@pytest.mark.parametrize("from_logits", [False, True])
def test_crossentropy_equals_keras(shape, from_logits, rng):
    logits = rng.normal(size=(*shape, 3)).astype("float32")
    y_pred = logits if from_logits else softmax(logits)
    labels = rng.integers(3, size=shape)
    loss = Crossentropy(from_logits)
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits)
    dense = keras.losses.CategoricalCrossentropy(from_logits)
    expected = -np.mean(np.log(softmax(logits)) * np.eye(3)[labels]) * 3
    one_hot = np.eye(3)[labels]
    for targets in (labels, labels[..., None], one_hot):
        assert float(loss(targets, y_pred)) == pytest.approx(expected, rel=1e-4)
    assert float(loss(labels, y_pred)) == float(sparse(labels, y_pred))
    assert float(loss(one_hot, y_pred)) == float(dense(one_hot, y_pred))


@pytest.mark.parametrize("from_logits", [False, True])
def test_binary_crossentropy_dice(from_logits, rng):
    logits = rng.normal(size=(3, 4, 5, 1)).astype("float32")
    p = 1 / (1 + np.exp(-logits))
    mask = rng.integers(2, size=(3, 4, 5, 1))
    crossentropy = -np.mean(np.log(np.where(mask == 1, p, 1 - p)))
    expected = crossentropy + dice_loss(mask, p)
    loss = CrossentropyDice(from_logits)
    y_pred = logits if from_logits else p
    for targets in (mask, mask[..., 0], mask.astype("float32")):
        assert float(loss(targets, y_pred)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("from_logits", [False, True])
def test_multi_class_crossentropy_dice(from_logits, rng):
    logits = rng.normal(size=(3, 4, 5, 4)).astype("float32")
    p = softmax(logits)
    labels = rng.integers(4, size=(3, 4, 5))
    one_hot = np.eye(4)[labels]
    expected = -np.mean((np.log(p) * one_hot).sum(-1)) + dice_loss(one_hot, p)
    loss = CrossentropyDice(from_logits)
    y_pred = logits if from_logits else p
    for targets in (labels, labels[..., None], one_hot):
        assert float(loss(targets, y_pred)) == pytest.approx(expected, rel=1e-5)


def test_perfect_and_empty_masks_have_no_loss():
    for mask in (np.ones((2, 3, 3, 1)), np.zeros((2, 3, 3, 1))):
        assert float(CrossentropyDice()(mask, mask)) == pytest.approx(
            0, abs=1e-5
        )


@pytest.mark.parametrize("loss", [Crossentropy(), CrossentropyDice()])
def test_a_weight_per_sample_applies_to_all_its_pixels(loss, rng):
    y_pred = softmax(rng.normal(size=(4, 3, 3, 2))).astype("float32")
    labels = rng.integers(2, size=(4, 3, 3))
    weights = np.array([1.0, 0.0, 2.0, 0.5])
    each = [float(loss(labels[i : i + 1], y_pred[i : i + 1])) for i in range(4)]
    expected = np.mean(weights * each)
    for sample_weight in (
        weights,
        weights[:, None],
        np.broadcast_to(weights[:, None, None], labels.shape),
    ):
        found = float(loss(labels, y_pred, sample_weight))
        assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "loss", [Crossentropy(True, name="c"), CrossentropyDice(True, 0.5)]
)
def test_config_round_trip(loss):
    config = keras.saving.serialize_keras_object(loss)
    again = keras.saving.deserialize_keras_object(config)
    assert again.get_config() == loss.get_config()


def test_dice_on_two_replicas_equals_dice_of_the_batch(two_replicas, rng):
    y_pred = rng.uniform(0.1, 0.9, size=(8, 4, 4, 1)).astype("float32")
    mask = rng.integers(2, size=(8, 4, 4, 1)).astype("float32")
    loss = CrossentropyDice()

    def on_replica(context):
        rows = slice(4 * context.replica_id_in_sync_group, None)
        return keras.ops.convert_to_tensor(mask[rows][:4]), (
            keras.ops.convert_to_tensor(y_pred[rows][:4])
        )

    values = two_replicas.experimental_distribute_values_from_function(
        on_replica
    )
    total = two_replicas.reduce(
        "SUM", two_replicas.run(lambda y: loss(*y), args=(values,)), axis=None
    )
    assert float(total) == pytest.approx(float(loss(mask, y_pred)), rel=1e-5)
