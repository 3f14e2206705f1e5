"""Training and test steps that leave missing labels out."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf
from keras import ops

from mtl_keras.training.class_weights import weights_of_classes
from mtl_keras.training.filled_targets import FilledTargets, fill_missing
from mtl_keras.training.loss_sums import LossSums, sum_losses, weights_of


class LabelledSteps:
    """Mixin with steps whose losses are divided by numbers of labels.

    The class that takes it in is a `keras.Model` with `tasks`,
    `loss_weights`, compiled `TaskLosses` and `TaskMetrics`, a dict
    `complete_labels` from mode ("train", "test") to whether no label can be
    missing, and a dict `class_weights`.
    """

    def labelled_train_step(self, data) -> None:
        """Trains on the part of a batch that this replica has.

        The number of labels is summed over all replicas before losses are
        divided by it, so that the sum of their gradients is the gradient of
        the whole batch.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            targets = self._fill(y, y_pred, "train")
            weights = self._element_weights(sample_weight, targets, y_pred)
            sums = self._sum_losses(targets, y_pred, weights)
            counts = _sum_over_replicas({k: s.counts for k, s in sums.items()})
            loss = self._other_losses() / self._num_replicas
            for task, of_task in sums.items():
                value = tf.math.divide_no_nan(of_task.sums, counts[task])
                weight = self.loss_weights.variables_by_task[task]
                loss += ops.cast(weight, loss.dtype) * tf.reduce_sum(value)
            loss = self.optimizer.scale_loss(loss)
        variables = self.trainable_weights
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self._record(x, targets, y_pred, self._split(sample_weight), sums)

    def labelled_test_step(self, data) -> None:
        """Evaluates the part of a batch that this replica has.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        targets = self._fill(y, y_pred, "test")
        weights = self._split(sample_weight)
        sums = self._sum_losses(targets, y_pred, weights)
        self._record(x, targets, y_pred, weights, sums)

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

    def _other_losses(self):
        """Regularization and what layers add; no task's weight scales them."""
        losses = [ops.sum(ops.cast(loss, "float32")) for loss in self.losses]
        return sum(losses, start=tf.zeros(()))

    def _record(self, x, targets, y_pred, weights, sums) -> None:
        first = next(i for i in keras.tree.flatten(x) if i is not None)
        self._loss_tracker.update_state(
            self._other_losses(), sample_weight=tf.shape(first)[0]
        )
        for task, metric in self._compile_loss.metrics_by_task.items():
            metric.add(sums[task])
        self._compile_metrics.update_labelled(
            self.tasks, targets, y_pred, weights
        )


def _sum_over_replicas(counts: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    replica = tf.distribute.get_replica_context()
    if replica.num_replicas_in_sync == 1:
        return counts
    # Together, because each reduction has a latency of its own.
    names = list(counts)
    together = tf.concat([counts[name] for name in names], axis=0)
    total = replica.all_reduce(tf.distribute.ReduceOp.SUM, together)
    sizes = [counts[name].shape[0] for name in names]
    return dict(zip(names, tf.split(total, sizes), strict=True))
