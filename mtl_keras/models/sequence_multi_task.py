"""Recurrent, convolutional or attention trunk on sequences of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras.layers import PaddingMask
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import preprocess
from mtl_keras.models.sequences import (
    check_sequence_trunk,
    encode,
    select_features,
)
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Classification, SequenceTagging, Task
from mtl_keras.training import MultiTaskModel


@factory("sequences")
def build_sequence_multi_task(
    input_shape: Sequence[int | None] = (100, 40),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    trunk: str = "gru",
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    padding_value: float | None = None,
    kernel_size: int = 5,
    num_heads: int = 4,
    pooling: str = "average",
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "sequence_multi_task",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds a network on sequences of numbers whose trunk all tasks share.

    Suits sensor signals, audio features and similar data. Tasks on whole
    sequences (a `Classification`, a `Regression`) read the pooled steps; a
    `SequenceTagging` reads each step.

    Sequences of different lengths go into one array with `padding_value` at
    their ends, as `keras.utils.pad_sequences(..., padding="post")` creates it.
    Padding then changes no prediction and adds nothing to losses and metrics.

    Args:
        input_shape: Shape of one sequence, `(steps, channels)`. The steps may
            be `None`. Defaults to `(100, 40)`.
        tasks: List of tasks. Defaults to `Classification("sequence", 10)` and
            `SequenceTagging("step", 10)`.
        num_classes: Number of classes of each default task. Defaults to 10.
            Cannot be combined with `tasks`.
        trunk: `"gru"`, bidirectional GRUs; `"conv"`, convolutions, each with
            twice the dilation of the one before; or `"transformer"`.
            Defaults to `"gru"`.
        hidden_units: Width of each level of the trunk, for GRUs in each
            direction. Defaults to `(64, 64)`.
        padding_value: Value of all channels of the padding steps at the end of
            a sequence, before `preprocessing`. Defaults to `None`, no padding.
        normalization: Normalization after each level: `"batch"`, `"layer"` or
            `None`. With several replicas and padding, each replica has
            separate batch statistics. Defaults to `None`.

    Example:

    >>> from mtl_keras import Classification
    >>> model = mtl_keras.build_sequence_multi_task(
    ...     (100, 40),
    ...     [Classification("digit", 10), Classification("speaker", 6)],
    ...     trunk="conv",
    ...     padding_value=0.0,
    ... )
    >>> model.task_output_shapes
    {'digit': (10,), 'speaker': (6,)}
    """
    shape = arguments.check_input_shape(input_shape, 2, "(100, 40)")
    tasks = arguments.resolve_tasks(
        tasks, _default_tasks, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(64, 64), min_levels=1
    )
    settings = {
        "kernel_size": kernel_size,
        "num_heads": num_heads,
        "normalization": normalization,
        "dropout": dropout,
        "l1": l1,
        "l2": l2,
    }
    check_sequence_trunk("trunk", trunk, **settings)
    _check_padding_value(padding_value)

    inputs = keras.Input(shape, name="sequence_input")
    x = preprocess(inputs, preprocessing)
    if padding_value is not None:
        x = PaddingMask(padding_value, name="padding_mask")([x, inputs])
    x = encode(x, trunk, widths, activation=activation, **settings)
    outputs = add_heads(select_features(x, tasks, pooling), tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _default_tasks(num_classes: int | None) -> list[Task]:
    count = 10 if num_classes is None else num_classes
    return [Classification("sequence", count), SequenceTagging("step", count)]


def _check_padding_value(value) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"padding_value={value!r} is not a number.")
    if not math.isfinite(value):
        raise ValueError(
            f"padding_value={value!r}; expected a finite number, because "
            "inputs must be finite."
        )
