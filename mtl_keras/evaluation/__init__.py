"""Evaluation of trained models: metrics by task, predictions, plots."""

from mtl_keras.evaluation.evaluate_by_task import evaluate_by_task
from mtl_keras.evaluation.plot_history import plot_history
from mtl_keras.evaluation.plot_predictions import plot_predictions
from mtl_keras.evaluation.task_predictions import (
    TaskPrediction,
    read_predictions,
)
from mtl_keras.evaluation.write_predictions import write_predictions

__all__ = [
    "TaskPrediction",
    "evaluate_by_task",
    "plot_history",
    "plot_predictions",
    "read_predictions",
    "write_predictions",
]
