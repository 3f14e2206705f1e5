"""Losses whose value for a sample is independent of the batch."""

import keras
import numpy as np
import pytest

from mtl_keras.losses import Crossentropy, CrossentropyDice
from mtl_keras.losses.per_sample import is_per_sample

KNOWN = [
    Crossentropy(),
    keras.losses.MeanSquaredError(),
    keras.losses.BinaryCrossentropy(label_smoothing=0.1),
    keras.losses.CategoricalCrossentropy(),
    keras.losses.CosineSimilarity(),
    keras.losses.Huber(),
    keras.losses.KLDivergence(),
    keras.losses.mean_absolute_error,
]


@pytest.mark.parametrize("loss", KNOWN, ids=lambda loss: type(loss).__name__)
def test_known_losses_are_independent_of_the_batch(loss, rng):
    y_true, y_pred = rng.uniform(0.1, 1, size=(2, 6, 3)).astype("float32")
    assert is_per_sample(loss)
    call = getattr(loss, "call", loss)
    whole = call(y_true, y_pred)
    for row in range(6):
        alone = call(y_true[row : row + 1], y_pred[row : row + 1])
        np.testing.assert_allclose(whole[row], alone[0], rtol=1e-5)


class OfUser(keras.losses.Loss):
    """A loss that depends on the whole batch."""

    def call(self, y_true, y_pred):
        return y_pred - keras.ops.mean(y_pred)


@pytest.mark.parametrize(
    "loss",
    [
        OfUser(),
        CrossentropyDice(),
        keras.losses.Dice(),
        keras.losses.Circle(),
        keras.losses.CategoricalCrossentropy(axis=1),
        lambda y_true, y_pred: y_pred,
        "mse",
        None,
    ],
    ids=lambda loss: type(loss).__name__,
)
def test_others_are_not(loss):
    assert not is_per_sample(loss)
