"""Rows of the table that `model.tasks` prints."""

from __future__ import annotations

from mtl_keras.tasks.task_table import TaskRow, make_row


def task_rows(model) -> list[TaskRow]:
    """Returns a row for each task, with what the model was compiled with.

    Args:
        model: A `MultiTaskModel`. Before it is compiled, loss, weight and
            metrics are those of the task.
    """
    shapes = model.task_output_shapes
    compiled = model._compiled
    rows = []
    for task in model.tasks:
        loss, weight = task.loss, task.loss_weight
        metrics = [m if isinstance(m, str) else m.name for m in task.metrics]
        if compiled is not None:
            loss = compiled.losses.losses.get(task.name)
            weight = model.loss_weights[task.name]
            metrics = compiled.logs.task_metrics.names_of_task(task.name)
        rows.append(
            make_row(
                task,
                shapes[task.name],
                loss=loss,
                weight=weight,
                metrics=metrics,
            )
        )
    return rows
