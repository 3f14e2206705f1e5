"""What is overridden of Keras's private classes, and whether Keras changed."""

import inspect

from keras.src.trainers.compile_utils import CompileLoss, CompileMetrics

from mtl_keras.training.task_logs import TaskLosses, TaskMetrics


def test_keras_still_has_what_is_overridden():
    """If this fails, compare `task_logs.py` with Keras's compile_utils."""
    assert list(inspect.signature(CompileLoss.build).parameters) == [
        "self",
        "y_true",
        "y_pred",
    ]
    parameters = list(
        inspect.signature(CompileMetrics._build_metrics_set).parameters
    )
    assert parameters[:4] == ["self", "metrics", "num_outputs", "output_names"]


def test_keras_still_leaves_the_name_of_one_output_out():
    """If this fails, Keras does it now, and `task_logs.py` can go."""
    source = inspect.getsource(CompileLoss.build)
    assert "if len(self._flat_losses) > 1:" in source
    assert issubclass(TaskLosses, CompileLoss)
    source = inspect.getsource(CompileMetrics._build_metrics_set)
    assert "don't use `output_names`" in source
    assert issubclass(TaskMetrics, CompileMetrics)
