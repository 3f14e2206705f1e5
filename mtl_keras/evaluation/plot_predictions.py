"""Plots of predictions next to the true labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mtl_keras.evaluation.plot_images import plot_images
from mtl_keras.evaluation.plot_tables import plot_tables
from mtl_keras.evaluation.task_predictions import read_predictions


def plot_predictions(
    model, x, y: Mapping | None = None, *, num_samples: int = 8
):
    """Plots the predictions of every task of a model.

    For images, each column is a sample: the image, the true and the predicted
    map of each task with a label per pixel, and a line of text for each other
    task, green if it is right and red if it is wrong. For other inputs, each
    panel is a task over all samples: predicted against true numbers for a
    regression, a confusion matrix for classes.

    Args:
        model: A `MultiTaskModel`.
        x: Inputs. Images are of shape `(n, height, width)` or `(n, height,
            width, channels)` with 1, 3 or 4 channels, in any range.
        y: Dict from task name to targets, for some or all tasks. Defaults to
            `None`: only predictions.
        num_samples: Number of images shown, from the first on. Defaults to
            `8`.

    Returns:
        A `matplotlib.figure.Figure`. A notebook shows it if it is the last
        line of a cell; `savefig` writes it to a file.

    Raises:
        ImportError: If matplotlib is not installed.
        TypeError: If the model has no tasks, or `y` is not a dict.
        ValueError: If there are no samples, `num_samples` is below 1, or `y`
            names a task that the model does not have.

    Example:

    ```python
    figure = mtl_keras.evaluation.plot_predictions(model, x_test, y_test)
    figure.savefig("predictions.png")
    ```
    """
    if num_samples < 1:
        raise ValueError(f"num_samples={num_samples}; expected 1 or more.")
    if not _is_images(x):
        return plot_tables(read_predictions(model, x, y))
    x = np.asarray(x[:num_samples])
    if not len(x):
        raise ValueError("x has no samples; expected at least one.")
    if isinstance(y, Mapping):
        y = {name: targets[:num_samples] for name, targets in y.items()}
    predictions = read_predictions(model, x, y)
    maps = [p for p in predictions if p.task.labels_per == "pixel"]
    others = [p for p in predictions if p.task.labels_per != "pixel"]
    return plot_images(x, maps, others)


def _is_images(x) -> bool:
    shape = getattr(x, "shape", ())
    # Sequences of feature vectors have rank 3, too; images without a channel
    # axis are at least 8 pixels high and wide.
    if len(shape) == 3:
        return min(shape[1:]) >= 8
    return len(shape) == 4 and shape[-1] in (1, 3, 4)
