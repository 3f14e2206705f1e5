"""The states of callbacks in backups."""

import keras
import numpy as np
import pytest
from backup_training import (
    Kill,
    Killed,
    array_data,
    assert_goes_on,
    make_model,
    run,
)

import mtl_keras
from mtl_keras.training.backups.callback_states import (
    extract_arrays,
    get_callback_states,
    insert_arrays,
    set_callback_states,
)


@pytest.mark.slow
def test_early_stopping_goes_on(path):
    def others():
        return [
            keras.callbacks.EarlyStopping(
                "loss",
                mode="min",
                patience=2,
                min_delta=1.0,
                restore_best_weights=True,
            )
        ]

    backup = assert_goes_on(
        path, make_model, array_data, (2, 3), others=others, epochs=5
    )
    assert backup.model.optimizer.iterations == 3 * 6


def test_weights_that_are_numbers_keep_their_dtype():
    """The counter of a `Normalization` layer is one."""
    stopping = keras.callbacks.EarlyStopping("loss")
    stopping.best_weights = [np.ones(2, "float32"), np.int32(3)]
    arrays = {}
    state = extract_arrays(get_callback_states([stopping]), arrays)
    restored = keras.callbacks.EarlyStopping("loss")
    set_callback_states([restored], insert_arrays(state, arrays))
    found = restored.best_weights
    assert [w.dtype for w in found] == ["float32", "int32"]
    assert found[1].shape == () and found[1] == 3


@pytest.mark.slow
def test_a_training_that_was_stopped_stays_stopped(path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    backup = mtl_keras.BackupAndRestore(path, delete_checkpoint=False)
    history = run(make_model(), array_data(), [Stop(), backup], epochs=5)
    again = make_model()
    assert run(again, array_data(), [Stop(), backup], epochs=5) == history
    assert len(history["loss"]) == 2
    assert again.optimizer.iterations == 2 * 6


@pytest.mark.slow
def test_callbacks_of_the_user_take_part(path):
    class Counter(keras.callbacks.Callback):
        """Counts epochs, in a number and in an array."""

        count, array = 0, np.zeros(2, "int32")

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
            self.array = self.array + 2

        def get_backup_state(self):
            return {"count": self.count, "arrays": [self.array]}

        def set_backup_state(self, state):
            self.count = state["count"]
            (self.array,) = state["arrays"]

    backup = mtl_keras.BackupAndRestore(path)
    with pytest.raises(Killed):
        run(make_model(), array_data(), [backup, Counter(), Kill(2, 3)])
    counter = Counter()
    run(make_model(), array_data(), [counter, backup])
    assert counter.count == 3
    np.testing.assert_array_equal(counter.array, [6, 6])


def test_keras_remembers_what_it_did():
    """Callbacks of Keras still use these attributes."""
    from mtl_keras.training.backups.callback_states import _STATE_ATTRIBUTES

    callbacks = [
        keras.callbacks.EarlyStopping("loss", mode="min"),
        keras.callbacks.ReduceLROnPlateau("loss", mode="min"),
        keras.callbacks.ModelCheckpoint("m.keras", save_best_only=True),
        keras.callbacks.History(),
    ]
    for callback in callbacks:
        if hasattr(callback, "on_train_begin"):
            callback.on_train_begin()
        for name in _STATE_ATTRIBUTES[type(callback)]:
            assert hasattr(callback, name), (callback, name)
