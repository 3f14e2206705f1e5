"""Targets of `None`, for tasks without labels in some data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tasks import Task
from mtl_keras.training.data.arrays import shapes_match
from mtl_keras.training.data.masked_targets import make_missing_targets


def replace_none_targets(y, x):
    """Replaces targets of `None` with missing labels.

    Args:
        y: Dict from task name to array or `None`. Only a dict is converted.
        x: Inputs; only the number of samples is used.

    Returns:
        Targets without `None`.
    """
    if not isinstance(y, Mapping) or all(v is not None for v in y.values()):
        return y
    return {
        name: make_missing_targets(count_samples(x))
        if target is None
        else target
        for name, target in y.items()
    }


def count_samples(x) -> int:
    """Counts the samples of inputs.

    Args:
        x: Inputs: an array, which may be sparse or a list, or a dict or list
            of arrays.
    """
    first = next(leaf for leaf in keras.tree.flatten(x) if leaf is not None)
    shape = getattr(first, "shape", ())
    return int(shape[0]) if len(shape) else len(first)


def replace_none_in_stream(stream, tasks: Sequence[Task], output_shapes):
    """Replaces targets of `None` in each batch of a stream.

    Args:
        stream: A stream of batches.
        tasks: The tasks.
        output_shapes: Dict from task name to output shape, without the batch
            axis.

    Returns:
        A stream of the same kind; unchanged if it cannot contain `None`.
    """
    if isinstance(stream, tf.data.Dataset):
        return _dataset_without_none(stream)
    if isinstance(stream, keras.utils.PyDataset):
        return _PyDatasetWithoutNone(stream, tasks, output_shapes)
    if isinstance(stream, Iterator):
        return _batches_without_none(stream, tasks, output_shapes)
    return stream


def _dataset_without_none(dataset: tf.data.Dataset) -> tf.data.Dataset:
    _, y, _ = keras.utils.unpack_x_y_sample_weight(dataset.element_spec)
    if not isinstance(y, Mapping):
        return dataset
    empty = [k for k, s in y.items() if s is None or _is_none_spec(s)]
    if not empty:
        return dataset

    def fill(*batch):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
        count = tf.shape(keras.tree.flatten(x)[0])[:1]
        y = {k: tf.fill(count, np.nan) if k in empty else y[k] for k in y}
        return (x, y) if sample_weight is None else (x, y, sample_weight)

    return dataset.map(fill)


def _is_none_spec(spec) -> bool:
    return isinstance(spec, type(tf.type_spec_from_value(None)))


class _TargetFormat:
    """The shape and dtype of a task's targets in all batches.

    Keras infers the format of a stream from its first batches, so `None` must
    be replaced by missing labels in the format of the other batches.
    """

    def __init__(self, task: Task, first, output_shape: tuple):
        self._task = task
        self._output_shape = output_shape
        if first is None:
            self._shape = task.target_shapes(output_shape)[0]
            self._dtype = np.dtype("float32")
            return
        first = np.asarray(first)
        self._shape = first.shape[1:]
        holds_missing = first.dtype.kind == "f" or (
            first.dtype.kind == "i" and task.missing_label == -1
        )
        wide = "int32" if task.missing_label == -1 else "float32"
        self._dtype = first.dtype if holds_missing else np.dtype(wide)

    def __call__(self, target, x) -> np.ndarray:
        """Converts the targets of a batch with inputs `x` to this format."""
        if target is None:
            missing = np.asarray(self._task.missing_label, self._dtype)
            shape = (count_samples(x), *self._resolve_shape(x))
            return np.full(shape, missing, self._dtype)
        target = np.asarray(target)
        if target.dtype.kind == "f" and self._dtype.kind != "f":
            target = self._check_integers(
                np.where(np.isnan(target), -1, target)
            )
        if not shapes_match(target.shape[1:], self._variable_shape()):
            raise ValueError(
                f"Task {self._task.name!r}: found a batch of targets of shape "
                f"{target.shape} after batches of shape "
                f"{('n', *self._shape)}; expected the same shape in all "
                "batches. If the first batch is None, this is the task's "
                "default shape, without a one-hot axis."
            )
        return target.astype(self._dtype, copy=False)

    def _variable_shape(self) -> tuple:
        """Returns the shape, with `None` where the output has any length."""
        return tuple(
            None
            if axis < len(self._output_shape)
            and self._output_shape[axis] is None
            else size
            for axis, size in enumerate(self._shape)
        )

    def _resolve_shape(self, x) -> tuple:
        """Returns the shape, with the lengths of the inputs for `None`."""
        first = next(one for one in keras.tree.flatten(x) if one is not None)
        lengths = tuple(np.shape(first))[1:]
        return tuple(
            size
            if size is not None
            else (lengths[axis] if axis < len(lengths) else 1)
            for axis, size in enumerate(self._variable_shape())
        )

    def _check_integers(self, target: np.ndarray) -> np.ndarray:
        fractions = target[target != np.rint(target)]
        if fractions.size:
            raise ValueError(
                f"Task {self._task.name!r}: found label {fractions[0]} in a "
                "batch; expected integers, as in the first batch."
            )
        return target


def _infer_formats(batch, tasks, output_shapes) -> dict[str, _TargetFormat]:
    _, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(y, Mapping):
        return {}
    return {
        task.name: _TargetFormat(task, y[task.name], output_shapes[task.name])
        for task in tasks
        if task.name in y
    }


def _format_batch(batch, formats: Mapping[str, _TargetFormat]):
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(y, Mapping):
        return batch
    y = {k: formats[k](v, x) if k in formats else v for k, v in y.items()}
    if sample_weight is None:
        return x, y
    if isinstance(sample_weight, Mapping):
        ones = np.ones(count_samples(x), "float32")
        sample_weight = {
            name: ones if weights is None else weights
            for name, weights in sample_weight.items()
        }
    return x, y, sample_weight


def _batches_without_none(batches: Iterator, tasks, output_shapes) -> Iterator:
    formats = None
    for batch in batches:
        if formats is None:
            formats = _infer_formats(batch, tasks, output_shapes)
        yield _format_batch(batch, formats)


class _PyDatasetWithoutNone(keras.utils.PyDataset):
    """A wrapper of a PyDataset that converts its batches to one format."""

    def __init__(self, dataset, tasks, output_shapes):
        super().__init__(
            workers=dataset.workers,
            use_multiprocessing=dataset.use_multiprocessing,
            max_queue_size=dataset.max_queue_size,
        )
        self._dataset = dataset
        # Now: several workers read the batches in any order.
        self._formats = _infer_formats(dataset[0], tasks, output_shapes)

    def __getitem__(self, index):
        return _format_batch(self._dataset[index], self._formats)

    @property
    def num_batches(self):
        return self._dataset.num_batches

    def on_epoch_begin(self):
        self._dataset.on_epoch_begin()

    def on_epoch_end(self):
        self._dataset.on_epoch_end()
