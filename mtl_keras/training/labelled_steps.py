"""Training and test steps that leave missing labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import rows_of_targets, sum_over_replicas
from mtl_keras.training.gradients.look_ahead import learn_task_weights
from mtl_keras.training.gradients.other_losses import other_losses
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.training.losses.batch_parts import BatchPart, part_batch, pick
from mtl_keras.training.losses.loss_sums import LossSums, sum_losses


class FoundUpdate(NamedTuple):
    """What a replica found in its part of a batch, before it is applied.

    Args:
        update: The update.
        finite: What of it is finite, as one vector (see `Finiteness`).
        parts: The batch, parted by tasks: a list of `BatchPart`.
        sums: Dict from the names of a part to `LossSums`.
        shares: Of this replica in the task losses, of shape `(tasks,)`.
    """

    update: Update
    finite: object
    parts: list
    sums: dict
    shares: object


class LabelledSteps:
    """Mixin with steps whose losses are divided by numbers of labels.

    The class that takes it in is a `keras.Model` with `tasks`,
    `loss_weights`, compiled `TaskLosses` and `TaskMetrics`, a dict
    `complete_labels` from mode ("train", "test") to whether no label can be
    missing, a dict `class_weights`, and what `WeightedUpdates` has.
    """

    def labelled_train_step(self, data, held_out=None) -> None:
        """Trains on the part of a batch that this replica has.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.
            held_out: The same of a held-out batch, or `None`.
        """
        found = self.find_update(data, held_out)
        self.record_batch(found)
        self.apply_update(data, found)

    def find_update(self, data, held_out=None) -> FoundUpdate:
        """Runs forwards and backwards over the part of this replica.

        The number of labels is summed over all replicas before losses are
        divided by it, so that the sum of their gradients is the gradient of
        the whole batch.

        Args:
            data: See `labelled_train_step`.
            held_out: See `labelled_train_step`.
        """
        if held_out is not None:
            self._look_ahead(data, held_out)
        batch = {}
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        update = self._update(x, self.losses_function(data, batch=batch))
        return FoundUpdate(update, update.finite.as_vector(), **batch)

    def _look_ahead(self, data, held_out) -> None:
        """Has the weighting learn from a held-out batch."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        of_held_out, _, _ = keras.utils.unpack_x_y_sample_weight(held_out)
        learn_task_weights(
            self,
            self.weighting,
            (x, self.losses_function(data)),
            (of_held_out, self.losses_function(held_out, "held_out")),
        )

    def losses_function(self, data, mode: str = "train", batch=None):
        """Makes the function from outputs to losses that a batch defines.

        Args:
            data: See `labelled_train_step`.
            mode: Whose labels may be missing, see `complete_labels`.
            batch: Dict that takes what is found on the way.

        Returns:
            A function from the outputs to this replica's share of the task
            losses, times the user's weights, of shape `(tasks,)`.
        """
        _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

        def losses_of(outputs):
            y_pred = rows_of_targets(outputs, y)
            parts = self.parts_of(
                y, y_pred, sample_weight, self.class_weights, mode
            )
            sums = self.sums_of(parts)
            shares = self._shares_in_losses(sums)
            if batch is not None:
                batch.update(parts=parts, sums=sums, shares=shares)
            return self._times_loss_weights(shares)

        return losses_of

    def record_batch(self, found: FoundUpdate) -> None:
        """Adds losses and metrics of a training batch to the logs.

        Args:
            found: What `find_update` returned.
        """
        total = found.update.others
        if self._compile_loss.by_label:
            self._compile_loss.record_by_label(found.sums)
        else:
            self._record_by_batch(found.parts, found.shares)
            total += tf.reduce_sum(found.update.losses)
        self._loss_tracker.update_state(total, found.parts[0].rows)
        self._compile_metrics.update_labelled(found.parts)

    def apply_update(self, data, found: FoundUpdate) -> None:
        """Lets the optimizer take the step, and the weighting see it.

        Args:
            data: See `labelled_train_step`.
            found: What `find_update` returned.
        """
        self.apply_gradients(found)
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        self._finish_weighting(x, self.losses_function(data), found.update)

    def apply_gradients(self, found: FoundUpdate) -> None:
        """Hands all gradients to the optimizer.

        Args:
            found: What `find_update` returned.
        """
        gradients = found.update.gradients
        variables = [*self.trainable_weights, *self._weighting_variables]
        self.optimizer.apply_gradients(
            [(gradients[id(v)], v) for v in variables]
        )

    def labelled_test_step(self, data) -> None:
        """Evaluates the part of a batch that this replica has.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = rows_of_targets(self(x, training=False), y)
        parts = self.parts_of(y, y_pred, sample_weight, {}, "test")
        sums = self.sums_of(parts)
        total = other_losses(self)
        if self._compile_loss.by_label:
            self._compile_loss.record_by_label(sums)
        else:
            shares = self._shares_in_losses(sums)
            self._record_by_batch(parts, shares)
            losses = sum_over_replicas(self._times_loss_weights(shares))
            total += tf.reduce_sum(losses)
        self._loss_tracker.update_state(total, parts[0].rows)
        self._compile_metrics.update_labelled(parts)

    @property
    def _num_replicas(self) -> int:
        return self.distribute_strategy.num_replicas_in_sync

    def parts_of(
        self, y, y_pred, sample_weight, class_weights, mode: str
    ) -> list[BatchPart]:
        """Parts a batch by tasks; equal ones stay together.

        Args:
            y: Targets: a tensor, or a dict of them.
            y_pred: Dict of the outputs.
            sample_weight: `None`, a tensor, or a dict of them.
            class_weights: See `check_class_weights`.
            mode: Whose labels may be missing, see `complete_labels`.
        """
        y = y if isinstance(y, Mapping) else {self.tasks[0].name: y}
        if not isinstance(sample_weight, Mapping):
            sample_weight = {task.name: sample_weight for task in self.tasks}
        groups = self._compile_loss.groups
        together = {name for group in groups for name in group.names}
        return part_batch(
            [
                *((group.names, group.task) for group in groups),
                *(
                    ((task.name,), task)
                    for task in self.tasks
                    if task.name not in together
                ),
            ],
            y,
            y_pred,
            sample_weight,
            class_weights,
            complete=self.complete_labels[mode],
        )

    def sums_of(
        self, parts: Sequence[BatchPart], replicas: int | None = None
    ) -> dict[tuple[str, ...], LossSums]:
        """Sums the losses of each part of a batch whose tasks have one.

        Args:
            parts: The parts.
            replicas: What the batch is spread over. Defaults to the replicas
                of the strategy.
        """
        losses = self._compile_loss.losses_by_task
        return {
            part.names: sum_losses(
                losses[part.names[0]],
                part.task,
                part.targets,
                part.y_pred,
                part.weights,
                replicas=replicas or self._num_replicas,
                num_tasks=len(part.names),
            )
            for part in parts
            if part.names[0] in losses
        }

    def losses_of_sums(self, sums: Mapping, counts: Sequence):
        """The losses that sums make, of shape `(tasks,)`.

        Args:
            sums: What `sums_of` returned.
            counts: For each entry, the numbers of labels to divide by.
        """
        losses = {
            names: of_part.losses(count)
            for (names, of_part), count in zip(
                sums.items(), counts, strict=True
            )
        }
        return pick(losses, tuple(self._compile_loss.losses_by_task))

    def _shares_in_losses(self, sums: Mapping):
        """This replica's share of the task losses, of shape `(tasks,)`."""
        counts = sum_over_replicas([s.counts for s in sums.values()])
        return self.losses_of_sums(sums, counts)

    def _times_loss_weights(self, shares):
        """Shares in the task losses, times the user's weights."""
        losses = self._compile_loss
        return shares * losses.stacked_weights(losses.losses_by_task)

    def _record_by_batch(self, parts: Sequence[BatchPart], shares) -> None:
        """Adds to what the means over batches are made of, as Keras does."""
        # Keras counts a batch by its static size, which a graph that is open
        # for others does not have and eager execution always has.
        size = None
        if tf.executing_eagerly():
            rows = tf.cast(parts[0].rows, "float32")
            size = sum_over_replicas(rows)
        losses = shares * self._num_replicas
        self._compile_loss.record_by_batch(losses, size)
