"""Training, validation and test part of a data set, with its tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from mtl_keras.datasets.arguments import check_count
from mtl_keras.datasets.reading.source import Source
from mtl_keras.datasets.samples import Samples
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.training.data.encoded_inputs import mark_encoded


@dataclasses.dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test part of a data set, with its tasks.

    `from_csv` and the other functions `from_*` return it. Every part is a
    batched `tf.data.Dataset` of `(x, y)` with a known number of batches, and y
    a dict of targets named after the tasks. The order of the training part
    differs in each epoch. The same seed gives the same orders, if
    `keras.utils.set_random_seed` is called with the same seed or not at all.

    Args:
        train: The training part.
        validation: The part for `validation_data`, or `None`.
        test: The part for the final evaluation, or `None`.
        tasks: Tuple of the tasks that fit the targets, for a factory.
        indices: Dict from the name of a part to an integer array, the indices
            of its samples in the source.
        input_names: Tuple with the name of each column of a table's inputs,
            `"column=category"` for a one-hot column. Defaults to `()`.
        source: The `Source` that reads the samples. Defaults to `None`.
        groups: Integer array of shape `(samples,)`, the group of each sample.
            Defaults to `None`.
        encoding: `TableEncoding` of a table. Defaults to `None`.

    Example:

    ```python
    data = mtl_keras.datasets.from_csv("patients.csv", tasks=["stage"])
    model = mtl_keras.build_mlp(
        input_shape=data.input_shape, tasks=data.tasks
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is shuffled already
        epochs=10,
    )
    model.evaluate(data.test, return_dict=True)
    ```
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset | None
    test: tf.data.Dataset | None
    tasks: tuple[Task, ...]
    indices: Mapping[str, np.ndarray] = dataclasses.field(repr=False)
    input_names: tuple[str, ...] = ()
    source: Source | None = dataclasses.field(default=None, repr=False)
    groups: np.ndarray | None = dataclasses.field(default=None, repr=False)
    encoding: Any = dataclasses.field(default=None, repr=False)

    @property
    def input_shape(self) -> tuple | dict[str, tuple]:
        """Shape of the inputs of one sample, for a factory.

        With several inputs, it is a dict of shapes.
        """
        spec = self.train.element_spec[0]
        if isinstance(spec, Mapping):
            return {name: tuple(s.shape[1:]) for name, s in spec.items()}
        if spec.dtype == tf.string:  # sentences with any number of tokens
            return (None,)
        return tuple(spec.shape[1:])

    def arrays(self, part: str = "train") -> Samples:
        """Reads a part into memory.

        Args:
            part: String, `"train"`, `"validation"` or `"test"`. Defaults to
                `"train"`.

        Returns:
            `(x, y)`, in the order of the source.

        Raises:
            ValueError: If the part does not exist.

        Example:

        ```python
        x_test, y_test = data.arrays("test")
        mtl_keras.evaluation.plot_predictions(model, x_test, y_test)
        ```
        """
        if part not in self.indices:
            raise ValueError(
                f"`part` must name a part, found {part!r}. "
                f"{did_you_mean(part, self.indices)} A part whose fraction is "
                "0 does not exist."
            )
        x, y = self.source.arrays(self.indices[part])
        return (x if self.encoding is None else mark_encoded(x)), y

    def serving_model(self, model):
        """Adds the encoding of a table to a model.

        Args:
            model: A `MultiTaskModel` that was trained on these data.

        Returns:
            A model that takes the raw columns of the table, see
            `mtl_keras.tables.with_raw_columns`.

        Raises:
            ValueError: If the data do not come from a table.

        Example:

        ```python
        data.serving_model(model).export("saved_model")
        ```
        """
        if self.encoding is None:
            raise ValueError(
                "These data do not come from a table, so their inputs have no "
                "encoding. Export the model itself."
            )
        return self.encoding.serving_model(model)


def make_splits(
    source: Source,
    tasks: tuple[Task, ...],
    parts: Mapping[str, np.ndarray],
    *,
    batch_size: int,
    seed: int,
    input_names: tuple[str, ...] = (),
    groups: np.ndarray | None = None,
    encoding: Any = None,
    shuffle: bool = True,
) -> Splits:
    """Makes the parts of a source.

    Args:
        source: The `Source` of the samples.
        tasks: Tuple of the tasks that fit the targets.
        parts: Dict from part to indices, from `partition`.
        batch_size: Integer, samples per batch.
        seed: Integer, seed of the order of the training part.
        input_names: Tuple of the names of input columns. Defaults to `()`.
        groups: Integer array, the group of each sample. Defaults to `None`.
        encoding: `TableEncoding` of a table. Defaults to `None`.
        shuffle: Boolean, whether to shuffle the training part. Defaults to
            `True`.

    Returns:
        The `Splits`.

    Raises:
        ValueError: If the batch size is out of range.
    """
    check_count("batch_size", batch_size)
    batches = {
        part: source.batches(
            indices, batch_size, seed if shuffle and part == "train" else None
        )
        for part, indices in parts.items()
    }
    if encoding is not None:
        for stream in batches.values():
            mark_encoded(stream)
    return Splits(
        train=batches["train"],
        validation=batches.get("validation"),
        test=batches.get("test"),
        tasks=tasks,
        indices=parts,
        input_names=input_names,
        source=source,
        groups=groups,
        encoding=encoding,
    )
