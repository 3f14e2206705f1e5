"""Takes a model apart into one model a task."""

from __future__ import annotations

import keras

from mtl_keras.surgery.independent_copy import independent_copy
from mtl_keras.surgery.pruning import model_of, prune


def split(model: keras.Model, *, copy: bool = True) -> dict[str, keras.Model]:
    """Takes a model apart into one plain `keras.Model` a task.

    Each of them holds what its task needs and nothing else, preprocessing
    included: layers and inputs that other tasks alone read are gone, and so
    are the other tasks' variables in layers that hold those of several. The
    predictions are those of the whole model.

    Args:
        model: A `MultiTaskModel`, or any functional `keras.Model` whose
            outputs are a dict.
        copy: Whether each model has variables of its own, so that it can be
            trained without changing another. Defaults to `True`. `False`
            makes models of the layers of `model`, which follow it as it
            trains; layers that hold variables of several tasks stay whole.

    Returns:
        Dict from task name to a `keras.Model`, in the order of the tasks. It
        is not compiled, returns a tensor and is named
        `<name of the model>_<task>`. Its input has the structure of the
        whole model's, without the entries that it does not need; a list of
        one is a tensor.

    Raises:
        TypeError: If `model` is not functional, or its outputs are no dict.

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
        task: model_of(model, output, f"{model.name}_{task}")
        for task, output in outputs.items()
    }
    if not copy:
        return parts
    return {task: _own(part) for task, part in parts.items()}


def _own(part: keras.Model) -> keras.Model:
    pruned = prune(independent_copy(part))
    # Once more: an output that was left out may have been all that read one
    # of the inputs.
    return model_of(pruned, pruned.output, part.name)


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
