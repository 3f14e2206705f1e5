"""The weights of the task losses, as variables that can change."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, MutableMapping

import keras

from mtl_keras.spelling import did_you_mean


class LossWeights(MutableMapping, keras.metrics.Metric):
    """A dict from task name to loss weight whose values are Keras variables.

    `model.loss_weights` is one of these. Assigning to a name changes the next
    training step without retracing it, also from inside a callback. The tasks
    are fixed: a weight can be set to 0, but not removed.

    It is a `keras.metrics.Metric` because that is the one public Keras class
    whose variables are saved with a model and are yet no weights of it, so
    that `model.weights` stays what it is in plain Keras. It measures nothing,
    and the model keeps it out of its metrics.

    Args:
        values: Weights by task name.

    Raises:
        ValueError: If a weight is negative, not finite, or if all are zero.

    Example:

    >>> weights = mtl_keras.training.LossWeights({"left": 1.0, "right": 2.0})
    >>> weights["right"] = 0.5
    >>> dict(weights)
    {'left': 1.0, 'right': 0.5}
    """

    def __init__(self, values: Mapping[str, float]):
        super().__init__(name="loss_weights")
        values = complete_loss_weights(values, values)
        self._by_task = {
            task: keras.Variable(
                value, trainable=False, dtype="float32", name=f"{task}_weight"
            )
            for task, value in values.items()
        }

    @property
    def variables_by_task(self) -> dict[str, keras.Variable]:
        """The Keras variable of each task's weight."""
        return dict(self._by_task)

    def __getitem__(self, task: str) -> float:
        self._check_known(task)
        # The shortest decimal of the float32: 0.3, not 0.30000001192092896.
        return float(str(self._by_task[task].numpy()))

    def __setitem__(self, task: str, value: float) -> None:
        self.update({task: value})

    def __delitem__(self, task: str) -> None:
        self._check_known(task)
        raise TypeError(
            f"Task {task!r}: its loss weight cannot be removed. Set it to 0 to "
            "leave the task out of training."
        )

    def update(
        self,
        values: Mapping[str, float] | Iterable[tuple[str, float]] = (),
        /,
        **by_task: float,
    ) -> None:
        """Changes the weights of the named tasks; the others stay.

        Args:
            values: New weights by task name, or pairs of both. Each weight is
                0 or more, and not all of them are 0.
            **by_task: More weights by task name.

        Raises:
            ValueError: If a task is unknown, a weight negative or not finite,
                or if all weights would be zero. Then nothing has changed.
        """
        # Anything else than weights by name gets the error below.
        with contextlib.suppress(TypeError, ValueError):
            values = dict(values, **by_task)
        values = complete_loss_weights(values, dict(self))
        for task, value in values.items():
            self._by_task[task].assign(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_task)

    def __len__(self) -> int:
        return len(self._by_task)

    def __contains__(self, task: object) -> bool:
        return task in self._by_task

    def __repr__(self) -> str:
        return f"LossWeights({dict(self)})"

    def _check_known(self, task: str) -> None:
        if task not in self._by_task:
            raise KeyError(
                f"No task {task!r} in loss_weights. "
                f"{did_you_mean(task, self._by_task)}"
            )

    # A metric is reset at each epoch and updated at each step; weights stay.

    def reset_state(self) -> None:
        """Does nothing: weights outlive the epoch."""

    def result(self) -> dict[str, float]:
        """Returns the current weights."""
        return dict(self)

    # Stored by task, and tolerantly: files of plain Keras models, which hold
    # no loss weights, load as well.

    def save_own_variables(self, store) -> None:
        """Writes the weights into a Keras weight store."""
        for task, variable in self._by_task.items():
            store[task] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Reads those weights that a Keras weight store holds."""
        for task, variable in self._by_task.items():
            if task in store:
                variable.assign(store[task])


def complete_loss_weights(
    given: Mapping[str, float] | None, defaults: Mapping[str, float]
) -> dict[str, float]:
    """Checks loss weights and adds those of the tasks that are not named.

    Args:
        given: Weights by task name, for some or all tasks, or `None`.
        defaults: Weights by task name, for all tasks.

    Returns:
        Weights by task name, for all tasks.

    Raises:
        TypeError: If `given` is no dict or a weight no number.
        ValueError: If a task is unknown, a weight is negative or not finite,
            or if all weights are zero.
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise TypeError(
            f"loss_weights is {given!r} of type {type(given).__name__}; "
            "expected a dict from task name to weight, such as "
            f"{ {task: 1.0 for task in defaults} }. Keras would apply a list "
            "in alphabetical order of the tasks, so a list is refused."
        )
    weights = dict(defaults)
    for task, value in given.items():
        if task not in defaults:
            raise ValueError(
                f"loss_weights names {task!r}, which is no task of the model. "
                f"{did_you_mean(task, defaults)}"
            )
        weights[task] = _checked(task, value)
    if weights and not any(weights.values()):
        raise ValueError(
            f"loss_weights are all zero: {weights}. Nothing would be learned; "
            "give at least one task a weight above 0."
        )
    return weights


def _checked(task: str, value) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Task {task!r}: loss weight {value!r} is not a number."
        ) from error
    if not math.isfinite(number) or number < 0:
        raise ValueError(
            f"Task {task!r}: loss weight {number}; expected a finite number of "
            "0 or more. Use 0 to leave the task out."
        )
    return number
