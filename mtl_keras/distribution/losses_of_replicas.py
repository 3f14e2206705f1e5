"""Keeps what layers add to the loss apart by replica.

A layer remembers what `add_loss` was given in one list, which a forward pass
clears when it begins. Replicas on one host are threads that call the same
layers in turn, so that each would find losses of another in it, or none.
`tests/test_keras_source.py` says when Keras has changed.
"""

from __future__ import annotations

import threading

import keras


class _LossesOfThread(list):
    """A list of its own for each thread."""

    def __init__(self):
        super().__init__()
        self._local = threading.local()

    def _own(self) -> list:
        if not hasattr(self._local, "losses"):
            self._local.losses = []
        return self._local.losses

    def extend(self, losses) -> None:
        self._own().extend(losses)

    def clear(self) -> None:
        self._own().clear()

    def __getitem__(self, index):
        return self._own()[index]

    def __len__(self) -> int:
        return len(self._own())

    def __iter__(self):
        return iter(self._own())

    def __reduce__(self):
        # Tensors of a graph mean nothing to a copy.
        return _LossesOfThread, ()


def keep_losses_apart(model: keras.Model) -> None:
    """Has each layer keep the losses that replicas add apart.

    Args:
        model: A model of a strategy with several replicas, changed for good.
    """
    for layer in model._flatten_layers(include_self=True):
        if not isinstance(layer._losses, _LossesOfThread):
            # Keras would make an attribute that is set a list that it tracks.
            vars(layer)["_losses"] = _LossesOfThread()
