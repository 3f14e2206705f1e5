"""Targets of `None`, which say that a task has no labels here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.tasks import Task
from mtl_keras.training.data.arrays import shape_fits
from mtl_keras.training.data.masked_targets import unlabelled


def replace_none(y, x):
    """Puts missing labels where the targets of a task are `None`.

    Args:
        y: Dict from task name to array or `None`; anything else is returned
            as it is.
        x: Inputs, for the number of samples.

    Returns:
        Targets without `None`.
    """
    if not isinstance(y, Mapping) or all(v is not None for v in y.values()):
        return y
    return {
        name: unlabelled(number_of_samples(x)) if target is None else target
        for name, target in y.items()
    }


def number_of_samples(x) -> int:
    """Counts the samples of inputs, which may be sparse or lists.

    Args:
        x: Inputs: an array, or a dict or list of arrays.
    """
    first = next(leaf for leaf in keras.tree.flatten(x) if leaf is not None)
    shape = getattr(first, "shape", ())
    return int(shape[0]) if len(shape) else len(first)


def replace_none_in_stream(stream, tasks: Sequence[Task], output_shapes):
    """Does for each batch of a stream what `replace_none` does for arrays.

    Args:
        stream: What `fit` takes and reads batch by batch.
        tasks: The tasks.
        output_shapes: Dict from task name to the shape of its output without
            the batch axis.

    Returns:
        A stream of the same kind. One that cannot hold `None` is returned as
        it is.
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


class _Form:
    """The shape and dtype that a task's targets have in all batches.

    Keras reads the form of a stream off its first batches, so `None` must
    come in the form of the labels that it stands in for.
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
        """Returns a batch of targets in this form, for inputs of a batch."""
        if target is None:
            missing = np.asarray(self._task.missing_label, self._dtype)
            shape = (number_of_samples(x), *self._lengths(x))
            return np.full(shape, missing, self._dtype)
        target = np.asarray(target)
        if target.dtype.kind == "f" and self._dtype.kind != "f":
            target = self._whole(np.where(np.isnan(target), -1, target))
        if not shape_fits(target.shape[1:], self._open_shape()):
            raise ValueError(
                f"Task {self._task.name!r}: found a batch of targets of shape "
                f"{target.shape} after batches of shape "
                f"{('n', *self._shape)}; expected one form throughout. Where "
                "the first batch is None, that is the task's plain form: "
                "integers for classes."
            )
        return target.astype(self._dtype, copy=False)

    def _open_shape(self) -> tuple:
        """The shape, with `None` where the output may have any length."""
        return tuple(
            None
            if axis < len(self._output_shape)
            and self._output_shape[axis] is None
            else size
            for axis, size in enumerate(self._shape)
        )

    def _lengths(self, x) -> tuple:
        """The shape, with the lengths of the inputs where any will do."""
        first = next(one for one in keras.tree.flatten(x) if one is not None)
        lengths = tuple(np.shape(first))[1:]
        return tuple(
            size
            if size is not None
            else (lengths[axis] if axis < len(lengths) else 1)
            for axis, size in enumerate(self._open_shape())
        )

    def _whole(self, target: np.ndarray) -> np.ndarray:
        fractions = target[target != np.rint(target)]
        if fractions.size:
            raise ValueError(
                f"Task {self._task.name!r}: found label {fractions[0]} in a "
                "batch; expected integers, as in the first batch."
            )
        return target


def _forms(batch, tasks, output_shapes) -> dict[str, _Form]:
    _, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(y, Mapping):
        return {}
    return {
        task.name: _Form(task, y[task.name], output_shapes[task.name])
        for task in tasks
        if task.name in y
    }


def _in_form(batch, forms: Mapping[str, _Form]):
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(y, Mapping):
        return batch
    y = {k: forms[k](v, x) if k in forms else v for k, v in y.items()}
    if sample_weight is None:
        return x, y
    if isinstance(sample_weight, Mapping):
        ones = np.ones(number_of_samples(x), "float32")
        sample_weight = {
            name: ones if weights is None else weights
            for name, weights in sample_weight.items()
        }
    return x, y, sample_weight


def _batches_without_none(batches: Iterator, tasks, output_shapes) -> Iterator:
    forms = None
    for batch in batches:
        if forms is None:
            forms = _forms(batch, tasks, output_shapes)
        yield _in_form(batch, forms)


class _PyDatasetWithoutNone(keras.utils.PyDataset):
    """Another PyDataset, whose batches come in one form."""

    def __init__(self, dataset, tasks, output_shapes):
        super().__init__(
            workers=dataset.workers,
            use_multiprocessing=dataset.use_multiprocessing,
            max_queue_size=dataset.max_queue_size,
        )
        self._dataset = dataset
        # Now, because several workers read in any order.
        self._forms = _forms(dataset[0], tasks, output_shapes)

    def __getitem__(self, index):
        return _in_form(self._dataset[index], self._forms)

    @property
    def num_batches(self):
        return self._dataset.num_batches

    def on_epoch_begin(self):
        self._dataset.on_epoch_begin()

    def on_epoch_end(self):
        self._dataset.on_epoch_end()
