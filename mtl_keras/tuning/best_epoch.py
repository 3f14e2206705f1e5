"""Keeps the best epoch of a trial, by one objective or by several."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import keras


class KeepBestEpoch(keras.callbacks.Callback):
    """Stops training without improvement, and restores the best epoch.

    An epoch improves if no earlier epoch is at least as good in every
    objective. With one objective, this is `keras.callbacks.EarlyStopping`.

    Args:
        measure: Function from the logs of an epoch to its costs (lower is
            better), one for each objective.
        patience: Number of epochs without improvement after which training
            stops. Defaults to `None`, which trains all epochs.
    """

    def __init__(
        self,
        measure: Callable[[Mapping[str, float]], tuple[float, ...]],
        patience: int | None = None,
    ):
        super().__init__()
        self.measure = measure
        self.patience = patience
        self.logs: dict[str, float] = {}
        self.epoch: int | None = None
        self._weights = None
        self._improvements: list[tuple[float, ...]] = []

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Compares the epoch with the earlier ones."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        found = self.measure(logs)
        if not any(math.isnan(value) for value in found) and not any(
            all(old <= new for old, new in zip(earlier, found, strict=True))
            for earlier in self._improvements
        ):
            self.epoch, self.logs = epoch, logs
            self._weights = self.model.get_weights()
            self._improvements.append(found)
        waited = epoch - (-1 if self.epoch is None else self.epoch)
        if self.patience is not None and waited >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None) -> None:
        """Restores the weights of the best epoch."""
        if self._weights is not None:
            self.model.set_weights(self._weights)
