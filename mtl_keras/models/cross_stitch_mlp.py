"""Cross-stitched multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Unpack

import keras

from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.default_tasks import left_and_right
from mtl_keras.models.factory import factory
from mtl_keras.models.heads import add_heads
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.stitched_towers import CrossStitches, dense_towers
from mtl_keras.models.towers import resolve_equal_widths
from mtl_keras.models.trunk_sizes import resolve_hidden_units
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel


@factory("vectors")
def build_cross_stitch_mlp(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
    num_classes: int | None = None,
    hidden_units: Sequence[int] | Mapping[str, Sequence[int]] | None = None,
    trunk_width: int | None = None,
    trunk_depth: int | None = None,
    own: float = 0.9,
    per_channel: bool = False,
    activation: str = "relu",
    normalization: str | None = None,
    dropout: float = 0.0,
    l1: float = 0.0,
    l2: float = 0.0,
    preprocessing: keras.layers.Layer | Sequence | None = None,
    name: str = "cross_stitch_mlp",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds towers of dense layers that are cross-stitched at each level.

    Task k continues with x_k <- sum_j alpha_kj x_j, where the alpha are
    trainable. `model.get_layer("cross_stitch_1").matrix` shows them.

    Args:
        hidden_units: Width of each hidden layer of a tower, the same for all
            towers. Defaults to `(64,)`.

    Reference:
        Misra et al., "Cross-stitch Networks for Multi-task Learning", CVPR
        2016.

    Example:

    >>> model = mtl_keras.build_cross_stitch_mlp((20,), hidden_units=(16, 8))
    >>> model.get_layer("cross_stitch_2").matrix.shape
    (2, 2)
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(
        tasks, left_and_right, num_classes=num_classes
    )
    widths = resolve_hidden_units(
        resolve_equal_widths("hidden_units", hidden_units, tasks),
        trunk_width,
        trunk_depth,
        default=(64,),
    )
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    features = dense_towers(
        [x] * len(tasks),
        tasks,
        widths,
        stitches=CrossStitches(len(tasks), own, per_channel),
        **settings,
    )
    outputs = add_heads(features, tasks)
    return build_model(inputs, outputs, tasks, name, **options)
