"""Loss weights as variables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import keras

from mtl_keras.spelling import did_you_mean


class LossWeights(keras.metrics.Metric):
    """A dict from task name to loss weight, stored in Keras variables.

    `model.loss_weights` is an instance. Assigning an item changes the next
    training step without retracing, also in a callback.

    It is a `keras.metrics.Metric` because this is the only public Keras class
    whose variables are saved with a model without being part of
    `model.weights`. It is not among the metrics of the model.

    Args:
        values: Dict from task name to loss weight.

    Raises:
        ValueError: If a weight is negative or not finite, or all weights are
            zero.

    Example:

    >>> weights = mtl_keras.training.LossWeights({"left": 1.0, "right": 2.0})
    >>> weights["right"] = 0.5
    >>> dict(weights)
    {'left': 1.0, 'right': 0.5}
    """

    def __init__(self, values: Mapping[str, float]):
        super().__init__(name="loss_weights")
        values = fill_loss_weights(values, values)
        self._by_task = {
            task: keras.Variable(
                value, trainable=False, dtype="float32", name=f"{task}_weight"
            )
            for task, value in values.items()
        }

    @property
    def variables_by_task(self) -> dict[str, keras.Variable]:
        """Dict from task name to the variable of its loss weight."""
        return dict(self._by_task)

    def __getitem__(self, task: str) -> float:
        self._check_known(task)
        # The shortest decimal of the float32: 0.3, not 0.30000001192092896.
        return float(str(self._by_task[task].numpy()))

    def __setitem__(self, task: str, value: float) -> None:
        self.update({task: value})

    def update(self, values: Mapping[str, float]) -> None:
        """Changes the loss weights of some tasks.

        Args:
            values: Dict from task name to new weight, 0 or more. Other tasks
                keep their weight.

        Raises:
            ValueError: If a task is unknown, a weight is negative or not
                finite, or all weights would be zero. No weight changes then.
        """
        values = fill_loss_weights(values, dict(self))
        for task, value in values.items():
            self._by_task[task].assign(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_task)

    def __len__(self) -> int:
        return len(self._by_task)

    def __contains__(self, task: object) -> bool:
        return task in self._by_task

    def keys(self) -> Iterable[str]:
        """Returns the task names."""
        return self._by_task.keys()

    def values(self) -> list[float]:
        """Returns the current weights, in the order of the tasks."""
        return [self[task] for task in self]

    def items(self) -> list[tuple[str, float]]:
        """Returns pairs of task name and current weight."""
        return [(task, self[task]) for task in self]

    def __repr__(self) -> str:
        return f"LossWeights({dict(self)})"

    def _check_known(self, task: str) -> None:
        if task not in self._by_task:
            raise KeyError(
                f"No task {task!r} in loss_weights. "
                f"{did_you_mean(task, self._by_task)}"
            )

    # Unlike the state of a metric, loss weights are not reset each epoch.

    def reset_state(self) -> None:
        """Does nothing: loss weights persist over epochs."""

    def result(self) -> dict[str, float]:
        """Returns the current weights."""
        return dict(self)

    # Missing entries are ignored, so that files of plain Keras models, which
    # contain no loss weights, can be loaded.

    def save_own_variables(self, store) -> None:
        """Saves the loss weights to a Keras weight store."""
        for task, variable in self._by_task.items():
            store[task] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Loads the loss weights that a Keras weight store contains."""
        for task, variable in self._by_task.items():
            if task in store:
                variable.assign(store[task])


def fill_loss_weights(
    given: Mapping[str, float] | None, defaults: Mapping[str, float]
) -> dict[str, float]:
    """Checks loss weights and fills in the defaults.

    Args:
        given: Dict from task name to weight, for some or all tasks, or `None`.
        defaults: Dict from task name to default weight, for all tasks.

    Returns:
        Dict from task name to weight, for all tasks.

    Raises:
        TypeError: If `given` is not a dict or a weight is not a number.
        ValueError: If a task is unknown, a weight is negative or not finite,
            or all weights are zero.
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping | LossWeights):
        raise TypeError(
            f"loss_weights is {given!r} of type {type(given).__name__}; "
            "expected a dict from task name to weight, such as "
            f"{ {task: 1.0 for task in defaults} }. A list is not supported, "
            "because Keras would apply it in alphabetical order of the tasks."
        )
    weights = dict(defaults)
    for task, value in given.items():
        if task not in defaults:
            raise ValueError(
                f"loss_weights names {task!r}, which is not a task of the "
                f"model. {did_you_mean(task, defaults)}"
            )
        weights[task] = _check_weight(task, value)
    if weights and not any(weights.values()):
        raise ValueError(
            f"loss_weights are all zero: {weights}. The model would not "
            "learn; set at least one weight above 0."
        )
    return weights


def _check_weight(task: str, value) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Task {task!r}: loss weight {value!r} is not a number."
        ) from error
    if not math.isfinite(number) or number < 0:
        raise ValueError(
            f"Task {task!r}: loss weight {number}; expected a finite number of "
            "0 or more. Use 0 to exclude the task."
        )
    return number
