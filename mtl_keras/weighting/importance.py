"""Fixed weights, from importances or sample counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from mtl_keras.weighting.arguments import check_task_names, check_task_numbers
from mtl_keras.weighting.present_tasks import weighted_sum
from mtl_keras.weighting.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class Importance(Weighting):
    """Fixed weights that sum to the number of tasks.

    The weights are importances, scaled to a mean of 1. Pass the importances, or
    the number of labelled samples of each task. Importances are then inversely
    proportional to the sample counts, which supports tasks with few labels, or
    proportional.

    Args:
        importances: Dict from the name of every task to its importance, 0 or
            more and not all 0.
        sample_counts: Dict from the name of every task to its number of
            labelled samples, greater than 0.
        inverse: Whether weights are inversely proportional to
            `sample_counts`. Defaults to `True`.
        name: Name of the weighting.

    Raises:
        TypeError: If an argument is not a dict.
        ValueError: If both or neither of `importances` and `sample_counts` are
            given, a value is out of range, or the names are not those of the
            model's tasks.

    Example:

    >>> weighting = mtl_keras.weighting.Importance(
    ...     sample_counts={"left": 100, "right": 300}
    ... )
    >>> weighting.build(["left", "right"])
    >>> float(weighting.combine(np.array([1.0, 0.0], "float32")))
    1.5
    """

    def __init__(
        self,
        importances: Mapping[str, float] | None = None,
        sample_counts: Mapping[str, float] | None = None,
        inverse: bool = True,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if (importances is None) == (sample_counts is None):
            raise ValueError(
                f"importances={importances!r} and sample_counts="
                f"{sample_counts!r}; expected exactly one of them, such as "
                "Importance(sample_counts={'left': 100, 'right': 300}). For "
                "equal weights use 'equal'."
            )
        if sample_counts is not None:
            sample_counts = check_task_numbers(
                "sample_counts", sample_counts, greater_than=0
            )
        if importances is not None:
            importances = check_task_numbers(
                "importances", importances, min_value=0
            )
            if not any(importances.values()):
                raise ValueError(
                    f"importances={importances} are all zero. Set at least one "
                    "to more than 0, or nothing is learned."
                )
        self.importances = importances
        self.sample_counts = sample_counts
        self.inverse = bool(inverse)

    def build(self, task_names: Sequence[str]) -> None:
        """Computes the weights. See `Weighting.build`."""
        super().build(task_names)
        argument, given = "importances", self.importances
        if given is None:
            argument, given = "sample_counts", self.sample_counts
        check_task_names(argument, given, task_names)
        lacking = [task for task in task_names if task not in given]
        if lacking:
            raise ValueError(
                f"{argument} lacks {lacking}; expected a number for each task "
                f"of the model: {list(task_names)}."
            )
        powers = {"importances": 1, "sample_counts": 1 - 2 * self.inverse}
        values = [given[task] ** powers[argument] for task in task_names]
        scale = len(values) / sum(values)
        self._weights = [value * scale for value in values]

    def combine(self, losses):
        """Sums the weighted losses. See `Weighting.combine`."""
        return weighted_sum(losses, tf.constant(self._weights))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "importances": _plain(self.importances),
            "sample_counts": _plain(self.sample_counts),
            "inverse": self.inverse,
        }


def _plain(values):
    return None if values is None else dict(values)
