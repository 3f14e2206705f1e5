"""Data set of a mixture that is in memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.mixing.images import ImageAdaptation
from mtl_keras.datasets.mixing.signature import ArraySpec, Signature


class ArrayDataSet:
    """Data set of a mixture that is in memory.

    Args:
        name: Name of the data set, for errors.
        x: Array of inputs.
        y: Mapping from task name to an array of targets.
        adaptation: The `ImageAdaptation` of its images.

    Raises:
        ValueError: If it is empty, or the lengths of arrays differ.
    """

    def __init__(
        self, name: str, x, y: Mapping, adaptation: ImageAdaptation
    ) -> None:
        self.x, self.y = np.asarray(x), {t: np.asarray(y[t]) for t in y}
        _check(name, self.x, self.y)
        self.size = len(self.x)
        self.nbytes = sum(a.nbytes for a in (self.x, *self.y.values()))
        self.own = Signature(
            _spec(self.x), {t: _spec(values) for t, values in self.y.items()}
        )
        self.signature = adaptation.signature(name, self.own)
        self.adaptation = adaptation

    def adapted(self, part: slice) -> tuple:
        """Adapts samples.

        Args:
            part: Slice of samples.

        Returns:
            `(x, y)`, tensors.
        """
        samples = (
            self.x[part],
            {t: values[part] for t, values in self.y.items()},
        )
        x, y = tf.nest.map_structure(tf.convert_to_tensor, samples)
        return self.adaptation(x, y, self.own)


def _spec(array: np.ndarray) -> ArraySpec:
    return ArraySpec(array.shape[1:], array.dtype)


def _check(name: str, x: np.ndarray, y: Mapping[str, np.ndarray]) -> None:
    if x.ndim == 0 or not len(x):
        raise ValueError(
            f"Data set {name!r} is empty: its inputs have the shape {x.shape}. "
            "Leave it out, or pass at least one sample."
        )
    for task, targets in y.items():
        if targets.shape[:1] != x.shape[:1]:
            raise ValueError(
                f"Data set {name!r}: task {task!r} has targets of shape "
                f"{targets.shape} for {len(x)} inputs; expected one per input."
            )
