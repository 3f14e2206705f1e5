"""Results of `evaluate`, grouped by task."""

from __future__ import annotations

from mtl_keras.evaluation.task_predictions import check_has_tasks


def evaluate_by_task(
    model, x, y=None, *, batch_size: int | None = None
) -> dict[str, dict[str, float]]:
    """Evaluates a model and groups the results by task.

    Args:
        model: A compiled `MultiTaskModel`.
        x: Inputs, or a stream of batches `(x, y)`.
        y: Dict from task name to targets. Left out with a stream.
        batch_size: Samples per batch. Defaults to `32`; left out with a
            stream.

    Returns:
        Dict from task name to a dict of its metrics, the primary one first,
        then the terms of the loss if they are logged, and the loss.

    Raises:
        TypeError: If the model has no tasks.
        ValueError: If the data does not fit the model.

    Example:

    ```python
    results = mtl_keras.evaluation.evaluate_by_task(model, x, y)
    results["segmentation"]["iou"]
    ```
    """
    check_has_tasks(model)
    flat = model.evaluate(
        x, y, batch_size=batch_size, verbose=0, return_dict=True
    )
    results = {}
    for task in model.tasks:
        names = [m if isinstance(m, str) else m.name for m in task.metrics]
        names.sort(key=lambda name, task=task: name != task.primary_metric)
        if task.log_loss_terms:
            loss = model.compiled_parts.losses.losses[task.name]
            names += [f"{term}_loss" for term in loss.term_names]
        results[task.name] = {
            name: float(flat[f"{task.name}_{name}"])
            for name in (*names, "loss")
        }
    return results
