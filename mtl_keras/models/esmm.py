"""Click, conversion, and the product of their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras import trunks
from mtl_keras.models import arguments
from mtl_keras.models.assembly import finish, vector_inputs
from mtl_keras.tasks import BinaryClassification, Task
from mtl_keras.training import MultiTaskModel


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
    loss_weights: Mapping[str, float] | None = None,
    weighting=None,
    gradients: str = "parameters",
    optimizer="adam",
    compile: bool = True,
    weights=None,
    name: str = "esmm",
) -> MultiTaskModel:
    """Builds click, conversion, and the product of the two probabilities.

    Of all samples, some are clicked, and only these can convert. A conversion
    model that trains on clicked samples meets others when it serves all. Here
    the click and the product are trained on all samples,

        p(click and conversion) = p(click) * p(conversion | click),

    and the conversion follows from the two. The tasks share a trunk, the
    first part of each tower.

    Args:
        input_shape: Shape of one sample, `(features,)`. Longer shapes are
            flattened. Defaults to `(784,)`.
        tasks: Three binary classifications: of the click, of the conversion
            and of both. Defaults to `click`, `conversion` with a loss weight
            of 0, and `click_and_conversion`. Targets of the conversion may be
            missing where there was no click; they then serve its metrics.
        hidden_units: Width of each hidden layer of the trunk. Defaults to
            `(64,)`.
        trunk_width: Width of all of them, in place of `hidden_units`.
        trunk_depth: Their number, in place of `hidden_units`.
        tower_units: Width of each hidden layer between the trunk and a head.
            Defaults to `(16,)`.
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
        name: Name of the model. Defaults to `"esmm"`.

    Returns:
        A compiled `MultiTaskModel` whose outputs are named after the tasks.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If an argument is out of range, or two contradict.

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
    widths = arguments.resolve_widths(
        "hidden_units",
        hidden_units,
        trunk_width,
        trunk_depth,
        default=(64,),
        growth=1,
    )
    of_towers = arguments.resolve_widths(
        "tower_units", tower_units, None, None, default=(16,), growth=1
    )
    settings = arguments.mlp_settings(
        activation, normalization, dropout, l1, l2
    )

    inputs, x = vector_inputs(shape, preprocessing)
    x = trunks.mlp(x, widths, **settings)
    *single, product = tasks
    outputs = {
        task.name: task.head(
            trunks.mlp(x, of_towers, name=f"{task.name}_tower", **settings)
        )
        for task in single
    }
    multiply = keras.layers.Multiply(name=product.name, dtype="float32")
    outputs[product.name] = multiply(list(outputs.values()))
    return finish(
        inputs,
        outputs,
        tasks,
        loss_weights=loss_weights,
        weighting=weighting,
        gradients=gradients,
        optimizer=optimizer,
        compile=compile,
        weights=weights,
        name=name,
    )


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
            f"tasks are {kinds}; expected three BinaryClassifications: of the "
            "click, of the conversion and of both."
        )
    for task in tasks:
        if task.from_logits:
            raise ValueError(
                f"Task {task.name!r} has activation=None, and probabilities "
                "are multiplied here. Leave its activation out."
            )
