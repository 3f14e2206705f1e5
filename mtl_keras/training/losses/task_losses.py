"""The losses of a model by task, and what is logged of them.

Keras logs `<output>_loss` for several outputs and not for a single one; a
history whose keys depend on the number of tasks cannot be compared, so here
one task is logged as several are. Where labels may be missing, an epoch's loss
is the mean over its labels; where none can be, it is Keras's: of a task the
mean over batches, of all together the mean over samples.

`CompileLoss` is not public: `tests/test_keras_source.py` says
when Keras changes what is overridden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf
from keras import ops
from keras.src.trainers.compile_utils import CompileLoss

from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.training.losses.batch_parts import pick
from mtl_keras.training.losses.group_losses import GroupLosses
from mtl_keras.training.losses.loss_sums import LossSums
from mtl_keras.training.losses.output_rank import to_elements, to_output_rank
from mtl_keras.training.losses.task_groups import TaskGroup


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
            self.add_variable((1, num_terms), "zeros", name=variable)
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

    def losses(self):
        """The result as a tensor of shape `(1,)`."""
        return ops.reshape(self.result(), (1,))

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
        for tasks, metric in losses.trackers.items():
            weights = losses.stacked_weights(tasks)
            total = total + ops.sum(weights * metric.losses())
        return total


class TaskLosses(CompileLoss):
    """Keras's losses by task, with trackers that know of missing labels.

    Args:
        losses: Dict from task name to loss.
        loss_weights: Dict from task name to the variable of its weight.
        output_names: Names of the model's outputs.
        groups: Groups of tasks that are computed together.
    """

    def __init__(
        self,
        losses: Mapping,
        loss_weights: Mapping,
        output_names,
        groups: Sequence[TaskGroup] = (),
    ):
        super().__init__(losses, loss_weights, output_names=output_names)
        self.loss_weights = loss_weights
        self.groups = tuple(groups)
        # Tracker by the names of its tasks, once built.
        self.trackers = {}
        # Whether the last step was one where labels could be missing.
        self.by_label = False

    def build(self, y_true, y_pred) -> None:
        """Makes the trackers once the structure of the targets is known."""
        super().build(y_true, y_pred)
        # In place of Keras's, which one task does not even have.
        self._metrics.clear()
        self.trackers.clear()
        grouped = {name: group for group in self.groups for name in group.names}
        for task, loss in self.losses_by_task.items():
            if task not in grouped:
                terms = loss.num_terms if isinstance(loss, ElementLoss) else 1
                self.trackers[(task,)] = TaskLoss(self, f"{task}_loss", terms)
            elif (names := grouped[task].names) not in self.trackers:
                self.trackers[names] = GroupLosses(names, lambda: self.by_label)
        for tracker in self.trackers.values():
            self._tracker.add_to_store("metrics", tracker)

    def call(self, y_true, y_pred, sample_weight=None):
        """The weighted sum of the losses, as in Keras.

        Where tasks form groups, which Keras knows nothing of, it is not
        logged: steps of our own do that.
        """
        y_true = to_output_rank(y_true, y_pred)
        sample_weight = to_elements(sample_weight, y_pred)
        if not self.groups:
            return super().call(y_true, y_pred, sample_weight)
        if not self.built:
            self.build(y_true, y_pred)
        weights = sample_weight or dict.fromkeys(y_pred)
        return sum(
            self.loss_weights[task]
            * loss(y_true[task], y_pred[task], weights[task])
            for task, loss in self.losses_by_task.items()
        )

    def record_by_label(self, sums: Mapping[tuple, LossSums]) -> None:
        """Adds a batch to what the means over labels are made of.

        Args:
            sums: `LossSums` by the names of the tasks that they are of.
        """
        by_part = [
            {names: of_part[index] for names, of_part in sums.items()}
            for index in range(2)
        ]
        for names, tracker in self.trackers.items():
            tracker.add(LossSums(*(pick(each, names) for each in by_part)))

    def record_by_batch(self, losses, size=None) -> None:
        """Adds a batch to what the means over batches are made of.

        Args:
            losses: Tensor of shape `(tasks,)`, in the order of
                `losses_by_task`.
            size: What the batch counts. Defaults to `1`.
        """
        names_in_order = tuple(self.losses_by_task)
        by_task = dict(zip(names_in_order, tf.unstack(losses), strict=True))
        for names, tracker in self.trackers.items():
            of_tasks = (
                by_task[names[0]]
                if len(names) == 1
                else pick({names_in_order: losses}, names)
            )
            tracker.update_state(of_tasks, size)

    def stacked_weights(self, tasks: Sequence[str]):
        """The loss weights of some tasks, as a float32 vector."""
        weights = [self.loss_weights[task] for task in tasks]
        return tf.stack([ops.cast(weight, "float32") for weight in weights])

    @property
    def losses_by_task(self) -> dict[str, keras.losses.Loss]:
        """The Keras loss of each task that has one, once built."""
        return {flat.name: flat.loss for flat in self._flat_losses or ()}
