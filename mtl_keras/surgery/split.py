"""Splitting a model into one model per task."""

from __future__ import annotations

import keras

from mtl_keras.surgery.independent_copy import independent_copy
from mtl_keras.surgery.pruning import extract_model, prune


def split(model: keras.Model, *, copy: bool = True) -> dict[str, keras.Model]:
    """Splits a model into one plain `keras.Model` per task.

    Each model has only what its task needs, including preprocessing: no
    layers, inputs or variables of other tasks. The predictions are those of
    the whole model.

    Args:
        model: A `MultiTaskModel`, or any functional `keras.Model` whose
            outputs are a dict.
        copy: Whether each model has separate variables, so that training one
            does not change another. Defaults to `True`. With `False`, the
            models share the layers of `model` and follow its training; layers
            with variables of several tasks then stay whole.

    Returns:
        Dict from task name to a `keras.Model`, in the order of the tasks. The
        models are not compiled, return a tensor and are named
        `<name of the model>_<task>`. Their inputs have the structure of those
        of `model`, without unneeded entries; a list of one input becomes a
        tensor.

    Raises:
        TypeError: If `model` is not functional, or its outputs are not a dict.

    Example:

    >>> model = mtl_keras.build_mlp((4,), num_classes=3)
    >>> alone = mtl_keras.split(model)
    >>> list(alone)
    ['left', 'right']
    >>> x = np.ones((2, 4))
    >>> together = model.predict(x, verbose=0)["left"]
    >>> np.allclose(alone["left"].predict(x, verbose=0), together, atol=1e-6)
    True
    """
    outputs = _outputs_by_task(model)
    parts = {
        task: extract_model(model, output, f"{model.name}_{task}")
        for task, output in outputs.items()
    }
    if not copy:
        return parts
    return {task: _copy(part) for task, part in parts.items()}


def _copy(part: keras.Model) -> keras.Model:
    pruned = prune(independent_copy(part))
    # Once more: pruning may have removed the only reader of an input.
    return extract_model(pruned, pruned.output, part.name)


def _outputs_by_task(model) -> dict:
    outputs = getattr(model, "output", None)
    if not isinstance(model, keras.Model) or not isinstance(outputs, dict):
        raise TypeError(
            f"model is a {type(model).__name__} whose outputs are a "
            f"{type(outputs).__name__}; expected a MultiTaskModel, or a "
            "functional keras.Model that returns a dict of outputs by task."
        )
    tasks = [task.name for task in getattr(model, "tasks", ())]
    return {name: outputs[name] for name in tasks or outputs}
