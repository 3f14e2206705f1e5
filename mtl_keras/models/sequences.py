"""What the networks on sequences have in common: trunk, pooling, checks."""

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
    """Puts a trunk on a sequence of vectors.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        kind: `"conv"`, `"gru"` or `"transformer"`.
        hidden_units: Width of each level.
        activation: Of convolutions and Transformers.
        num_heads: Of Transformers.
        kernel_size: Of convolutions.
        normalization: See `mtl_keras.trunks.normalize`.
        dropout: Share of channels to drop, in [0, 1).
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


def features_of_tasks(
    x,
    tasks: Sequence[Task],
    pooling: str,
    *,
    steps: int | None = None,
) -> dict:
    """Gives each task the steps, or one vector of them all.

    Args:
        x: Keras tensor of shape `(batch, steps, channels)`.
        tasks: The tasks.
        pooling: See `StepPooling`.
        steps: Fewest steps of those tasks that read them. Defaults to `None`:
            as many as there are.

    Returns:
        Dict from task name to features.

    Raises:
        ValueError: If a task reads neither.
    """
    pooled, by_step = None, x
    if steps is not None and x.shape[1] is None:
        # Here: the trunk need not compute what is padding in all sequences.
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
                f"of rank {task.feature_rank}; a sequence has one vector (a "
                "Classification, say) or a vector for each step (a "
                "SequenceTagging)."
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
    """Raises an error unless the arguments of a trunk are in range.

    Args:
        argument: Name of the argument that `kind` is, for messages.
        kind: One of `SEQUENCE_TRUNKS`.
        kernel_size: Odd, 1 or more.
        num_heads: 1 or more.
        normalization: One of `SEQUENCE_NORMALIZATIONS`.
        dropout: At least 0 and below 1.
        l1: 0 or more.
        l2: 0 or more.
    """
    if kind not in SEQUENCE_TRUNKS:
        raise ValueError(
            f"{argument}={kind!r}; expected one of {SEQUENCE_TRUNKS}."
        )
    arguments.check_trunk(normalization, dropout, l1, l2)
    if normalization not in SEQUENCE_NORMALIZATIONS:
        raise ValueError(
            f"normalization={normalization!r} mixes the steps of a sequence "
            f"with its padding; expected one of {SEQUENCE_NORMALIZATIONS}."
        )
    arguments.check_integer("num_heads", num_heads, least=1)
    if arguments.check_integer("kernel_size", kernel_size, least=1) % 2 == 0:
        raise ValueError(
            f"kernel_size={kernel_size}; expected an odd number, so that as "
            "many steps are read before a step as after it."
        )
