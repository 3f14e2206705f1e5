"""Ctrl-C ends a training wherever it comes in."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import keras


class _EndOnInterruption(keras.callbacks.Callback):
    """Raises `KeyboardInterrupt` after a batch if one got lost before."""

    async_safe = True

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt


@contextlib.contextmanager
def ended_by_interruption() -> Iterator[keras.callbacks.Callback]:
    """Makes sure that Ctrl-C ends a training.

    Python ignores an exception inside of a finalizer, and TensorFlow's
    objects have many: a `KeyboardInterrupt` that is raised in one is lost.

    Yields:
        A callback that raises it again, for the `fit` inside of the block.
    """
    callback = _EndOnInterruption()

    def interrupt(number, frame):
        callback.interrupted = True
        raise KeyboardInterrupt

    # A handler that somebody else has set knows better what to do.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield callback
        return
    try:
        signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # only the main thread is interrupted
        yield callback
        return
    try:
        yield callback
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
