"""Makes Ctrl-C stop a training at any time."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import keras


class _StopOnInterruption(keras.callbacks.Callback):
    """Raises `KeyboardInterrupt` after a batch if an earlier one was lost."""

    async_safe = True

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def on_train_batch_end(self, batch: int, logs=None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt


@contextlib.contextmanager
def ended_by_interruption() -> Iterator[keras.callbacks.Callback]:
    """Makes sure that Ctrl-C stops a training.

    Python ignores exceptions in finalizers, which many objects of TensorFlow
    have, so a `KeyboardInterrupt` in a finalizer is lost.

    Yields:
        A callback that raises it again, for the `fit` within the block.
    """
    callback = _StopOnInterruption()

    def interrupt(number, frame):
        callback.interrupted = True
        raise KeyboardInterrupt

    # Another signal handler is not replaced.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield callback
        return
    try:
        signal.signal(signal.SIGINT, interrupt)
    except ValueError:  # signals interrupt only the main thread
        yield callback
        return
    try:
        yield callback
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
