"""Trunk, features and checks that networks on sequences have in common."""

from __future__ import annotations

from collections.abc import Sequence

from mtl_keras import sequence_trunks
from mtl_keras.layers import PadSteps, StepPooling
from mtl_keras.models import arguments
from mtl_keras.sequence_trunks import (
    SEQUENCE_NORMALIZATIONS,
    SEQUENCE_TRUNKS,
)
from mtl_keras.tasks import Task
from mtl_keras.trunks import kernel_regularizer


def encode(
    x,
    kind: str,
    hidden_units: Sequence[int],
    *,
    activation: str,
    num_heads: int,
    kernel_size: int,
    normalization: str | None,
    dropout: float,
    l1: float,
    l2: float,
):
    """Encodes a sequence of vectors by a trunk.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        kind: `"conv"`, `"gru"` or `"transformer"`.
        hidden_units: Width of each level.
        activation: Activation of convolutions and Transformers.
        num_heads: Number of attention heads of Transformers.
        kernel_size: Number of steps that a convolution reads.
        normalization: See `mtl_keras.normalization`.
        dropout: Dropout rate, in [0, 1).
        l1: Factor of the L1 penalty on the kernels.
        l2: Factor of the L2 penalty on the kernels.

    Returns:
        Features of shape `(batch, steps, channels)`.
    """
    settings = {
        "normalization": normalization,
        "dropout": dropout,
        "regularizer": kernel_regularizer(l1, l2),
    }
    if kind == "gru":
        return sequence_trunks.recurrent(x, hidden_units, **settings)
    settings["activation"] = activation
    if kind == "conv":
        return sequence_trunks.convolutional(
            x, hidden_units, kernel_size=kernel_size, **settings
        )
    return sequence_trunks.transformer(
        x, hidden_units, num_heads=num_heads, **settings
    )


def select_features(
    x,
    tasks: Sequence[Task],
    pooling: str,
    *,
    steps: int | None = None,
) -> dict:
    """Selects the features of each task: all steps, or one pooled vector.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        tasks: List of tasks.
        pooling: See `mtl_keras.layers.StepPooling`.
        steps: Minimum number of steps of the tasks that read all steps.
            Shorter batches are padded. Defaults to `None`, no padding.

    Returns:
        Dict from task name to features.

    Raises:
        ValueError: If a task reads features of another rank.
    """
    pooled, by_step = None, x
    if steps is not None and x.shape[1] is None:
        # After the trunk, which need not compute the padding of all sequences.
        by_step = PadSteps(steps, name="trunk_steps")(x)
    features = {}
    for task in tasks:
        if task.feature_rank == 3:
            features[task.name] = by_step
        elif task.feature_rank == 2:
            if pooled is None:
                pooled = StepPooling(pooling, name="trunk_pooling")(x)
            features[task.name] = pooled
        else:
            raise ValueError(
                f"Task {task.name!r} ({type(task).__name__}) reads features "
                f"of rank {task.feature_rank}; expected a task on the whole "
                "sequence, such as Classification, or on each step, such as "
                "SequenceTagging."
            )
    return features


def check_sequence_trunk(
    argument: str,
    kind: str,
    *,
    kernel_size: int,
    num_heads: int,
    normalization: str | None,
    dropout: float,
    l1: float,
    l2: float,
) -> None:
    """Checks the arguments of a trunk on sequences.

    Args:
        argument: Name of the argument `kind`, for error messages.
        kind: One of `SEQUENCE_TRUNKS`.
        kernel_size: Odd integer.
        num_heads: Integer of 1 or more.
        normalization: One of `SEQUENCE_NORMALIZATIONS`.
        dropout: Number of at least 0 and below 1.
        l1: Number of 0 or more.
        l2: Number of 0 or more.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If an argument is out of range.
    """
    if kind not in SEQUENCE_TRUNKS:
        raise ValueError(
            f"{argument}={kind!r}; expected one of {SEQUENCE_TRUNKS}."
        )
    arguments.check_hidden_layers(normalization, dropout, l1, l2)
    if normalization not in SEQUENCE_NORMALIZATIONS:
        raise ValueError(
            f"normalization={normalization!r} mixes the steps of a sequence "
            f"with its padding; expected one of {SEQUENCE_NORMALIZATIONS}."
        )
    arguments.check_integer("num_heads", num_heads, minimum=1)
    if arguments.check_integer("kernel_size", kernel_size, minimum=1) % 2 == 0:
        raise ValueError(
            f"kernel_size={kernel_size}; expected an odd number, so that a "
            "convolution reads as many steps before a step as after it."
        )
