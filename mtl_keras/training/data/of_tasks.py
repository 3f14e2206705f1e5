"""Data of some of a model's tasks, out of data of all."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import keras
import tensorflow as tf


def of_tasks(x, y, sample_weight, tasks: Collection[str]) -> tuple:
    """Keeps the targets and weights of some tasks.

    Args:
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets; `None` for a stream.
        sample_weight: `None`, an array, or a dict from task name to arrays.
        tasks: Names of the tasks.

    Returns:
        The same three, of the same kinds.

    Raises:
        TypeError: If `x` is a stream of another kind than those of `tf.data`,
            `keras.utils.PyDataset` and iterators.
    """
    if y is not None:
        return x, _of_tasks(y, tasks), _of_tasks(sample_weight, tasks)
    if isinstance(x, tf.data.Dataset):
        return x.map(lambda *batch: _batch(batch, tasks)), None, None
    if isinstance(x, keras.utils.PyDataset):
        return _OfTasks(x, tasks), None, None
    if isinstance(x, Iterator):
        return (_batch(batch, tasks) for batch in x), None, None
    raise TypeError(
        f"x is a {type(x).__name__}, of which the targets of some tasks cannot "
        "be taken; expected arrays with y, a tf.data.Dataset, a "
        "keras.utils.PyDataset or an iterator."
    )


def _of_tasks(values, tasks: Collection[str]):
    if not isinstance(values, Mapping):
        return values
    return {name: values[name] for name in values if name in tasks}


def _batch(batch, tasks: Collection[str]) -> tuple:
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    return keras.utils.pack_x_y_sample_weight(
        x, _of_tasks(y, tasks), _of_tasks(sample_weight, tasks)
    )


class _OfTasks(keras.utils.PyDataset):
    """Another PyDataset, with the targets of some tasks."""

    def __init__(self, dataset: keras.utils.PyDataset, tasks):
        super().__init__(
            workers=dataset.workers,
            use_multiprocessing=dataset.use_multiprocessing,
            max_queue_size=dataset.max_queue_size,
        )
        self._dataset, self._tasks = dataset, tasks

    def __getitem__(self, index):
        return _batch(self._dataset[index], self._tasks)

    @property
    def num_batches(self):
        return self._dataset.num_batches

    def on_epoch_begin(self):
        self._dataset.on_epoch_begin()

    def on_epoch_end(self):
        self._dataset.on_epoch_end()
