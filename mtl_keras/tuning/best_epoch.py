"""Keeps the best epoch of a trial, by one objective or by several."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import keras


class KeepBestEpoch(keras.callbacks.Callback):
    """Stops once no epoch is better, and brings the best one back.

    An epoch is better if no epoch before is at least as good in every
    objective. With one objective this is `keras.callbacks.EarlyStopping`.

    Args:
        measure: Makes numbers of which less is better of the logs of an epoch.
        patience: Epochs to wait for a better one, or `None` for ever.
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
        self._seen: list[tuple[float, ...]] = []

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Compares the epoch with those before."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        found = self.measure(logs)
        if not any(math.isnan(value) for value in found) and not any(
            all(old <= new for old, new in zip(before, found, strict=True))
            for before in self._seen
        ):
            self.epoch, self.logs = epoch, logs
            self._weights = self.model.get_weights()
            self._seen.append(found)
        since = epoch - (-1 if self.epoch is None else self.epoch)
        if self.patience is not None and since >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None) -> None:
        """Brings the weights of the best epoch back."""
        if self._weights is not None:
            self.model.set_weights(self._weights)
