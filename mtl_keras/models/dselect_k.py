"""Experts of which each task selects a few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.layers import DSelectKGate
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.models.expert_mixtures import expert_mlps, mix
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_dselect_k(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_experts: int = 8,
    k: int = 2,
    gamma: float = 1.0,
    entropy: float = 0.0,
    per_sample: bool = False,
    hidden_units: Sequence[int] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    tower_units: Sequence[int] = (16,),
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
    name: str = "dselect_k",
) -> MultiTaskModel:
    """Builds experts that tasks share, of which each selects at most `k`.

    As `build_mmoe`, with gates that are smooth while they choose and exactly
    sparse once they have chosen (`mtl_keras.layers.DSelectKGate`).

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        num_experts: Number of experts, 2 or more. Defaults to `8`.
        k: Experts that a task selects at most. Defaults to `2`.
        gamma: Width of the smooth step of the gates: the smaller, the sooner
            they have chosen. Defaults to `1.0`.
        entropy: Factor of the entropy of the selectors, which is added to the
            loss and makes them choose. Defaults to `0`.
        per_sample: Whether gates choose for each sample by itself. Defaults
            to `False`: for the task.
        hidden_units: Width of each hidden layer of an expert. Defaults to
            `(16,)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
        tower_units: Width of each hidden layer between what a task mixes and
            its head. Defaults to `(16,)`.
        activation: Activation of the hidden layers. Defaults to `"relu"`.
        normalization: `"batch"`, `"group"`, `"layer"` or `None` (default). With
            `"layer"`, the experts of a layer have one scale and offset.
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
        name: Name of the model. Defaults to `"dselect_k"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Hazimeh et al., "DSelect-k: Differentiable Selection in the Mixture of
        Experts with Applications to Multi-Task Learning", NeurIPS 2021.

    Example:

    >>> model = mtl_keras.build_dselect_k((20,), num_experts=4, k=1)
    >>> model.get_layer("left_gate").k
    1
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks,
        lambda: arguments.left_and_right(num_classes),
        num_classes=num_classes,
    )
    gates = {
        task.name: DSelectKGate(
            num_experts,
            k,
            gamma=gamma,
            entropy=entropy,
            per_sample=per_sample,
            name=f"{task.name}_gate",
        )
        for task in tasks
    }
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(16,),
        growth=1,
        least_levels=1,
    )
    of_towers = arguments.resolve_widths(
        "tower_units", tower_units, None, None, default=(16,), growth=1
    )
    settings = arguments.mlp_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    experts = expert_mlps(x, num_experts, widths, **settings)
    features = {
        name: trunks.mlp(
            mix(experts, x, name, gate),
            of_towers,
            name=f"{name}_tower",
            **settings,
        )
        for name, gate in gates.items()
    }
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


# What `mtl_keras.tuning` searches besides the usual arguments.
build_dselect_k.search_space = {"num_experts": [4, 8, 16], "k": [1, 2, 4]}
