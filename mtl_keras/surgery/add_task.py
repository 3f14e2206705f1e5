"""New tasks on trained models."""

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
    """Adds a task to a trained model, with a new head.

    The new model is an independent copy; `model` does not change. `trunk`
    selects what trains:

    - `"frozen"`: only the new head. All other variables, and the predictions
      of the other tasks, stay equal to the bit. Fit the model with `None` as
      the targets of the other tasks.
    - `"fine_tuned"`: the new head and the layers that it reads. The heads of
      the other tasks would no longer fit these layers, so the new model has
      only the new task.
    - `"joint"`: all layers, with all tasks.

    Args:
        model: A `MultiTaskModel`.
        task: The new task.
        features: The input of the new head: the name of a layer, or a Keras
            tensor computed from those of the model, such as
            `keras.layers.GlobalAveragePooling2D()(model.get_layer(...).output)`.
            Defaults to the shared features: the one tensor of the right rank
            that the shared layers pass to the tasks.
        trunk: `"frozen"` (default), `"fine_tuned"` or `"joint"`.
        name: Name of the new model. Defaults to that of `model`.
        **compile_arguments: As in `MultiTaskModel.compile`. The defaults are
            those that `model` was compiled with: an optimizer with the same
            settings, without its state, and with `trunk="joint"` also losses,
            metrics, current loss weights and weighting.

    Returns:
        A compiled `MultiTaskModel`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the name of the task is taken, `trunk` has another
            value, or the features are ambiguous, unknown, missing or have the
            wrong rank.

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
        extended = _extend(model, task, tensor, trunk, name or model.name)
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
            f"Model {model.name!r} already has a task {task.name!r}. Give the "
            "new task another name."
        )
    if task.name in {layer.name for layer in model.layers}:
        raise ValueError(
            f"Task name {task.name!r} is also the name of a layer of model "
            f"{model.name!r}. Give the task another name."
        )


def _extend(model, task: Task, tensor, trunk: str, name: str):
    """Copies the model and adds the head; sets which layers train."""
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
    """Returns the arguments of `compile` for the new model."""
    arguments = {"optimizer": "adam"}
    if model.compiled:
        config = model.get_compile_config()
        del config["tasks"]
        arguments = keras.saving.deserialize_keras_object(config)
    if trunk != "joint":
        # Only one loss is left: there is nothing to weight or to monitor.
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
