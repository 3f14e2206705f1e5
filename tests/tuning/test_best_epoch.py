"""Keeping the best epoch, by one objective and by several."""

import math

import keras
import numpy as np
import pytest

from mtl_keras.tuning.best_epoch import KeepBestEpoch


def follow(rows, patience=None):
    """Calls the callback with the logs of epochs, which its model counts."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    callback = KeepBestEpoch(lambda logs: tuple(logs.values()), patience)
    callback.set_model(model)
    model.stop_training = False
    for epoch, row in enumerate(rows):
        model.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        callback.on_epoch_end(
            epoch, {f"objective {at}": value for at, value in enumerate(row)}
        )
        if model.stop_training:
            break
    callback.on_train_end()
    return callback, int(model.get_weights()[0][0, 0]), epoch


@pytest.mark.parametrize("patience", [None, 1, 2, 3])
def test_one_objective_is_early_stopping(rng, patience):
    values = rng.integers(0, 6, size=12).astype(float)
    best, waited, ended = math.inf, 0, len(values) - 1
    for epoch, value in enumerate(values):
        waited = 0 if value < best else waited + 1
        best = min(best, value)
        if patience is not None and waited >= patience:
            ended = epoch
            break
    found, restored, last = follow(values[:, None], patience)
    assert last == ended
    assert found.epoch == restored == np.argmin(values[: ended + 1])


def test_several_objectives_take_the_last_that_none_before_equals():
    rows = [(1, 5), (3, 3), (3, 4), (0, 6), (1, 5), (9, 9)]
    found, restored, _ = follow(rows)
    assert found.epoch == restored == 3
    assert found.logs == {"objective 0": 0, "objective 1": 6}


def test_epochs_without_a_number_are_never_best():
    found, _, _ = follow([(math.nan,), (2.0,), (math.nan,)])
    assert found.epoch == 1
    found, _, last = follow([(math.nan,)] * 5, patience=3)
    assert found.epoch is None and last == 2
