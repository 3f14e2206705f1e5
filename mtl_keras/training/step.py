"""The training step and the test step of a multi-task model."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import rows_of_targets, sum_over_replicas
from mtl_keras.training.compiled import Compiled
from mtl_keras.training.data.masked_targets import has_any_label
from mtl_keras.training.data.match_inputs import match_inputs
from mtl_keras.training.data.target_form import targets_by_task
from mtl_keras.training.gradients.added_losses import added_losses
from mtl_keras.training.gradients.look_ahead import learn_task_weights
from mtl_keras.training.gradients.non_finite_gradients import scales_loss
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.training.losses.task_losses import BatchLosses
from mtl_keras.training.overrides import Overrides
from mtl_keras.training.run import Run


class ReplicaUpdate(NamedTuple):
    """The update that a replica computed, before it is applied.

    Args:
        update: The update.
        finite: Boolean vector (see `Finiteness.as_vector`), or `None` if
            updates are not checked.
        batch: The losses of the batch.
    """

    update: Update
    finite: object
    batch: BatchLosses


class TrainStep:
    """Trains on a batch: forward, losses, update, check, apply, log.

    Args:
        model: The model to train.
        compiled: The objects that `compile` created.
        run: The settings of `fit`.
        overrides: The overridden methods of the model.
    """

    def __init__(
        self, model, compiled: Compiled, run: Run, overrides: Overrides
    ):
        self._model = model
        self._compiled = compiled
        self._run = run
        self._overrides = overrides
        self._strategy = model.distribute_strategy

    def __call__(self, data, held_out=None):
        """Runs a step on all replicas.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`, as the strategy
                distributes it to the replicas.
            held_out: A held-out batch, or `None`.

        Returns:
            The logs of an overridden `compute_metrics`, or `None`.
        """
        return self._run_step(data, held_out, self._strategy.run)

    def on_replica(self, data):
        """Runs a step inside a replica.

        With several replicas there are no branches here, because a reduction
        cannot be in a branch of one replica: labels are complete and updates
        are not checked.

        Args:
            data: See `__call__`.
        """
        return self._run_step(
            data, None, lambda function, args: function(*args)
        )

    def _run_step(self, data, held_out, run: Callable):
        skipped = self._compiled.skipped
        checked = self._compiled.checks_finite_updates
        if "compute_metrics" in self._overrides:
            return self._logged_step(data, held_out, run)
        step = self._checked_step if checked else self._unchecked_step
        if self._run.complete:
            finite = step(data, held_out, run)
            if checked:
                skipped.add(tf.constant(0, tf.int64), finite)
            return None
        labels = self._count_labelled_replicas(data, run)
        finite = tf.cond(
            labels > 0,
            lambda: step(data, held_out, run),
            lambda: skipped.all_finite,
        )
        skipped.add(tf.cast(labels == 0, tf.int64), finite)
        return None

    def _count_labelled_replicas(self, data, run: Callable):
        """Counts the replicas that have a label for any task."""
        labels = run(self._has_label, args=(data,))
        strategy = self._strategy
        if run != strategy.run:
            return labels
        return strategy.reduce(tf.distribute.ReduceOp.SUM, labels, axis=None)

    def _logged_step(self, data, held_out, run: Callable):
        """Runs a step that returns the logs of `compute_metrics`.

        The logs cannot leave a branch of the graph. A batch without labels
        therefore also runs forward, and only its update is skipped.
        """
        computed = run(self.compute_update, args=(data, held_out))
        logs = run(self.record, args=(data, computed))
        finite = self._compiled.skipped.all_finite
        if self._compiled.checks_finite_updates:
            finite = self._strategy.experimental_local_results(computed.finite)[
                0
            ]
        labels = tf.constant(1)
        if not self._run.complete:
            labels = self._count_labelled_replicas(data, run)

        def apply():
            run(self._apply, args=(data, computed))
            return tf.constant(True)

        def skip():
            if scales_loss(self._compiled.optimizer):  # it lowers its scale
                run(self._apply_gradients, args=(computed,))
            return tf.constant(False)

        tf.cond(
            labels > 0,
            lambda: tf.cond(tf.reduce_all(finite), apply, skip),
            lambda: tf.constant(False),
        )
        self._compiled.skipped.add(tf.cast(labels == 0, tf.int64), finite)
        return logs

    def _unchecked_step(self, data, held_out, run: Callable):
        """Runs a step and applies any update."""

        def step(data, held_out):
            computed = self.compute_update(data, held_out)
            self.record(data, computed)
            self._apply(data, computed)

        run(step, args=(data, held_out))
        return self._compiled.skipped.all_finite

    def _checked_step(self, data, held_out, run: Callable):
        """Runs a step and applies the update if it is finite."""
        stops = self._compiled.non_finite == "stop"
        computed = run(self.compute_update, args=(data, held_out))
        # Equal on all replicas, because it derives from reduced values.
        finite = self._strategy.experimental_local_results(computed.finite)[0]
        if stops:  # the error needs the logged losses
            run(self.record, args=(data, computed))

        def apply():
            if not stops:
                run(self.record, args=(data, computed))
            run(self._apply, args=(data, computed))
            return finite

        def skip():
            if scales_loss(self._compiled.optimizer):  # it lowers its scale
                run(self._apply_gradients, args=(computed,))
            return finite

        return tf.cond(tf.reduce_all(finite), apply, skip)

    def _has_label(self, data):
        """Returns 1 if this replica has a label for any task, else 0."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        tasks = self._compiled.losses.tasks
        y = targets_by_task(tasks, y)
        return tf.cast(has_any_label(tasks, y), tf.int32)

    def compute_update(self, data, held_out=None) -> ReplicaUpdate:
        """Computes the update of this replica's part of a batch.

        Args:
            data: See `__call__`.
            held_out: See `__call__`.
        """
        if held_out is not None:
            self._update_task_weights(data, held_out)
        losses = {}

        def compute_losses(outputs):
            batch = losses["batch"] = self._compute_losses(data, outputs)
            return batch.weighted, batch.added_share

        update = self._compiled.update.compute(
            self._get_inputs(data), compute_losses
        )
        finite = None if update.finite is None else update.finite.as_vector()
        return ReplicaUpdate(update, finite, losses["batch"])

    def _get_inputs(self, data):
        """Returns the inputs of a batch in the structure of the model."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return match_inputs(self._model, x)

    def _compute_losses(
        self, data, outputs, complete: bool | None = None
    ) -> BatchLosses:
        """Computes the losses of this replica's part of a batch."""
        _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        complete = self._run.complete if complete is None else complete
        losses = self._compiled.losses
        if "compute_loss" in self._overrides:
            return self._overrides.compute_losses(
                losses,
                data,
                rows_of_targets(outputs, y),
                training=True,
                weighting=self._compiled.weighting,
            )
        return losses.compute(
            y,
            rows_of_targets(outputs, y),
            sample_weight,
            class_weights=self._run.class_weights,
            complete=complete,
        )

    def _update_task_weights(self, data, held_out) -> None:
        """Updates the task weights with a held-out batch."""
        learn_task_weights(
            self._model,
            self._compiled.weighting,
            (
                self._get_inputs(data),
                lambda outputs: self._compute_losses(data, outputs).weighted,
            ),
            (
                self._get_inputs(held_out),
                lambda outputs: (
                    self._compute_losses(
                        held_out, outputs, self._run.held_out_complete
                    ).weighted
                ),
            ),
        )

    def record(self, data, computed: ReplicaUpdate):
        """Records the losses and metrics of a batch.

        Args:
            data: See `__call__`.
            computed: The result of `compute_update`.

        Returns:
            The logs of an overridden `compute_metrics`, or `None`.
        """
        self._compiled.logs.record_losses(
            computed.batch, computed.update.added, training=True
        )
        return self._overrides.record_metrics(
            self._compiled.logs, data, computed.batch
        )

    def _apply(self, data, computed: ReplicaUpdate) -> None:
        """Applies the update and notifies the weighting."""
        self._apply_gradients(computed)
        weighting, update = self._compiled.weighting, computed.update
        if weighting is None:
            return
        self._compiled.logs.record_weights(update.weights, update.gramian)
        if weighting.needs_losses_after_step:
            weighting.after_step(self._compute_losses_after_step(data))
        weighting.count_step()

    def _apply_gradients(self, computed: ReplicaUpdate) -> None:
        gradients = computed.update.gradients
        self._compiled.optimizer.apply_gradients(
            [(gradients[id(v)], v) for v in self._compiled.update.variables]
        )

    def _compute_losses_after_step(self, data):
        """Computes the losses of the batch with the updated weights.

        The state of the model does not change.
        """
        model = self._model
        x = self._get_inputs(data)
        state = model.non_trainable_variables
        before = [tf.identity(variable.value) for variable in state]
        batch = self._compute_losses(data, model(x, training=True))
        (losses,) = sum_over_replicas([batch.weighted])
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
        return losses


class TestStep:
    """Evaluates a batch: forward, losses, log.

    Args:
        model: The model to evaluate.
        compiled: The objects that `compile` created.
        run: The settings of `evaluate`.
        overrides: The overridden methods of the model.
    """

    # Keeps pytest from collecting this class.
    __test__ = False

    def __init__(
        self, model, compiled: Compiled, run: Run, overrides: Overrides
    ):
        self._model = model
        self._compiled = compiled
        self._run = run
        self._overrides = overrides

    def __call__(self, data, _=None):
        """Evaluates a batch on all replicas.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`, as the strategy
                distributes it to the replicas.

        Returns:
            The logs of an overridden `compute_metrics`, or `None`.
        """
        strategy = self._model.distribute_strategy
        return strategy.run(self.on_replica, args=(data,))

    def on_replica(self, data):
        """Evaluates a replica's part of a batch.

        Args:
            data: See `__call__`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self._model(x, training=False)
        outputs = rows_of_targets(outputs, y)
        losses = self._compiled.losses
        if "compute_loss" in self._overrides:
            batch = self._overrides.compute_losses(
                losses, data, outputs, training=False
            )
        else:
            batch = losses.compute(
                y, outputs, sample_weight, complete=self._run.complete
            )
        self._compiled.logs.record_losses(
            batch, added_losses(self._model), training=False
        )
        return self._overrides.record_metrics(self._compiled.logs, data, batch)
