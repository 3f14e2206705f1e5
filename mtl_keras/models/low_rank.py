"""Towers whose kernels are one basis times a factor of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import LowRankDense
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.models.towers import towers
from mtl_keras.tasks import Classification, Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "low_rank_mlp",
) -> MultiTaskModel:
    """Builds towers whose kernels are W_k = B V_k, with one basis B for all.

    Each task k has a hidden layer of its own at each level, of which the
    columns of the kernel are combinations of `rank` shared ones:

        x_k <- activation(x_k B V_k + b_k)

    Without arguments it is a 2-way and a 3-way classification of one input.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("two_way", 2)` and
            `Classification("three_way", 3)`.
        num_classes: Classes of the two default tasks, one number for both or
            two. Defaults to `(2, 3)`; an error together with `tasks`.
        hidden_units: Width of each hidden layer of each tower. Defaults to
            `(64,)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
        rank: Columns of the basis, at most the smaller one of the numbers of
            inputs and units of a layer, which is the full rank. One number
            for all hidden layers or one for each. Defaults to half of the
            full rank. K tasks have `inputs * rank + K * rank * units` kernel
            parameters at a level, in place of the `K * inputs * units` of
            full matrices.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default).
        dropout: Dropout rate after each hidden layer, in [0, 1). Defaults to
            `0`.
        l1: Factor of the L1 penalty on the hidden layers' kernels. Defaults to
            `0`.
        l2: Factor of the L2 penalty on the hidden layers' kernels. Defaults to
            `0`.
        preprocessing: Keras layer, or list of layers, between the inputs and
            the first layer, such as an adapted `keras.layers.Normalization`.
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
        name: Name of the model. Defaults to `"low_rank_mlp"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
        tasks,
        lambda: _default_tasks(num_classes),
        num_classes=num_classes,
    )
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(64,),
        growth=1,
    )
    arguments.check_trunk(normalization, dropout, l1, l2)

    inputs, x = vector_inputs(shape, preprocessing)
    regularizer = trunks.kernel_regularizer(l1, l2)
    levels = [
        LowRankDense(
            units,
            of_level,
            len(tasks),
            use_bias=normalization is None,
            kernel_regularizer=regularizer,
            name=f"trunk_dense_{level}",
        )
        for level, (units, of_level) in enumerate(
            zip(widths, _ranks(rank, x.shape[-1], widths), strict=True),
            start=1,
        )
    ]
    features = towers(
        [x] * len(tasks),
        tasks,
        len(levels),
        lambda level, task, x: levels[level - 1](x, task=task),
        activation=activation,
        normalization=normalization,
        dropout=dropout,
    )
    return assemble(
        inputs,
        features,
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


# What `mtl_keras.tuning` searches besides the usual arguments. The least of the
# usual widths has these ranks; fewer inputs need a list of their own.
build_low_rank_mlp.search_space = {"rank": [2, 4, 8, 16]}


def _default_tasks(num_classes: int | Sequence[int] | None) -> list[Task]:
    if num_classes is None:
        num_classes = (2, 3)
    if not isinstance(num_classes, Sequence):
        num_classes = (num_classes, num_classes)
    if len(num_classes) != 2:
        raise ValueError(
            f"num_classes={num_classes!r}; expected one number, or one for "
            "each of the two default tasks, such as (2, 3)."
        )
    return [
        Classification(name, count)
        for name, count in zip(
            ("two_way", "three_way"), num_classes, strict=True
        )
    ]


def _ranks(rank, inputs: int, widths: Sequence[int]) -> list[int]:
    """The rank of each hidden layer, checked before any is built."""
    full = (
        [min(pair) for pair in zip([inputs, *widths[:-1]], widths, strict=True)]
        if widths
        else []
    )
    if rank is None:
        return [max(1, number // 2) for number in full]
    ranks = list(rank) if isinstance(rank, Sequence) else [rank] * len(full)
    if len(ranks) != len(full):
        raise ValueError(
            f"rank={rank!r} lists {len(ranks)} ranks for {len(full)} hidden "
            "layers; expected one number for all, or one for each."
        )
    for level, (number, most) in enumerate(
        zip(ranks, full, strict=True), start=1
    ):
        if arguments.check_integer("rank", number, least=1) > most:
            raise ValueError(
                f"rank={number} is above the full rank of hidden layer "
                f"{level}, {most}. Choose a rank of at most {most}, or wider "
                "layers."
            )
    return ranks
