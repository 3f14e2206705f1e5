"""The steps that train and evaluate a multi-task model: the only ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import rows_of_targets, sum_over_replicas
from mtl_keras.training.compiled import Compiled
from mtl_keras.training.data.inputs_by_name import inputs_by_name
from mtl_keras.training.data.masked_targets import any_label
from mtl_keras.training.data.target_form import targets_by_task
from mtl_keras.training.gradients.added_losses import added_losses
from mtl_keras.training.gradients.look_ahead import learn_task_weights
from mtl_keras.training.gradients.non_finite_gradients import scales_loss
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.training.losses.task_losses import BatchLosses
from mtl_keras.training.overrides import Overrides
from mtl_keras.training.run import Run


class FoundUpdate(NamedTuple):
    """What a replica found in its part of a batch, before it is applied.

    Args:
        update: The update.
        finite: What of it is finite, one vector (see `Finiteness`), or `None`
            if steps are not guarded.
        batch: The losses of the batch.
    """

    update: Update
    finite: object
    batch: BatchLosses


class TrainStep:
    """Trains on a batch: forward, losses, update, guard, apply, log.

    Args:
        model: The network, which is called and whose variables train.
        compiled: What `compile` has made.
        run: What `fit` has decided.
        overrides: What the class of the model overrides.
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
        """Takes a step on all replicas.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`, as the strategy hands it
                to the replicas.
            held_out: A held-out batch, or `None`.

        Returns:
            The logs that an overridden `compute_metrics` returned, or `None`.
        """
        return self._take(data, held_out, self._strategy.run)

    def on_replica(self, data):
        """Takes a step inside of a replica.

        With several replicas, nothing can branch here, because a reduction
        cannot be in a branch of one replica: labels are complete and nothing
        is guarded.

        Args:
            data: See `__call__`.
        """
        return self._take(data, None, lambda function, args: function(*args))

    def _take(self, data, held_out, run: Callable):
        skipped, guarded = self._compiled.skipped, self._compiled.guards_steps
        if "compute_metrics" in self._overrides:
            return self._logged_step(data, held_out, run)
        step = self._guarded_step if guarded else self._plain_step
        if self._run.complete:
            finite = step(data, held_out, run)
            if guarded:
                skipped.add(tf.constant(0, tf.int64), finite)
            return None
        labels = self._labels(data, run)
        finite = tf.cond(
            labels > 0,
            lambda: step(data, held_out, run),
            lambda: skipped.all_finite,
        )
        skipped.add(tf.cast(labels == 0, tf.int64), finite)
        return None

    def _labels(self, data, run: Callable):
        """Returns the number of replicas that have a label for any task."""
        labels = run(self._count_labelled, args=(data,))
        strategy = self._strategy
        if run != strategy.run:
            return labels
        return strategy.reduce(tf.distribute.ReduceOp.SUM, labels, axis=None)

    def _logged_step(self, data, held_out, run: Callable):
        """Takes a step whose logs an overridden `compute_metrics` returns.

        They cannot leave a branch of the graph, so that here a batch without
        labels runs forward too, and only its update is left out.
        """
        found = run(self.find_update, args=(data, held_out))
        logs = run(self.record, args=(data, found))
        finite = self._compiled.skipped.all_finite
        if self._compiled.guards_steps:
            finite = self._strategy.experimental_local_results(found.finite)[0]
        labels = tf.constant(1)
        if not self._run.complete:
            labels = self._labels(data, run)

        def take():
            run(self._apply, args=(data, found))
            return tf.constant(True)

        def leave():
            if scales_loss(self._compiled.optimizer):  # it lowers its scale
                run(self._apply_gradients, args=(found,))
            return tf.constant(False)

        tf.cond(
            labels > 0,
            lambda: tf.cond(tf.reduce_all(finite), take, leave),
            lambda: tf.constant(False),
        )
        self._compiled.skipped.add(tf.cast(labels == 0, tf.int64), finite)
        return logs

    def _plain_step(self, data, held_out, run: Callable):
        """Takes a step whatever its numbers are."""

        def step(data, held_out):
            found = self.find_update(data, held_out)
            self.record(data, found)
            self._apply(data, found)

        run(step, args=(data, held_out))
        return self._compiled.skipped.all_finite

    def _guarded_step(self, data, held_out, run: Callable):
        """Takes a step if all of its numbers are finite."""
        stops = self._compiled.non_finite == "stop"
        found = run(self.find_update, args=(data, held_out))
        # The same on all replicas, since it was summed before.
        finite = self._strategy.experimental_local_results(found.finite)[0]
        if stops:  # the logs name the loss
            run(self.record, args=(data, found))

        def take():
            if not stops:
                run(self.record, args=(data, found))
            run(self._apply, args=(data, found))
            return finite

        def leave():
            if scales_loss(self._compiled.optimizer):  # it lowers its scale
                run(self._apply_gradients, args=(found,))
            return finite

        return tf.cond(tf.reduce_all(finite), take, leave)

    def _count_labelled(self, data):
        """Returns 1 if this replica has a label for any task, else 0."""
        _, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        tasks = self._compiled.losses.tasks
        y = targets_by_task(tasks, y)
        return tf.cast(any_label(tasks, y), tf.int32)

    def find_update(self, data, held_out=None) -> FoundUpdate:
        """Runs forwards and backwards over the part of this replica.

        Args:
            data: See `__call__`.
            held_out: See `__call__`.
        """
        if held_out is not None:
            self._look_ahead(data, held_out)
        found = {}

        def losses_of(outputs):
            batch = found["batch"] = self._losses(data, outputs)
            return batch.weighted, batch.share_of_added

        update = self._compiled.update.compute(self._inputs(data), losses_of)
        finite = None if update.finite is None else update.finite.as_vector()
        return FoundUpdate(update, finite, found["batch"])

    def _inputs(self, data):
        """Returns the inputs of a batch as the network takes them."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return inputs_by_name(self._model, x)

    def _losses(
        self, data, outputs, complete: bool | None = None
    ) -> BatchLosses:
        """Computes the losses of this replica's part of a batch."""
        _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        complete = self._run.complete if complete is None else complete
        losses = self._compiled.losses
        if "compute_loss" in self._overrides:
            return self._overrides.losses(
                losses,
                data,
                rows_of_targets(outputs, y),
                training=True,
                weighting=self._compiled.weighting,
            )
        return losses.of_batch(
            y,
            rows_of_targets(outputs, y),
            sample_weight,
            class_weights=self._run.class_weights,
            complete=complete,
        )

    def _look_ahead(self, data, held_out) -> None:
        """Lets the weighting learn from a held-out batch."""
        learn_task_weights(
            self._model,
            self._compiled.weighting,
            (
                self._inputs(data),
                lambda outputs: self._losses(data, outputs).weighted,
            ),
            (
                self._inputs(held_out),
                lambda outputs: (
                    self._losses(
                        held_out, outputs, self._run.held_out_complete
                    ).weighted
                ),
            ),
        )

    def record(self, data, found: FoundUpdate):
        """Adds losses and metrics of a batch to the logs.

        Args:
            data: See `__call__`.
            found: What `find_update` returned.

        Returns:
            The logs that an overridden `compute_metrics` returned, or `None`.
        """
        self._compiled.logs.record_losses(
            found.batch, found.update.added, trains=True
        )
        return self._overrides.record_metrics(
            self._compiled.logs, data, found.batch
        )

    def _apply(self, data, found: FoundUpdate) -> None:
        """Lets the optimizer take the step and the weighting see it."""
        self._apply_gradients(found)
        weighting, update = self._compiled.weighting, found.update
        if weighting is None:
            return
        self._compiled.logs.record_weights(update.weights, update.gramian)
        if weighting.needs_losses_after_step:
            weighting.after_step(self._losses_again(data))
        weighting.count_step()

    def _apply_gradients(self, found: FoundUpdate) -> None:
        gradients = found.update.gradients
        self._compiled.optimizer.apply_gradients(
            [(gradients[id(v)], v) for v in self._compiled.update.variables]
        )

    def _losses_again(self, data):
        """Computes the losses of the same batch after the update.

        It changes no state of the model.
        """
        model = self._model
        x = self._inputs(data)
        state = model.non_trainable_variables
        before = [tf.identity(variable.value) for variable in state]
        batch = self._losses(data, model(x, training=True))
        (losses,) = sum_over_replicas([batch.weighted])
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
        return losses


class TestStep:
    """Evaluates a batch: forward, losses, log.

    Args:
        model: The network.
        compiled: What `compile` has made.
        run: What `evaluate` has decided.
        overrides: What the class of the model overrides.
    """

    # Not a test, whatever pytest thinks of the name.
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
            data: `(x, y)` or `(x, y, sample_weight)`, as the strategy hands it
                to the replicas.

        Returns:
            The logs that an overridden `compute_metrics` returned, or `None`.
        """
        strategy = self._model.distribute_strategy
        return strategy.run(self.on_replica, args=(data,))

    def on_replica(self, data):
        """Evaluates the part of a batch that a replica has.

        Args:
            data: See `__call__`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        outputs = self._model(x, training=False)
        outputs = rows_of_targets(outputs, y)
        losses = self._compiled.losses
        if "compute_loss" in self._overrides:
            batch = self._overrides.losses(
                losses, data, outputs, training=False
            )
        else:
            batch = losses.of_batch(
                y, outputs, sample_weight, complete=self._run.complete
            )
        self._compiled.logs.record_losses(
            batch, added_losses(self._model), trains=False
        )
        return self._overrides.record_metrics(self._compiled.logs, data, batch)
