"""Moves the loss weights from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import keras


class LossWeightSchedule(keras.callbacks.Callback):
    """Sets the loss weights at the start of each epoch.

    The manner is that of `keras.callbacks.LearningRateScheduler`. The weights
    that were in force are in the history as `weight/<task>`.

    Args:
        schedule: A function of the epoch (an integer from 0) and, if it takes
            a second argument, of the current weights (a dict by task name).
            Returns a dict of new weights; tasks that it leaves out keep theirs.

    Raises:
        TypeError: If the schedule returns no dict.
        ValueError: If it names an unknown task or an impossible weight.

    Example:

    >>> schedule = mtl_keras.LossWeightSchedule(
    ...     lambda epoch: {"segmentation": min(1.0, 0.1 * epoch)}
    ... )
    """

    def __init__(self, schedule: Callable[..., Mapping[str, float]]):
        super().__init__()
        self.schedule = schedule
        parameters = inspect.signature(schedule).parameters.values()
        self._takes_weights = (
            len(
                [
                    parameter
                    for parameter in parameters
                    if parameter.default is parameter.empty
                    and parameter.kind
                    in (
                        parameter.POSITIONAL_ONLY,
                        parameter.POSITIONAL_OR_KEYWORD,
                    )
                ]
            )
            >= 2
        )

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        """Asks the schedule and assigns its weights."""
        weights = self.model.loss_weights
        arguments = (epoch, dict(weights)) if self._takes_weights else (epoch,)
        new = self.schedule(*arguments)
        if not isinstance(new, Mapping):
            raise TypeError(
                f"LossWeightSchedule: the schedule returned {new!r} at epoch "
                f"{epoch}; expected a dict from task name to weight, such as "
                f"{dict(weights)}."
            )
        weights.update(new)

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        """Puts the weights of the epoch into the logs."""
        if logs is not None:
            for task, value in self.model.loss_weights.items():
                logs[f"weight/{task}"] = value
