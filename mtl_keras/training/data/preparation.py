"""Checks and converts data before the first step."""

from __future__ import annotations

from typing import NamedTuple

import keras

from mtl_keras.training.data.arrays import is_dense, to_numpy
from mtl_keras.training.data.checks import check_data
from mtl_keras.training.data.match_inputs import match_inputs
from mtl_keras.training.data.none_targets import (
    replace_none_in_stream,
    replace_none_targets,
)
from mtl_keras.training.data.streams import check_element_spec, is_stream
from mtl_keras.training.data.strings import to_object_strings
from mtl_keras.training.data.table_inputs import (
    check_float64,
    convert_raw_columns,
)
from mtl_keras.training.data.target_checks import (
    check_validation_split,
    pair_with_tasks,
)
from mtl_keras.training.data.target_form import to_array_form
from mtl_keras.training.data.variable_length import to_variable_length


class PreparedData(NamedTuple):
    """Checked and converted data.

    Args:
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets, or `None` for a stream.
        sample_weight: `None`, an array, or a dict from task name to arrays.
        complete: Whether all labels of all tasks are present.
        unchecked: Whether the data is a stream, whose first batch is checked
            when it is read.
    """

    x: object
    y: object
    sample_weight: object
    complete: bool
    unchecked: bool

    def as_validation_data(self):
        """Returns the argument `validation_data` of `keras.Model.fit`."""
        if self.y is None and self.sample_weight is None:
            return self.x
        return keras.utils.pack_x_y_sample_weight(
            self.x, self.y, self.sample_weight
        )


def prepare(
    model,
    x,
    y=None,
    sample_weight=None,
    *,
    validation_split: float = 0.0,
    where: str = "",
    whole: bool = True,
) -> PreparedData:
    """Checks data and converts them to the form that steps take.

    Arrays are checked completely, streams by their `element_spec`. Targets get
    the rank and dtype of their task, columns of pandas become numpy arrays,
    `None` becomes missing labels, and a dict of inputs is matched to the
    model's inputs by name.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs, or a stream of batches.
        y: Dict from task name to targets, or to `None`.
        sample_weight: `None`, an array, or a dict from task name to arrays.
            Defaults to `None`.
        validation_split: As in `keras.Model.fit`. Defaults to 0.
        where: Name of the data in errors, such as `"validation_data"`.
            Defaults to none.
        whole: Whether these are all samples, so that a task without labels is
            an error. Defaults to `True`.

    Returns:
        The `PreparedData`.

    Raises:
        TypeError: If a container or dtype is of the wrong kind.
        ValueError: If names, shapes or values do not match the model.
    """
    if x is None:
        raise TypeError(
            "x is None; expected inputs: an array, a dict of arrays, or a "
            "stream of batches such as a tf.data.Dataset."
        )
    x = to_object_strings(convert_raw_columns(model, x))
    if is_stream(x):
        return _prepare_stream(model, x, y, sample_weight)
    x = match_inputs(model, keras.tree.map_structure(_to_array, x))
    check_float64(model, x)
    y = keras.tree.map_structure(_to_array, y)
    if isinstance(sample_weight, list | tuple):
        raise TypeError(
            f"sample_weight is a {type(sample_weight).__name__}; expected an "
            "array, or a dict from task name to array. Convert it with "
            "numpy.asarray."
        )
    sample_weight = keras.tree.map_structure(_to_array, sample_weight)
    complete = check_data(model, x, y, sample_weight, where=where, whole=whole)
    if validation_split and not complete:
        check_validation_split(model, y, validation_split)
    targets = {
        task.name: to_array_form(
            task, target, model.task_output_shapes[task.name]
        )
        for task, target in pair_with_tasks(
            replace_none_targets(y, x), model.tasks
        ).items()
    }
    return PreparedData(x, targets, sample_weight, complete, unchecked=False)


def _prepare_stream(model, x, y, sample_weight) -> PreparedData:
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} is given with a stream of batches; expected batches "
                "(x, y) or (x, y, sample_weight) in the stream."
            )
    check_element_spec(model, x)
    complete = all(task.complete_labels for task in model.tasks)
    if not complete:
        x = replace_none_in_stream(x, model.tasks, model.task_output_shapes)
    x = to_variable_length(model, x)
    return PreparedData(x, None, None, complete, unchecked=True)


def _to_array(leaf):
    """Converts a column or data frame of pandas to a numpy array."""
    if leaf is None or not is_dense(leaf) or not hasattr(leaf, "to_numpy"):
        return leaf
    return to_numpy(leaf)
