"""Keras's compiled losses and metrics, logged by task also where there is one.

Keras logs `<output>_loss` and `<output>_<metric>` for several outputs, and for
a single one `<metric>` alone. A history whose keys depend on the number of
tasks cannot be compared, so here one task is logged as several are.

Both base classes are not public: `tests/training/test_task_logs.py` says when
Keras changes what is overridden.
"""

from __future__ import annotations

import keras
from keras.src.trainers.compile_utils import CompileLoss, CompileMetrics


class TaskLosses(CompileLoss):
    """Adds the tracker of `<task>_loss` that Keras leaves out for one task."""

    def build(self, y_true, y_pred) -> None:
        """Makes the trackers once the structure of the targets is known."""
        super().build(y_true, y_pred)
        if len(self._flat_losses) == 1:
            name = self._flat_losses[0].name
            self._tracker.add_to_store(
                "metrics", keras.metrics.Mean(name=f"{name}_loss")
            )


class TaskMetrics(CompileMetrics):
    """Adds the task's name that Keras leaves out for one task."""

    def _build_metrics_set(
        self, metrics, num_outputs, output_names, *args, **kwargs
    ):
        built = super()._build_metrics_set(
            metrics, num_outputs, output_names, *args, **kwargs
        )
        if num_outputs == 1:
            for of_output in built:
                if of_output:
                    of_output.output_name = output_names[0]
        return built
