"""Puts a new task on a trained model."""

from __future__ import annotations

import keras

from mtl_keras.spelling import did_you_mean
from mtl_keras.surgery.features import named_features, shared_features
from mtl_keras.surgery.independent_copy import independent_copy
from mtl_keras.surgery.pruning import prune
from mtl_keras.tasks import Task
from mtl_keras.training import MultiTaskModel
from mtl_keras.training.overrides import derive_model_class

TRUNKS = ("frozen", "fine_tuned", "joint")


def add_task(
    model: MultiTaskModel,
    task: Task,
    *,
    features=None,
    trunk: str = "frozen",
    name: str | None = None,
    **compile_arguments,
) -> MultiTaskModel:
    """Puts a new head on what a trained model has learned.

    The model itself stays as it is: the new one is an independent copy of it
    with another head. What trains in it is a choice:

    - `trunk="frozen"`: the new head alone. All other variables, and so the
      predictions of the other tasks, stay what they are to the bit. Fit it
      with `None` as the targets of the other tasks.
    - `trunk="fine_tuned"`: the new head and what it reads. The heads of the
      other tasks would no longer fit, so the new model has the new task alone.
    - `trunk="joint"`: everything, with all tasks.

    Args:
        model: A `MultiTaskModel`.
        task: The new task.
        features: What the new head reads: the name of a layer, or a Keras
            tensor made of the model's, such as
            `keras.layers.GlobalAveragePooling2D()(model.get_layer(...).output)`.
            Defaults to what the tasks share: the one tensor of the rank of the
            new head that the shared part of the graph hands to the tasks.
        trunk: `"frozen"` (default), `"fine_tuned"` or `"joint"`.
        name: Name of the new model. Defaults to that of `model`.
        **compile_arguments: As in `MultiTaskModel.compile`. What is left out
            is as `model` was compiled: an optimizer of the same settings,
            without its state, and with `trunk="joint"` also losses, metrics,
            current loss weights and weighting.

    Returns:
        A compiled `MultiTaskModel`.

    Raises:
        TypeError: If an argument is of the wrong kind.
        ValueError: If the name of the task is taken, `trunk` is none of the
            three, or the features are ambiguous, unknown, of another rank, or
            there are none.

    Example:

    >>> model = mtl_keras.build_mlp((4,), num_classes=3)
    >>> task = mtl_keras.Regression("size")
    >>> extended = mtl_keras.add_task(model, task)
    >>> extended.output_names
    ['left', 'right', 'size']
    >>> [v.path for v in extended.trainable_variables]
    ['size/kernel', 'size/bias']
    >>> y = {"left": None, "right": None, "size": np.ones(8)}
    >>> history = extended.fit(np.ones((8, 4)), y, verbose=0)

    Reference:
        Yosinski et al., "How transferable are features in deep neural
        networks?", NeurIPS 2014.
    """
    _check(model, task, trunk)
    if features is None:
        tensor = shared_features(model, task)
    else:
        tensor = named_features(model, task, features)
    with model.distribute_strategy.scope():
        extended = _extended(model, task, tensor, trunk, name or model.name)
        extended.compile(
            **_compile_arguments(model, task, trunk, compile_arguments)
        )
    return extended


def _check(model, task, trunk: str) -> None:
    if not isinstance(model, MultiTaskModel):
        raise TypeError(
            f"model is a {type(model).__name__}; expected a MultiTaskModel."
        )
    if not isinstance(task, Task):
        raise TypeError(
            f"task is {task!r} of type {type(task).__name__}; expected a task "
            "such as mtl_keras.Regression('size')."
        )
    if trunk not in TRUNKS:
        raise ValueError(
            f"trunk={trunk!r}; expected one of {TRUNKS}. "
            f"{did_you_mean(str(trunk), TRUNKS)}"
        )
    if task.name in model.output_names:
        raise ValueError(
            f"Model {model.name!r} has a task {task.name!r} already. Give the "
            "new task another name."
        )
    if task.name in {layer.name for layer in model.layers}:
        raise ValueError(
            f"Task name {task.name!r} is also the name of a layer of model "
            f"{model.name!r}. Give the task another name."
        )


def _extended(model, task: Task, tensor, trunk: str, name: str):
    """A copy of the model with the new head, of which the right part trains."""
    names = [] if trunk == "fine_tuned" else [t.name for t in model.tasks]
    outputs = [model.output[each] for each in names]
    copy = independent_copy(keras.Model(model.input, [*outputs, tensor]))
    if trunk == "frozen":
        copy.trainable = False
    elif trunk == "fine_tuned":
        copy = prune(copy)
    *outputs, features = copy.outputs
    outputs = dict(zip(names, outputs, strict=True))
    outputs[task.name] = task.head(features)
    tasks = [t for t in model.tasks if t.name in names]
    return derive_model_class(model, MultiTaskModel)(
        copy.input, outputs, name=name, tasks=[*tasks, task]
    )


def _compile_arguments(model, task: Task, trunk: str, given: dict) -> dict:
    """What the new model is compiled with."""
    arguments = {"optimizer": "adam"}
    if model.compiled:
        config = model.get_compile_config()
        del config["tasks"]
        arguments = keras.saving.deserialize_keras_object(config)
    if trunk != "joint":
        # Of one loss there is nothing to weigh, and no log but its own.
        for argument in ("weighting", "gradients", "monitor", "loss_weights"):
            arguments.pop(argument, None)
        others = [] if trunk == "fine_tuned" else model.output_names
        arguments["loss"] = dict.fromkeys(others)
        arguments["metrics"] = {name: [] for name in others}
        arguments["weighted_metrics"] = None
    by_task = ("loss", "loss_weights", "metrics", "weighted_metrics")
    for argument, value in given.items():
        if argument in by_task and isinstance(arguments.get(argument), dict):
            value = {**arguments[argument], **(value or {})}
        arguments[argument] = value
    return arguments
