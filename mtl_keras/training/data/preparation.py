"""Checks data before the first step and brings them into one form."""

from __future__ import annotations

from typing import NamedTuple

import keras

from mtl_keras.training.data.arrays import is_dense, to_numpy
from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.inputs_by_name import inputs_by_name
from mtl_keras.training.data.none_targets import (
    replace_none,
    replace_none_in_stream,
)
from mtl_keras.training.data.ragged_batches import with_any_length
from mtl_keras.training.data.streams import check_specification, is_stream
from mtl_keras.training.data.strings import with_object_strings
from mtl_keras.training.data.table_inputs import check_float64, raw_columns
from mtl_keras.training.data.target_checks import check_split, pair_with_tasks
from mtl_keras.training.data.target_form import to_array_form


class Prepared(NamedTuple):
    """Data that were checked.

    Args:
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets, or `None` for a stream.
        sample_weight: `None`, an array, or a dict from task name to arrays.
        complete: Whether no label of any task can be missing.
        unchecked: Whether the data are a stream, whose first batch is checked
            when it is read.
    """

    x: object
    y: object
    sample_weight: object
    complete: bool
    unchecked: bool

    def as_validation_data(self):
        """Returns what `keras.Model.fit` takes as `validation_data`."""
        if self.y is None and self.sample_weight is None:
            return self.x
        return keras.utils.pack_x_y_sample_weight(
            self.x, self.y, self.sample_weight
        )


def prepare(
    network,
    x,
    y=None,
    sample_weight=None,
    *,
    validation_split: float = 0.0,
    where: str = "",
    whole: bool = True,
) -> Prepared:
    """Checks data and brings them into the form that steps take.

    Arrays are checked whole, a stream by what it says of its batches. Targets
    of arrays get the rank and dtype of their task, pandas' columns become
    numpy arrays, `None` becomes missing labels, and a dict of inputs is
    matched to the model's inputs by name.

    Args:
        network: The model: its `tasks`, `task_output_shapes` and inputs count.
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets, or to `None`.
        sample_weight: `None`, an array, or a dict from task name to arrays.
        validation_split: As in `keras.Model.fit`.
        where: Says in errors which data it was, such as `"validation_data"`.
        whole: Whether these are all the data, so that a task without a single
            label is an error. Defaults to `True`.

    Raises:
        TypeError: If a container or dtype is of the wrong kind.
        ValueError: If names, shapes or values do not fit.
    """
    if x is None:
        raise TypeError(
            "x is None; expected inputs: an array, a dict of arrays, or a "
            "stream of batches such as a tf.data.Dataset."
        )
    x = with_object_strings(raw_columns(network, x))
    if is_stream(x):
        return _prepare_stream(network, x, y, sample_weight)
    x = inputs_by_name(network, keras.tree.map_structure(_as_array, x))
    check_float64(network, x)
    y = keras.tree.map_structure(_as_array, y)
    if isinstance(sample_weight, list | tuple):
        raise TypeError(
            f"sample_weight is a {type(sample_weight).__name__}; expected an "
            "array, or a dict from task name to array. Convert it with "
            "numpy.asarray."
        )
    sample_weight = keras.tree.map_structure(_as_array, sample_weight)
    complete = check_data(
        network, x, y, sample_weight, where=where, whole=whole
    )
    if validation_split and not complete:
        check_split(network, y, validation_split)
    targets = {
        task.name: to_array_form(
            task, target, network.task_output_shapes[task.name]
        )
        for task, target in pair_with_tasks(
            replace_none(y, x), network.tasks
        ).items()
    }
    return Prepared(x, targets, sample_weight, complete, unchecked=False)


def _prepare_stream(network, x, y, sample_weight) -> Prepared:
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} is given beside a stream of batches; expected batches "
                "(x, y) or (x, y, sample_weight) in the stream itself."
            )
    check_specification(network, x)
    complete = all(task.complete_labels for task in network.tasks)
    if not complete:
        x = replace_none_in_stream(x, network.tasks, network.task_output_shapes)
    x = with_any_length(network, x)
    return Prepared(x, None, None, complete, unchecked=True)


def _as_array(leaf):
    """Makes a numpy array of a column or frame of pandas."""
    if leaf is None or not is_dense(leaf) or not hasattr(leaf, "to_numpy"):
        return leaf
    return to_numpy(leaf)
