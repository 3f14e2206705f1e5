"""Towers whose kernels are one basis times a factor of each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.layers import LowRankDense
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import class_counts
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.towers import build_towers
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Classification, Task
from mtl_keras.training import MultiTaskModel


# The narrowest of the usual widths allows these ranks. Fewer inputs need a
# list with lower ones.
@factory("vectors", search_space={"rank": [2, 4, 8, 16]})
def build_low_rank_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | Sequence[int] | None = None,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    rank: int | Sequence[int] | None = None,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "low_rank_mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds towers whose kernels W_k = B V_k share one basis B.

    Each task k has a hidden layer at each level. The columns of its kernel are
    combinations of `rank` shared columns:

        x_k <- activation(x_k B V_k + b_k)

    Without arguments, it is a 2-way and a 3-way classification of one input.

    Args:
        tasks: List of tasks. Defaults to `Classification("two_way", 2)` and
            `Classification("three_way", 3)`.
        num_classes: Number of classes of both default tasks, or of each of
            them. Defaults to `(2, 3)`. Cannot be combined with `tasks`.
        hidden_units: Width of each hidden layer of each tower. Defaults to
            `(64,)`.
        rank: Number of columns of the basis: one number for all hidden layers
            or one for each, at most the full rank, which is the smaller of the
            numbers of inputs and units of a layer. K tasks have
            `inputs * rank + K * rank * units` kernel parameters at a level, in
            place of the `K * inputs * units` of full matrices. Defaults to
            half of the full rank.

    Reference:
        Kumar and Daume, "Learning Task Grouping and Overlap in Multi-task
        Learning", ICML 2012; Yang and Hospedales, "Deep Multi-task
        Representation Learning: A Tensor Factorisation Approach", ICLR 2017.

    Example:

    >>> model = mtl_keras.build_low_rank_mlp((20,), hidden_units=(10,), rank=4)
    >>> model.task_output_shapes
    {'three_way': (3,), 'two_way': (2,)}
    >>> layer = model.get_layer("trunk_dense_1")
    >>> layer.basis.shape, layer.factors[0].shape
    (TensorShape([20, 4]), TensorShape([4, 10]))
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, _default_tasks, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(64,)
    )
    arguments.check_hidden_layers(normalization, dropout, l1, l2)

    inputs, x = vector_inputs(shape, preprocessing)
    regularizer = trunks.kernel_regularizer(l1, l2)
    ranks = _resolve_ranks(rank, x.shape[-1], widths)
    levels = [
        LowRankDense(
            units,
            level_rank,
            len(tasks),
            use_bias=normalization is None,
            kernel_regularizer=regularizer,
            name=f"trunk_dense_{level}",
        )
        for level, (units, level_rank) in enumerate(
            zip(widths, ranks, strict=True), start=1
        )
    ]
    features = build_towers(
        [x] * len(tasks),
        tasks,
        len(levels),
        lambda level, task, x: levels[level - 1](x, task=task),
        activation=activation,
        normalization=normalization,
        dropout=dropout,
    )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    first, second = class_counts(num_classes, default=(2, 3))
    return [
        Classification("two_way", first),
        Classification("three_way", second),
    ]


def _resolve_ranks(rank, inputs: int, widths: Sequence[int]) -> list[int]:
    """Returns the rank of each hidden layer, or raises an error."""
    if not widths:
        full_ranks = []
    else:
        pairs = zip([inputs, *widths[:-1]], widths, strict=True)
        full_ranks = [min(pair) for pair in pairs]
    if rank is None:
        return [max(1, full_rank // 2) for full_rank in full_ranks]
    ranks = (
        list(rank) if isinstance(rank, Sequence) else [rank] * len(full_ranks)
    )
    if len(ranks) != len(full_ranks):
        raise ValueError(
            f"rank={rank!r} lists {len(ranks)} ranks for {len(full_ranks)} "
            "hidden layers; expected one number for all, or one for each."
        )
    for level, (number, full_rank) in enumerate(
        zip(ranks, full_ranks, strict=True), start=1
    ):
        if arguments.check_integer("rank", number, minimum=1) > full_rank:
            raise ValueError(
                f"rank={number} is above the full rank of hidden layer "
                f"{level}, {full_rank}. Choose a rank of at most {full_rank}, "
                "or wider layers."
            )
    return ranks
