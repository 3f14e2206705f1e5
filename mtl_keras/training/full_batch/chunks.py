"""Chunks of samples, and metrics over all chunks."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.arrays import to_numpy
from mtl_keras.training.data.none_targets import count_samples
from mtl_keras.training.overrides import Overrides
from mtl_keras.training.run import Run
from mtl_keras.training.step import TestStep


def make_chunks(x, y, sample_weight, batch_size: int | None) -> list[tuple]:
    """Splits arrays into chunks of tensors.

    Args:
        x: Inputs: an array, or a dict or list of arrays.
        y: Targets, without `None`.
        sample_weight: `None`, an array, or a dict of arrays.
        batch_size: Samples per chunk, or `None` for one chunk.

    Returns:
        A list of `(x, y, sample_weight)`.

    Raises:
        TypeError: If an array is sparse or ragged.
    """
    data = keras.tree.map_structure(_to_dense, (x, y, sample_weight))
    count = count_samples(x)
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
            "it first, for example with toarray() or to_tensor()."
        )
    array = to_numpy(array)
    return (
        array.astype(keras.config.floatx())
        if array.dtype.kind == "f"
        else array
    )


def to_graph_function(model, function: Callable) -> Callable:
    """Converts a function to a graph, unless the model runs eagerly.

    Args:
        model: A compiled model.
        function: A function of tensors.
    """
    if model.run_eagerly:
        return function
    return tf.function(function, autograph=False, reduce_retracing=True)


class ChunkedMetrics:
    """Computes the losses and metrics of `evaluate` over all samples.

    It skips the checks and the input pipeline that `evaluate` creates at each
    call, which take longer than a pass over a small dataset.

    Args:
        model: A compiled and built `MultiTaskModel`.
        chunks: The samples, from `make_chunks`.
        complete: Whether all labels are present.
    """

    def __init__(self, model, chunks: list[tuple], complete: bool):
        self._model = model
        self._chunks = chunks
        self._reset = to_graph_function(model, self._reset_metrics)
        step = TestStep(
            model,
            model.compiled_parts,
            Run("test", complete),
            Overrides(model, type(model)),
        )
        self._step = to_graph_function(model, step)
        self._results = to_graph_function(model, self._read_metrics)

    def __call__(self) -> dict[str, float]:
        """Returns a dict of losses and metrics for the current weights."""
        self._reset()
        for chunk in self._chunks:
            self._step(chunk)
        return {
            name: _as_number(value) for name, value in self._results().items()
        }

    @property
    def _metrics(self) -> list[keras.metrics.Metric]:
        return self._model.compiled_parts.logs.metrics(training=False)

    def _reset_metrics(self) -> None:
        for metric in self._metrics:
            metric.reset_state()

    def _read_metrics(self) -> dict:
        results = {}
        for metric in self._metrics:
            result = metric.result()
            is_dict = isinstance(result, dict)
            results |= result if is_dict else {metric.name: result}
        return results


def _as_number(value):
    array = keras.ops.convert_to_numpy(value)
    return float(array) if array.ndim == 0 else array
