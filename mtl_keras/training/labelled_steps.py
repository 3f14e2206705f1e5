"""Training and test steps that leave missing labels out."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

from mtl_keras.training.class_weights import weights_of_classes
from mtl_keras.training.filled_targets import FilledTargets, fill_missing
from mtl_keras.training.loss_sums import LossSums, sum_losses, weights_of
from mtl_keras.training.replicas import sum_over_replicas
from mtl_keras.training.task_gradients import other_losses


class LabelledSteps:
    """Mixin with steps whose losses are divided by numbers of labels.

    The class that takes it in is a `keras.Model` with `tasks`,
    `loss_weights`, compiled `TaskLosses` and `TaskMetrics`, a dict
    `complete_labels` from mode ("train", "test") to whether no label can be
    missing, a dict `class_weights`, and what `WeightedUpdates` has.
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
        batch = {}

        def losses_of(y_pred):
            targets = self._fill(y, y_pred, "train")
            weights = self._element_weights(sample_weight, targets, y_pred)
            sums = self._sum_losses(targets, y_pred, weights)
            batch.update(targets=targets, sums=sums)
            return self._weighted_losses(sums)

        update = self._update(x, losses_of)
        variables = [*self.trainable_weights, *self._weighting_variables]
        self.optimizer.apply_gradients(
            [(update.gradients[id(v)], v) for v in variables]
        )
        targets, sums = batch["targets"], batch["sums"]
        weights = self._split(sample_weight)
        self._record(x, targets, update.y_pred, weights, sums)
        self._finish_weighting(x, losses_of, update)

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

    def _weighted_losses(self, sums: dict[str, LossSums]):
        """This replica's share of the task losses, times the user's weights."""
        counts = sum_over_replicas([s.counts for s in sums.values()])
        weights = self.loss_weights.variables_by_task
        return tf.stack(
            [
                tf.cast(weights[task].value, "float32")
                * tf.reduce_sum(tf.math.divide_no_nan(of_task.sums, count))
                for (task, of_task), count in zip(
                    sums.items(), counts, strict=True
                )
            ]
        )

    def _record(self, x, targets, y_pred, weights, sums) -> None:
        first = next(i for i in keras.tree.flatten(x) if i is not None)
        self._loss_tracker.update_state(
            other_losses(self) * self._num_replicas,
            sample_weight=tf.shape(first)[0],
        )
        for task, metric in self._compile_loss.metrics_by_task.items():
            metric.add(sums[task])
        self._compile_metrics.update_labelled(
            self.tasks, targets, y_pred, weights
        )
