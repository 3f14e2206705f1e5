"""Evaluates and plots parts of the data of a recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.samples import Samples
from mtl_keras.datasets.streamed_samples import StreamedSamples
from mtl_keras.evaluation import (
    TaskPrediction,
    evaluate_by_task,
    plot_predictions,
    read_predictions,
)
from mtl_keras.training import MultiTaskModel
from mtl_keras.zoo.recipe_data import Part

# Maximum number of images in a plot.
_MAX_IMAGES = 8


def evaluate_part(
    model: MultiTaskModel, part: Part, batch_size: int
) -> dict[str, dict[str, float]]:
    """Evaluates a model on a part.

    Args:
        model: A compiled `MultiTaskModel`.
        part: The part.
        batch_size: Batch size.

    Returns:
        Dict from task name to a dict of its metrics, see `evaluate_by_task`,
        for the tasks that the part has targets of.
    """
    if isinstance(part, StreamedSamples):
        return evaluate_by_task(model, part.batches(batch_size))
    x, y = part
    results = evaluate_by_task(
        model,
        x,
        {task.name: y.get(task.name) for task in model.tasks},
        batch_size=batch_size,
    )
    return {name: metrics for name, metrics in results.items() if name in y}


def task_names(part: Part) -> list[str]:
    """Returns the names of the tasks that a part has targets of.

    Args:
        part: The part.
    """
    streams = isinstance(part, StreamedSamples)
    _, y = part.element_spec if streams else part
    return list(y)


def first_samples(part: Part, count: int | None) -> Samples:
    """Reads the first samples of a part.

    Args:
        part: The part.
        count: Number of samples, or `None` for all.

    Returns:
        `(x, y)`, arrays.
    """
    if isinstance(part, StreamedSamples):
        return part.select(slice(count)).arrays()
    x, y = part
    return x[:count], {name: targets[:count] for name, targets in y.items()}


def read_part(
    model: MultiTaskModel,
    part: Part,
    *,
    num_samples: int | None = None,
    batch_size: int = 64,
) -> list[TaskPrediction]:
    """Predicts the samples of a part, see `read_predictions`.

    Args:
        model: A `MultiTaskModel`.
        part: The part.
        num_samples: Number of samples, from the first one. Defaults to `None`,
            all samples.
        batch_size: Batch size of a streamed part. Defaults to `64`.

    Returns:
        A `TaskPrediction` for each task. For a streamed part, tasks on pixels
        are omitted, since their maps may not fit into memory.
    """
    if not isinstance(part, StreamedSamples):
        return read_predictions(model, *first_samples(part, num_samples))
    part = part.select(slice(num_samples))
    batches = [
        [
            prediction
            for prediction in read_predictions(model, x.numpy(), _as_numpy(y))
            if prediction.task.labels_per != "pixel"
        ]
        for x, y in part.batches(batch_size)
    ]
    return [_join(parts) for parts in zip(*batches, strict=True)]


def _as_numpy(y) -> dict:
    return {name: targets.numpy() for name, targets in y.items()}


def _join(predictions: Sequence[TaskPrediction]) -> TaskPrediction:
    """Concatenates the predictions of one task."""
    fields = ("predicted", "confidence", "true")
    joined = {
        field: np.concatenate(values)
        for field in fields
        if (values := [getattr(p, field) for p in predictions])[0] is not None
    }
    return dataclasses.replace(predictions[0], **joined)


def plot_part(model: MultiTaskModel, part: Part):
    """Plots the predictions of a model on a part.

    Args:
        model: A compiled `MultiTaskModel`.
        part: The part. Only the samples in the plot are read.

    Returns:
        A `matplotlib.figure.Figure`, see `plot_predictions`.
    """
    if isinstance(part, StreamedSamples):
        part = first_samples(part, _MAX_IMAGES)
    return plot_predictions(model, *part)
