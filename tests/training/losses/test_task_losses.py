"""What is overridden of Keras's private losses, and whether Keras changed."""

import inspect

from keras.src.trainers.compile_utils import CompileLoss

from mtl_keras.training.losses.task_losses import TaskLosses


def test_keras_still_has_what_is_overridden():
    """If this fails, compare `task_losses.py` with Keras's compile_utils."""
    assert list(inspect.signature(CompileLoss.build).parameters) == [
        "self",
        "y_true",
        "y_pred",
    ]
    source = inspect.getsource(CompileLoss)
    assert "self._tracker.add_to_store(" in source
    assert "self._metrics = []" in source
    assert 'namedtuple("Loss", ["path", "loss", "loss_weights", "name"])' in (
        source
    )


def test_keras_still_leaves_the_tracker_of_one_output_out():
    """If this fails, Keras logs it now."""
    source = inspect.getsource(CompileLoss.build)
    assert "if len(self._flat_losses) > 1:" in source
    assert issubclass(TaskLosses, CompileLoss)
