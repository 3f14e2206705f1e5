"""Entire space model: click, conversion, and the product of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.build_model import ModelOptions, build_model
from mtl_keras.models.factory import factory
from mtl_keras.models.inputs import vector_inputs
from mtl_keras.models.trunk_sizes import resolve_hidden_units, resolve_widths
from mtl_keras.tasks import BinaryClassification, Task
from mtl_keras.training import MultiTaskModel


@factory("vectors")
def build_esmm(
    input_shape: Sequence[int] = (784,),
    tasks: Sequence[Task] | None = None,
    *,
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
    name: str = "esmm",
    **options: Unpack[ModelOptions],
) -> MultiTaskModel:
    """Builds an entire space model (ESMM) of clicks and conversions.

    Only samples that are clicked can convert. A model of the conversion that
    trains on clicked samples is biased when it serves all samples. Here, the
    click and the product of both probabilities train on all samples,

        p(click and conversion) = p(click) * p(conversion | click),

    and the conversion follows from the two. The tasks share a trunk, the first
    part of each tower.

    Args:
        tasks: Three binary classifications: the click, the conversion and
            both. Targets of the conversion may be missing where there was no
            click; its metrics use the others. Defaults to `click`,
            `conversion` with a loss weight of 0, and `click_and_conversion`.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64,)`.
        tower_units: Width of each hidden layer between the trunk and a head.
            Defaults to `(16,)`.

    Reference:
        Ma et al., "Entire Space Multi-Task Model: An Effective Approach for
        Estimating Post-Click Conversion Rate", SIGIR 2018.

    Example:

    >>> model = mtl_keras.build_esmm((20,))
    >>> p = model.predict(np.ones((1, 20)), verbose=0)
    >>> np.allclose(p["click_and_conversion"], p["click"] * p["conversion"])
    True
    """
    shape = arguments.check_vector_shape(input_shape)
    tasks = arguments.resolve_tasks(tasks, _default_tasks)
    _check_tasks(tasks)
    widths = resolve_hidden_units(
        hidden_units, trunk_width, trunk_depth, default=(64,)
    )
    tower_widths = resolve_widths("tower_units", tower_units, default=(16,))
    settings = arguments.dense_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    x = trunks.mlp(x, widths, **settings)
    *factors, product = tasks
    outputs = {
        task.name: task.head(
            trunks.mlp(x, tower_widths, name=f"{task.name}_tower", **settings)
        )
        for task in factors
    }
    multiply = keras.layers.Multiply(name=product.name, dtype="float32")
    outputs[product.name] = multiply(list(outputs.values()))
    return build_model(inputs, outputs, tasks, name, **options)


def _default_tasks() -> list[Task]:
    return [
        BinaryClassification("click"),
        BinaryClassification("conversion", loss_weight=0.0),
        BinaryClassification("click_and_conversion"),
    ]


def _check_tasks(tasks: Sequence[Task]) -> None:
    kinds = [type(task).__name__ for task in tasks]
    if kinds != ["BinaryClassification"] * 3:
        raise ValueError(
            f"tasks are {kinds}; expected three BinaryClassifications: the "
            "click, the conversion and both."
        )
    for task in tasks:
        if task.from_logits:
            raise ValueError(
                f"Task {task.name!r} has activation=None, but build_esmm "
                "multiplies probabilities. Leave its activation out."
            )
