"""Callbacks of a search are read as those of Keras's fit."""

import threading

import keras
import pytest

from mtl_keras.tuning.callback_list import read_callbacks


def test_one_or_several_callbacks_or_none_are_read():
    first, second = (keras.callbacks.TerminateOnNaN() for _ in range(2))
    assert read_callbacks(None) == ()
    assert read_callbacks(first) == (first,)
    assert read_callbacks([first, second]) == (first, second)


class Locked(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (Locked(), "Locked cannot be copied: .*on_train_begin"),
        ([keras.callbacks.TerminateOnNaN], r"TerminateOnNaN\(\)"),
        (["stop"], "'stop' of type str"),
    ],
)
def test_other_values_are_refused(given, message):
    with pytest.raises(TypeError, match=message):
        read_callbacks(given)
