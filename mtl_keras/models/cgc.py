"""Customized gate control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.models.ple import build_ple
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


def build_cgc(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    shared_experts: int = 4,
    task_experts: int = 2,
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
    name: str = "cgc",
) -> MultiTaskModel:
    """Builds experts of all tasks and experts of one task, mixed by gates.

    Customized gate control: the gate of a task weighs the experts that all
    share and its own, and sees none of another task's. Experts are computed
    together, those of each task and the shared ones.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: List of tasks. Defaults to `Classification("left", 10)` and
            `Classification("right", 10)`.
        num_classes: Classes of each default task. Defaults to 10; an error
            together with `tasks`.
        shared_experts: Number of experts that all tasks read, 0 or more.
            Defaults to `4`.
        task_experts: Number of experts of each task, 0 or more. Defaults to
            `2`.
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
        name: Name of the model. Defaults to `"cgc"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

    Reference:
        Tang et al., "Progressive Layered Extraction (PLE): A Novel Multi-Task
        Learning Model for Personalized Recommendations", RecSys 2020.

    Example:

    >>> model = mtl_keras.build_cgc((20,), shared_experts=3, task_experts=1)
    >>> model.get_layer("left_gate_1").units
    4
    """
    return build_ple(
        input_shape,
        tasks,
        num_classes=num_classes,
        levels=1,
        shared_experts=shared_experts,
        task_experts=task_experts,
        hidden_units=hidden_units,
        trunk_width=trunk_width,
        trunk_depth=trunk_depth,
        tower_units=tower_units,
        activation=activation,
        normalization=normalization,
        dropout=dropout,
        l1=l1,
        l2=l2,
        preprocessing=preprocessing,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


# What `mtl_keras.tuning` searches besides the usual arguments.
build_cgc.search_space = {
    "shared_experts": [1, 2, 4, 8],
    "task_experts": [1, 2, 4],
}
