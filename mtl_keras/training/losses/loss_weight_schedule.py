"""A callback that schedules the loss weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import keras


class LossWeightSchedule(keras.callbacks.Callback):
    """Sets the loss weights at the start of each epoch.

    It works like `keras.callbacks.LearningRateScheduler`. The history contains
    the loss weights of each epoch as `weight/<task>`.

    Args:
        schedule: Function of the epoch (an integer from 0) and, if it takes a
            second argument, of the current loss weights (a dict by task name).
            It returns a dict of new weights; other tasks keep their weight.

    Raises:
        TypeError: If the schedule does not return a dict.
        ValueError: If it returns an unknown task or an invalid weight.

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
        """Calls the schedule and assigns the loss weights."""
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
        """Adds the loss weights of the epoch to the logs."""
        if logs is not None:
            for task, value in self.model.loss_weights.items():
                logs[f"weight/{task}"] = value
