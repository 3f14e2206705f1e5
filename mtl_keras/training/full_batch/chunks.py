"""Samples in chunks, and the metrics over all of them."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.arrays import to_numpy
from mtl_keras.training.data.none_targets import number_of_samples
from mtl_keras.training.overrides import Overrides
from mtl_keras.training.run import Run
from mtl_keras.training.step import TestStep


def make_chunks(x, y, sample_weight, batch_size: int | None) -> list[tuple]:
    """Cuts arrays into chunks of tensors.

    Args:
        x: Inputs: an array, or a dict or list of arrays.
        y: Targets, without `None`.
        sample_weight: `None`, an array, or a dict of arrays.
        batch_size: Samples of a chunk, or `None` for all in one.

    Returns:
        A list of `(x, y, sample_weight)`.

    Raises:
        TypeError: If an array is sparse or ragged.
    """
    data = keras.tree.map_structure(_to_dense, (x, y, sample_weight))
    count = number_of_samples(x)
    size = count if batch_size is None else batch_size
    return [
        keras.tree.map_structure(
            lambda array, start=start: (
                None
                if array is None
                else tf.convert_to_tensor(array[start : start + size])
            ),
            data,
        )
        for start in range(0, count, size)
    ]


def _to_dense(array) -> np.ndarray | None:
    if array is None:
        return None
    if hasattr(array, "tocsr") or isinstance(
        array, tf.SparseTensor | tf.RaggedTensor
    ):
        raise TypeError(
            f"Found a {type(array).__name__}; expected dense arrays. Convert "
            "it first, for instance with its toarray() or to_tensor()."
        )
    array = to_numpy(array)
    return (
        array.astype(keras.config.floatx())
        if array.dtype.kind == "f"
        else array
    )


def in_graph(model, function: Callable) -> Callable:
    """Compiles a function into a graph, unless the model runs eagerly.

    Args:
        model: A compiled model.
        function: A function of tensors.
    """
    if model.run_eagerly:
        return function
    return tf.function(function, autograph=False, reduce_retracing=True)


class ChunkedMetrics:
    """Losses and metrics of a model over all samples, as `evaluate` gives.

    It does without the checks and the pipeline that `evaluate` makes anew at
    each call, which would take longer than a pass over a small data set.

    Args:
        model: A compiled and built `MultiTaskModel`.
        chunks: The samples, from `make_chunks`.
        complete: Whether no label is missing.
    """

    def __init__(self, model, chunks: list[tuple], complete: bool):
        self._model = model
        self._chunks = chunks
        self._reset = in_graph(model, self._reset_metrics)
        step = TestStep(
            model,
            model.compiled_parts,
            Run("test", complete),
            Overrides(model, type(model)),
        )
        self._step = in_graph(model, step)
        self._results = in_graph(model, self._read_metrics)

    def __call__(self) -> dict[str, float]:
        """Measures the model with the weights that it has now."""
        self._reset()
        for chunk in self._chunks:
            self._step(chunk)
        return {
            name: _as_number(value) for name, value in self._results().items()
        }

    @property
    def _metrics(self) -> list[keras.metrics.Metric]:
        return self._model.compiled_parts.logs.metrics(trains=False)

    def _reset_metrics(self) -> None:
        for metric in self._metrics:
            metric.reset_state()

    def _read_metrics(self) -> dict:
        found = {}
        for metric in self._metrics:
            result = metric.result()
            is_dict = isinstance(result, dict)
            found |= result if is_dict else {metric.name: result}
        return found


def _as_number(value):
    array = keras.ops.convert_to_numpy(value)
    return float(array) if array.ndim == 0 else array
