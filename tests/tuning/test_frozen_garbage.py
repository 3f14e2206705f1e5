"""Excluding older objects from garbage collection during a search."""

import gc

import keras
import pytest
from tuning_problem import build_in_numpy, samples

from mtl_keras import tuning
from mtl_keras.tuning.run_plan import _frozen_garbage


@pytest.mark.slow
def test_garbage_is_collected_again_afterwards(tmp_path):
    frozen = []

    class Counted(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            frozen.append(gc.get_freeze_count())

    gc.unfreeze()
    # `search_small` leaves the collector alone.
    tuning.search(
        build_in_numpy,
        {"width": [2, 3]},
        samples(),
        samples(seed=1),
        objective="left_accuracy",
        callbacks=[Counted()],
        max_trials=1,
        epochs=1,
        merge=False,
        directory=tmp_path,
        verbose=0,
    )
    assert frozen[0] > 0 and gc.get_freeze_count() == 0
    # What somebody else froze stays so.
    gc.freeze()
    before = gc.get_freeze_count()
    with _frozen_garbage():
        pass
    assert gc.get_freeze_count() >= before
