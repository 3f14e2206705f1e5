"""Multi-gate mixture of experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import assemble, vector_inputs
from mtl_keras.models.expert_mixtures import expert_mlps, mix
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_mmoe(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    num_experts: int = 8,
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
    name: str = "mmoe",
) -> MultiTaskModel:
    """Builds experts that all tasks share, and a gate and a tower a task.

    Task k reads

        h_k(sum_e softmax(x G_k)_e f_e(x))

    of the experts f_e, its gate G_k and its tower h_k. The experts are
    computed together. One expert is hard sharing.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        num_experts: Number of experts, 1 or more. Defaults to `8`.
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
        name: Name of the model. Defaults to `"mmoe"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Ma et al., "Modeling Task Relationships in Multi-task Learning with
        Multi-gate Mixture-of-Experts", KDD 2018.

    Example:

    >>> model = mtl_keras.build_mmoe((20,), num_experts=4)
    >>> model.get_layer("experts_dense_1").kernel.shape
    TensorShape([20, 4, 16])
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks,
        lambda: arguments.left_and_right(num_classes),
        num_classes=num_classes,
    )
    arguments.check_integer("num_experts", num_experts, least=1)
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
        task.name: trunks.mlp(
            mix(experts, x, task.name),
            of_towers,
            name=f"{task.name}_tower",
            **settings,
        )
        for task in tasks
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
build_mmoe.search_space = {"num_experts": [2, 4, 8, 16]}
