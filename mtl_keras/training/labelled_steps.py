"""Training and test steps that leave missing labels out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import rows_of_targets, sum_over_replicas
from mtl_keras.training.data.class_weights import weights_of_classes
from mtl_keras.training.data.filled_targets import FilledTargets, fill_missing
from mtl_keras.training.gradients.look_ahead import learn_task_weights
from mtl_keras.training.gradients.other_losses import other_losses
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.training.losses.loss_sums import LossSums, sum_losses, weights_of


class FoundUpdate(NamedTuple):
    """What a replica found in its part of a batch, before it is applied.

    Args:
        update: The update.
        finite: What of it is finite, as one vector (see `Finiteness`).
        y_pred: Dict of the outputs.
        targets: Dict from task name to `FilledTargets`.
        sums: Dict from task name to `LossSums`.
        shares: Of this replica in the task losses, of shape `(tasks,)`.
    """

    update: Update
    finite: object
    y_pred: dict
    targets: dict
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
        self.record_batch(data, found)
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
            targets = self._fill(y, y_pred, mode)
            weights = self._element_weights(sample_weight, targets, y_pred)
            sums = self._sum_losses(targets, y_pred, weights)
            shares = self._shares_in_losses(sums)
            if batch is not None:
                batch.update(
                    y_pred=y_pred, targets=targets, sums=sums, shares=shares
                )
            return self._times_loss_weights(shares)

        return losses_of

    def record_batch(self, data, found: FoundUpdate) -> None:
        """Adds losses and metrics of a training batch to the logs.

        Args:
            data: See `labelled_train_step`.
            found: What `find_update` returned.
        """
        total = found.update.others
        if self._compile_loss.by_label:
            self._record_by_label(found.sums)
        else:
            self._record_by_batch(found.targets, found.shares)
            total += tf.reduce_sum(found.update.losses)
        self._loss_tracker.update_state(total, _rows(found.targets))
        self._record_metrics(data, found.targets, found.y_pred)

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
        targets = self._fill(y, y_pred, "test")
        weights = self._split(sample_weight)
        sums = self._sum_losses(targets, y_pred, weights)
        total = other_losses(self)
        if self._compile_loss.by_label:
            self._record_by_label(sums)
        else:
            shares = self._shares_in_losses(sums)
            self._record_by_batch(targets, shares)
            losses = sum_over_replicas(self._times_loss_weights(shares))
            total += tf.reduce_sum(losses)
        self._loss_tracker.update_state(total, _rows(targets))
        self._record_metrics(data, targets, y_pred)

    @property
    def _num_replicas(self) -> int:
        return self.distribute_strategy.num_replicas_in_sync

    def _fill(self, y, y_pred, mode: str) -> dict[str, FilledTargets]:
        y = y if isinstance(y, Mapping) else {self.tasks[0].name: y}
        complete = self.complete_labels[mode]
        return {
            task.name: fill_missing(
                task, y[task.name], y_pred[task.name], complete=complete
            )
            for task in self.tasks
        }

    def _split(self, sample_weight) -> dict:
        """Sample weights of each task."""
        if isinstance(sample_weight, Mapping):
            return dict(sample_weight)
        return {task.name: sample_weight for task in self.tasks}

    def _element_weights(self, sample_weight, targets, y_pred) -> dict:
        """Sample weights of each task, times those of its classes."""
        weights = self._split(sample_weight)
        for task, table in self.class_weights.items():
            values = targets[task].values
            by_class = weights_of_classes(table, values, y_pred[task])
            if weights[task] is not None:
                by_class *= weights_of(weights[task], by_class)
            weights[task] = by_class
        return weights

    def _sum_losses(self, targets, y_pred, weights) -> dict[str, LossSums]:
        tasks = {task.name: task for task in self.tasks}
        return {
            name: sum_losses(
                loss,
                tasks[name],
                targets[name],
                y_pred[name],
                weights[name],
                replicas=self._num_replicas,
            )
            for name, loss in self._compile_loss.losses_by_task.items()
        }

    def _shares_in_losses(self, sums: dict[str, LossSums]):
        """This replica's share of the task losses, of shape `(tasks,)`."""
        counts = sum_over_replicas([s.counts for s in sums.values()])
        return tf.stack(
            [
                tf.reduce_sum(tf.math.divide_no_nan(of_task.sums, count))
                for of_task, count in zip(sums.values(), counts, strict=True)
            ]
        )

    def _times_loss_weights(self, shares):
        """Shares in the task losses, times the user's weights."""
        weights = self.loss_weights.variables_by_task
        return shares * tf.stack(
            [
                tf.cast(weights[task].value, "float32")
                for task in self._compile_loss.losses_by_task
            ]
        )

    def _record_by_label(self, sums: dict[str, LossSums]) -> None:
        """Adds to what the means over labels are made of."""
        for task, metric in self._compile_loss.metrics_by_task.items():
            metric.add(sums[task])

    def _record_by_batch(self, targets, shares) -> None:
        """Adds to what the means over batches are made of, as Keras does."""
        # Keras counts a batch by its static size, which a graph that is open
        # for others does not have and eager execution always has.
        size = None
        if tf.executing_eagerly():
            rows = tf.cast(_rows(targets), "float32")
            size = sum_over_replicas(rows)
        metrics = self._compile_loss.metrics
        for metric, share in zip(metrics, tf.unstack(shares), strict=True):
            metric.update_state(share * self._num_replicas, size)

    def _record_metrics(self, data, targets, y_pred) -> None:
        _, _, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        weights = self._split(sample_weight)
        self._compile_metrics.update_labelled(
            self.tasks, targets, y_pred, weights
        )


def _rows(targets: dict[str, FilledTargets]):
    """Samples of this replica, without those that only fill its batch."""
    return tf.shape(next(iter(targets.values())).values)[0]
