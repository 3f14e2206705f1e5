"""The losses of a model by task, and what is logged of them.

Keras logs `<output>_loss` for several outputs and not for a single one; a
history whose keys depend on the number of tasks cannot be compared, so here
one task is logged as several are. Where labels may be missing, an epoch's loss
is the mean over its labels; where none can be, it is Keras's: of a task the
mean over batches, of all together the mean over samples.

`CompileLoss` is not public: `tests/training/losses/test_task_losses.py` says
when Keras changes what is overridden.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import ops
from keras.src.trainers.compile_utils import CompileLoss

from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.training.losses.loss_sums import LossSums
from mtl_keras.training.losses.output_rank import to_elements, to_output_rank


class TaskLoss(keras.metrics.Mean):
    """Mean loss of a task.

    Where no label can be missing, it is a mean over batches; sums over labels
    go to `add`, and are divided when the result is read.

    Args:
        losses: The `TaskLosses` of the model.
        name: Name of the metric.
        num_terms: Number of terms that the loss has.
    """

    def __init__(self, losses: TaskLosses, name: str, num_terms: int):
        super().__init__(name=name)
        # Not as an attribute, which Keras would follow round when it loads.
        self._losses_of_model = lambda: losses
        self._sums, self._counts = (
            self.add_variable((num_terms,), "zeros", name=variable)
            for variable in ("sums", "counts")
        )

    def add(self, sums: LossSums) -> None:
        """Adds the losses of a batch."""
        self._sums.assign_add(ops.cast(sums.sums, self.dtype))
        self._counts.assign_add(ops.cast(sums.counts, self.dtype))

    def result(self):
        """The mean over labels, 0 if there are none; or over batches."""
        if not self._losses_of_model().by_label:
            return super().result()
        return ops.sum(ops.divide_no_nan(self._sums, self._counts))

    def reset_state(self) -> None:
        super().reset_state()
        self._sums.assign(ops.zeros_like(self._sums))
        self._counts.assign(ops.zeros_like(self._counts))


class TotalLoss(keras.metrics.Mean):
    """The weighted sum of the tasks' mean losses, and of all other losses.

    Where no label can be missing, it is the mean of the total over samples;
    otherwise only what is no task's loss is averaged over these.

    Args:
        losses: The `TaskLosses` of the model.
    """

    def __init__(self, losses: TaskLosses):
        super().__init__(name="loss")
        self._losses_of_model = lambda: losses

    def result(self):
        total = super().result()
        if not self._losses_of_model().by_label:
            return total
        losses = self._losses_of_model()
        for task, metric in losses.metrics_by_task.items():
            weight = ops.cast(losses.loss_weights[task], total.dtype)
            total = total + weight * ops.cast(metric.result(), total.dtype)
        return total


class TaskLosses(CompileLoss):
    """Keras's losses by task, with trackers that know of missing labels.

    Args:
        losses: Dict from task name to loss.
        loss_weights: Dict from task name to the variable of its weight.
        output_names: Names of the model's outputs.
    """

    def __init__(self, losses: Mapping, loss_weights: Mapping, output_names):
        super().__init__(losses, loss_weights, output_names=output_names)
        self.loss_weights = loss_weights
        # Whether the last step was one where labels could be missing.
        self.by_label = False

    def build(self, y_true, y_pred) -> None:
        """Makes the trackers once the structure of the targets is known."""
        super().build(y_true, y_pred)
        # In place of Keras's, which one task does not even have.
        self._metrics.clear()
        for task, loss in self.losses_by_task.items():
            terms = loss.num_terms if isinstance(loss, ElementLoss) else 1
            self._tracker.add_to_store(
                "metrics", TaskLoss(self, f"{task}_loss", terms)
            )

    def call(self, y_true, y_pred, sample_weight=None):
        """The weighted sum of the losses, as in Keras."""
        return super().call(
            to_output_rank(y_true, y_pred),
            y_pred,
            to_elements(sample_weight, y_pred),
        )

    @property
    def losses_by_task(self) -> dict[str, keras.losses.Loss]:
        """The Keras loss of each task that has one, once built."""
        return {flat.name: flat.loss for flat in self._flat_losses or ()}

    @property
    def metrics_by_task(self) -> dict[str, TaskLoss]:
        """The tracker of each task that has a loss, once built."""
        return dict(zip(self.losses_by_task, self.metrics, strict=True))
