"""Recurrent, convolutional or attention trunk on sequences of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import keras

from mtl_keras.layers import PaddingMask
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, preprocess
from mtl_keras.models.sequences import (
    check_sequence_trunk,
    encode,
    features_of_tasks,
)
from mtl_keras.tasks import Classification, SequenceTagging, Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "sequence_multi_task",
) -> MultiTaskModel:
    """Builds a network on sequences of numbers whose trunk all tasks share.

    For signals of sensors, features of speech, and the like. Tasks are on
    whole sequences (a `Classification`, a `Regression`), which read the pooled
    steps, or on each step (a `SequenceTagging`).

    Sequences of several lengths go into one array with `padding_value` at
    their ends (`keras.utils.pad_sequences(..., padding="post")` makes it).
    Padding then changes no prediction, and steps of it add nothing to losses
    and metrics.

    Args:
        input_shape: Shape of one sequence, `(steps, channels)`; the steps may
            be `None`. Defaults to `(100, 40)`.
        tasks: List of tasks. Defaults to `Classification("sequence", 10)` and
            `SequenceTagging("step", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        trunk: `"gru"` (default), bidirectional; `"conv"`, convolutions that
            each reach twice as far as the one before; or `"transformer"`.
        hidden_units: Width of each level of the trunk, for GRUs in each
            direction. Defaults to `(64, 64)`.
        trunk_width: Width of all levels, in place of `hidden_units`.
        trunk_depth: Number of levels, in place of `hidden_units`.
        padding_value: Steps at the end of which all channels have this value
            are padding, as the input is before `preprocessing`. Defaults to
            `None`: all steps count.
        kernel_size: Steps that a convolution reads, odd. Defaults to `5`.
        num_heads: Attention heads of a Transformer. Defaults to `4`.
        pooling: `"average"` (default) or `"max"` over the steps.
        activation: Activation of convolutions and Transformers; GRUs keep
            theirs. Defaults to `"relu"`.
        normalization: `"batch"`, `"layer"` or `None` (default) after each
            level. On several replicas, and with padding, each has batch
            statistics of its own.
        dropout: Dropout rate after each level, in [0, 1). Defaults to `0`.
        l1: Factor of the L1 penalty on the trunk's kernels. Defaults to `0`.
        l2: Factor of the L2 penalty on the trunk's kernels. Defaults to `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the trunk, such as an adapted `keras.layers.Normalization`; saved
            and exported with the model.
        loss_weights: Dict from task name to weight. Tasks that it leaves out
            keep their own.
        weighting: Name, config or instance of a weighting (see
            `mtl_keras.weighting.table()`). Defaults to `None`, the weighted
            sum of the task losses.
        gradients: `"parameters"` (default) or `"features"`: the gradients that
            a weighting compares, see `MultiTaskModel.compile`.
        optimizer: Name or instance of a Keras optimizer. Defaults to
            `"adam"`.
        compile: Whether to compile the model. Defaults to `True`.
        weights: Path of a `.weights.h5` or `.keras` file to start from.
        name: Name of the model. Defaults to `"sequence_multi_task"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
        tasks, lambda: _default_tasks(num_classes), num_classes=num_classes
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(64, 64),
        growth=1,
        least_levels=1,
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
    return assemble(
        inputs,
        features_of_tasks(x, tasks, pooling),
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


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
            f"padding_value={value!r}; expected a finite number, since inputs "
            "that are not finite are refused."
        )
