"""Selects the targets of some tasks from data of all tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import keras
import tensorflow as tf


def select_tasks(x, y, sample_weight, tasks: Collection[str]) -> tuple:
    """Selects the targets and sample weights of some tasks.

    Args:
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets; `None` for a stream.
        sample_weight: `None`, an array, or a dict from task name to arrays.
        tasks: Names of the tasks.

    Returns:
        A tuple `(x, y, sample_weight)` of the same types.

    Raises:
        TypeError: If `x` is a stream and neither a `tf.data.Dataset`, a
            `keras.utils.PyDataset` nor an iterator.
    """
    if y is not None:
        return x, _select(y, tasks), _select(sample_weight, tasks)
    if isinstance(x, tf.data.Dataset):
        return x.map(lambda *batch: _select_batch(batch, tasks)), None, None
    if isinstance(x, keras.utils.PyDataset):
        return _TaskSelection(x, tasks), None, None
    if isinstance(x, Iterator):
        return (_select_batch(batch, tasks) for batch in x), None, None
    raise TypeError(
        f"x is a {type(x).__name__}, from which targets cannot be selected; "
        "expected arrays with y, a tf.data.Dataset, a keras.utils.PyDataset "
        "or an iterator."
    )


def _select(values, tasks: Collection[str]):
    if not isinstance(values, Mapping):
        return values
    return {name: values[name] for name in values if name in tasks}


def _select_batch(batch, tasks: Collection[str]) -> tuple:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    return keras.utils.pack_x_y_sample_weight(
        x, _select(y, tasks), _select(sample_weight, tasks)
    )


class _TaskSelection(keras.utils.PyDataset):
    """A wrapper of a PyDataset with the targets of some tasks."""

    def __init__(self, dataset: keras.utils.PyDataset, tasks):
        super().__init__(
            workers=dataset.workers,
            use_multiprocessing=dataset.use_multiprocessing,
            max_queue_size=dataset.max_queue_size,
        )
        self._dataset, self._tasks = dataset, tasks

    def __getitem__(self, index):
        return _select_batch(self._dataset[index], self._tasks)

    @property
    def num_batches(self):
        return self._dataset.num_batches

    def on_epoch_begin(self):
        self._dataset.on_epoch_begin()

    def on_epoch_end(self):
        self._dataset.on_epoch_end()
