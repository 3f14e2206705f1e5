"""Ctrl-C is not lost, even while Python runs a finalizer."""

import signal
import threading

import keras
import numpy as np
import pytest

from mtl_keras.zoo.interruption import ended_by_interruption

pytestmark = pytest.mark.usefixtures("default_interruption")


class InterruptedInFinalizer(keras.callbacks.Callback):
    """Sends the signal while Python runs a finalizer."""

    def on_train_batch_begin(self, batch, logs=None):
        class Finalized:
            def __del__(self):
                signal.raise_signal(signal.SIGINT)

        if batch == 1:
            Finalized()


def fit(*callbacks):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.ones((50, 2), "float32")
    model.fit(x, x[:, :1], batch_size=10, callbacks=callbacks, verbose=0)
    return int(model.optimizer.iterations)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interruption_inside_of_a_finalizer_ends_the_training():
    assert fit(InterruptedInFinalizer()) == 5  # Python ignores it
    with ended_by_interruption() as callback, pytest.raises(KeyboardInterrupt):
        fit(InterruptedInFinalizer(), callback)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_handler_stays():
    def handler(number, frame):
        """Another signal handler."""

    before = signal.signal(signal.SIGINT, handler)
    try:
        with ended_by_interruption() as callback:
            assert signal.getsignal(signal.SIGINT) is handler
            assert fit(callback) == 5
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_train_as_well():
    steps = []

    def train():
        with ended_by_interruption() as callback:
            steps.append(fit(callback))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert steps == [5]
