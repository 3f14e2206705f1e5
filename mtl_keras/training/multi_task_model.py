"""A functional Keras model with one named output for each task."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from mtl_keras import weighting as weightings
from mtl_keras.distribution.lost_workers import lost_workers_named
from mtl_keras.distribution.made_inside import (
    check_made_inside,
    check_on_replicas,
)
from mtl_keras.distribution.replicas import rows_of_targets
from mtl_keras.distribution.workers import is_chief
from mtl_keras.keras_compat import (
    HookedModel,
    disable_gradient_sum,
    separate_added_losses,
)
from mtl_keras.tasks import Task
from mtl_keras.training.backups.resumption import Resumption, backup_among
from mtl_keras.training.compiled import Compiled, compile_parts
from mtl_keras.training.data.by_task import by_task
from mtl_keras.training.data.checks import check_inputs
from mtl_keras.training.data.class_weights import check_class_weights
from mtl_keras.training.data.encoded_inputs import is_encoded
from mtl_keras.training.data.held_out import prepare_held_out
from mtl_keras.training.data.inputs_by_name import inputs_by_name
from mtl_keras.training.data.none_targets import number_of_samples
from mtl_keras.training.data.preparation import Prepared, prepare
from mtl_keras.training.data.streams import (
    can_shuffle,
    check_first_batch,
    is_stream,
)
from mtl_keras.training.data.strings import with_object_strings
from mtl_keras.training.data.table_inputs import raw_columns, stream_of_float64
from mtl_keras.training.functions import make_function
from mtl_keras.training.gradients.added_losses import (
    added_losses,
    share_of_batch,
)
from mtl_keras.training.gradients.non_finite_gradients import (
    check_non_finite,
    raise_if_stopped,
)
from mtl_keras.training.gradients.skipped_steps import SkippedSteps
from mtl_keras.training.losses.loss_weights import (
    LossWeights,
    complete_loss_weights,
)
from mtl_keras.training.outputs_by_task import as_task, check_outputs
from mtl_keras.training.overrides import (
    Overrides,
    in_own_step,
    is_recording,
    note_step,
    record_call,
)
from mtl_keras.training.own_callbacks import with_own
from mtl_keras.training.replica_data import (
    arguments_of_worker,
    check_accumulation,
    split_for_replicas,
    split_inputs,
)
from mtl_keras.training.run import Run
from mtl_keras.training.step import TestStep, TrainStep
from mtl_keras.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class MultiTaskModel(HookedModel):
    """A `keras.Model` whose outputs are tasks.

    Everything that a functional `keras.Model` does works as it does there. On
    top of it, `compile` takes losses, metrics and weights from the tasks, the
    loss weights can change while the model trains, labels may be missing, data
    is checked before the first step, and a loss that is not finite stops the
    run.

    A subclass may override `compute_loss`, `compute_metrics`, `train_step` and
    `test_step`. They are called for all data, or `fit` refuses and says why.

    A process that loads a saved model imports `mtl_keras` first, so that
    Keras knows this class.

    Args:
        inputs: Keras input tensor, or a dict or list of them.
        outputs: Dict from task name to output tensor.
        name: Name of the model.
        tasks: The tasks, one for each output.

    Raises:
        TypeError: If `outputs` is not a dict or `tasks` holds something else.
        ValueError: If outputs and tasks have different names.

    Example:

    >>> tasks = [mtl_keras.Classification("digit", 10)]
    >>> inputs = keras.Input((64,))
    >>> features = keras.layers.Dense(32, activation="relu")(inputs)
    >>> model = mtl_keras.MultiTaskModel(
    ...     inputs, {t.name: t.head(features) for t in tasks}, tasks=tasks
    ... )
    >>> model.compile(optimizer="adam")
    """

    def __init__(
        self, inputs, outputs, name=None, *, tasks: Sequence = (), **kwargs
    ):
        tasks = tuple(as_task(task) for task in tasks)
        if tasks:
            check_outputs(outputs, tasks)
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        for attribute, value in (
            ("_tasks", tasks),
            ("_loss_weights", None),
            ("_weighting", None),
            ("_compiled", None),
            ("_functions", {}),
            ("_run", None),
            ("_encoded_inputs", False),
        ):
            self._set_untracked(attribute, value)
        self._set_untracked("_overrides", Overrides(self, MultiTaskModel))

    def _set_untracked(self, name: str, value: Any) -> None:
        """Sets an attribute that Keras must not take for a layer or metric."""
        self.__dict__[name] = value

    def __call__(self, inputs, *args, **kwargs):
        """Computes the outputs; a dict of inputs is matched by name."""
        return super().__call__(inputs_by_name(self, inputs), *args, **kwargs)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in the order in which they were given."""
        return self._tasks

    @property
    def task_output_shapes(self) -> dict[str, tuple]:
        """Shape of each task's output, without the batch axis."""
        shapes = zip(self.output_names, self.outputs, strict=True)
        return {name: tuple(output.shape)[1:] for name, output in shapes}

    @property
    def loss_weights(self) -> LossWeights:
        """Weights of the task losses: a dict whose values can be assigned.

        Raises:
            AttributeError: If the model was not compiled.
        """
        if self._loss_weights is None:
            raise AttributeError(
                "The model has loss weights once it is compiled: call "
                "model.compile(...) first."
            )
        return self._loss_weights

    @loss_weights.setter
    def loss_weights(self, values: Mapping[str, float]) -> None:
        self.loss_weights.update(values)

    @property
    def weighting(self) -> Weighting | None:
        """The weighting that the model was compiled with, or `None`."""
        return self._weighting

    @property
    def compiled_parts(self) -> Compiled:
        """What `compile` has made: losses, logs, weighting, counts of steps.

        Raises:
            AttributeError: If the model was not compiled.
        """
        if self._compiled is None:
            raise AttributeError(
                "The model has no losses and counts no steps before it is "
                "compiled: call model.compile(...) first."
            )
        return self._compiled

    @property
    def skipped_steps(self) -> SkippedSteps:
        """Steps of the last training that changed nothing, by reason.

        Raises:
            AttributeError: If the model was not compiled.
        """
        return self.compiled_parts.skipped

    @property
    def skipped_batches(self) -> int:
        """Batches of the last training that had no label for any task."""
        compiled = self._compiled
        return 0 if compiled is None else compiled.skipped.without_labels

    @property
    def non_finite(self) -> str:
        """What happens at a step that is not finite (see `compile`)."""
        return self.compiled_parts.non_finite

    def compile(
        self,
        optimizer="adam",
        loss: Mapping[str, Any] | None = None,
        loss_weights: Mapping[str, float] | None = None,
        metrics: Mapping[str, Any] | None = None,
        weighted_metrics=None,
        weighting=None,
        gradients: str = "parameters",
        monitor: bool = False,
        non_finite: str = "stop",
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Configures the model for training, from its tasks by default.

        Args:
            optimizer: As in `keras.Model.compile`. Defaults to `"adam"`.
            loss: Dict from task name to loss. Tasks that are not named keep
                their own.
            loss_weights: Dict from task name to weight, 0 or more. Tasks that
                are not named keep their own.
            metrics: Dict from task name to a list of metrics. Tasks that are
                not named keep their own; an empty list means none.
            weighted_metrics: As in `keras.Model.compile`.
            weighting: How the task losses become one update: the name of a
                weighting (see `mtl_keras.weighting`), its config or an
                instance. Defaults to `None`, their weighted sum.
            gradients: For weightings that compare the tasks' gradients:
                `"parameters"` (default) for those of the shared parameters,
                which cost a backward pass for each task; `"features"` for
                those of what the shared part hands to the tasks, an upper
                bound that costs about as much as training without weighting.
            monitor: Whether to log what such a weighting sees, as means over
                the epoch: `cosine/<task>/<task>`, `norm/<task>`, `conflicts`
                and `condition`. Defaults to `False`.
            non_finite: What happens at a step with a loss or a gradient that
                is NaN or infinite. `"stop"` (default) raises an error that
                names the task; with a weighting, the weights are then those
                before the step. `"skip"` leaves the step out and counts it
                (see `skipped_steps`). An optimizer that scales the loss
                leaves out gradients that overflow in either case.
            run_eagerly: As in `keras.Model.compile`.
            steps_per_execution: As in `keras.Model.compile`.
            jit_compile: As in `keras.Model.compile`.
            auto_scale_loss: As in `keras.Model.compile`.

        Raises:
            TypeError: If one of the dicts is not a dict.
            ValueError: If it names a task that the model does not have, or a
                weight is negative or not finite, or all are zero.
        """
        if not self._tasks:
            raise ValueError(
                "This model has no tasks, so it has nothing to compile. Pass "
                "tasks=[...] to MultiTaskModel."
            )
        loss = by_task("loss", loss, self._tasks)
        metrics = by_task("metrics", metrics, self._tasks)
        weighted_metrics = by_task(
            "weighted_metrics", weighted_metrics, self._tasks
        )
        check_non_finite(non_finite)
        self._assign_loss_weights(loss_weights)
        losses = {t.name: loss.get(t.name, t.loss) for t in self._tasks}
        strategy = self.distribute_strategy
        # Optimizers that come by name have variables of their own.
        with strategy.scope():
            super().compile(
                optimizer=optimizer,
                run_eagerly=run_eagerly,
                steps_per_execution=steps_per_execution,
                jit_compile=jit_compile,
                auto_scale_loss=auto_scale_loss,
            )
            compiled = compile_parts(
                self,
                losses=losses,
                metrics=metrics,
                weighted_metrics=weighted_metrics,
                weighting=weightings.get(weighting)
                if weighting is not None
                else None,
                gradients=gradients,
                monitor=monitor,
                non_finite=non_finite,
                in_groups=not self._overrides.names,
            )
        self.drop_own_metrics()
        self.loss = losses
        self._set_untracked("_compiled", compiled)
        self._set_untracked("_weighting", compiled.weighting)
        self._functions.clear()
        if strategy.num_replicas_in_sync > 1:
            disable_gradient_sum(self.optimizer)
            separate_added_losses(self)
        # What the user said, to be saved: "auto" may resolve to something
        # else on the next machine, and the tasks know the rest.
        self._set_untracked(
            "_compile_arguments",
            {
                "optimizer": self.optimizer,
                "loss": loss,
                "metrics": metrics,
                "weighted_metrics": weighted_metrics or None,
                "weighting": compiled.weighting,
                "gradients": gradients,
                "monitor": monitor,
                "non_finite": non_finite,
                "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution,
                "jit_compile": jit_compile,
                "auto_scale_loss": auto_scale_loss,
            },
        )

    def _assign_loss_weights(self, given) -> None:
        weights = complete_loss_weights(
            given, {task.name: task.loss_weight for task in self._tasks}
        )
        if self._loss_weights is None:
            with self.distribute_strategy.scope():
                self._set_untracked("_loss_weights", LossWeights(weights))
        self._loss_weights.update(weights)

    def build_optimizer(self) -> None:
        """Makes the optimizer's state, for the weighting's variables too."""
        self.compiled_parts.update.build_optimizer()

    # Training and evaluation: prepare, decide, call Keras.

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=None,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        held_out_data=None,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does, on checked data.

        Arrays are checked whole, streams by what they say of themselves and
        by their first batch. Labels may be missing (see `Task.missing_label`):
        they add nothing to losses, gradients and metrics, and a batch without
        any label changes nothing.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.fit`. A dict
                is matched to the inputs by name.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            validation_data: As in `keras.Model.fit`; checked like `x` and `y`.
            shuffle: As in `keras.Model.fit`. Defaults to `True` where Keras can
                shuffle: arrays, and the batches of a PyDataset.
            class_weight: Dict from task name to a dict from class to weight,
                which multiplies the weight of the samples (or pixels, tokens,
                labels) of that class. What it leaves out has weight 1.
            held_out_data: What weightings such as `"auto_lambda"` learn from:
                `(x, y)` or `(x, y, sample_weight)`, or a `tf.data.Dataset` of
                such batches. It should be neither trained on nor the
                validation data, which would no longer tell how good the
                model is.

        All other arguments are those of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with `loss`, `<task>_loss` and
            `<task>_<metric>` for each task. A task's loss is the mean over its
            labelled elements of the epoch, and `loss` their sum by the loss
            weights plus what layers add.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
            NonFiniteLossError: If a loss becomes NaN or infinite.
            NonFiniteGradientError: If a gradient does, where the model has
                a weighting (see `compile`).
        """
        self.assert_compiled("fit")
        strategy, compiled = self.distribute_strategy, self._compiled
        class_weights = check_class_weights(class_weight, self.tasks)
        self._set_untracked("_encoded_inputs", is_encoded(x))
        data = prepare(
            self, x, y, sample_weight, validation_split=validation_split
        )
        validation = Run("test", data.complete)
        if validation_data is not None:
            prepared = self._prepare_validation(validation_data)
            validation = _test_run(prepared)
            validation_data = prepared.as_validation_data()
        with lost_workers_named(strategy):
            backup = backup_among(callbacks)
            if backup is not None:
                # Before the held-out batches, which depend on its step.
                backup.restore(self)
            held_out, held_out_complete = prepare_held_out(
                self, held_out_data, batch_size
            )
            run = Run(
                "train",
                data.complete,
                class_weights,
                held_out,
                held_out_complete,
                data.unchecked,
                validation,
            )
            self._overrides.check(
                run, self.weighting, guards_steps=compiled.guards_steps
            )
            check_made_inside(self)
            check_accumulation(self.optimizer, strategy.num_replicas_in_sync)
            arguments = {
                "x": data.x,
                "y": data.y,
                "batch_size": batch_size,
                "epochs": epochs,
                "verbose": verbose,
                "callbacks": with_own(callbacks, self),
                "validation_split": validation_split,
                "validation_data": validation_data,
                "shuffle": can_shuffle(data.x) if shuffle is None else shuffle,
                "sample_weight": data.sample_weight,
                "initial_epoch": initial_epoch,
                "steps_per_epoch": steps_per_epoch,
                "validation_steps": validation_steps,
                "validation_batch_size": validation_batch_size,
                "validation_freq": validation_freq,
            }
            if backup is not None:
                resumption = Resumption(
                    backup, arguments, self.steps_per_execution
                )
                run = dataclasses.replace(run, resumption=resumption)
                arguments = resumption.arguments
            arguments = arguments_of_worker(strategy, arguments, training=True)
            compiled.skipped.reset()
            with self._during(run):
                history = super().fit(**arguments)
        compiled.skipped.warn(stacklevel=2)
        return history

    def _prepare_validation(self, validation_data) -> Prepared:
        data = keras.utils.unpack_x_y_sample_weight(validation_data)
        return prepare(self, *data, where="validation_data")

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Evaluates the model, as `keras.Model.evaluate` does, on checked data.

        Pass `return_dict=True` to have the results by name.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.evaluate`.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.

        All other arguments and the result are those of `keras.Model.evaluate`.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
        """
        self.assert_compiled("evaluate")
        arguments = {"verbose": verbose, "callbacks": callbacks, "x": x}
        # `fit` evaluates data that it has prepared.
        within_fit = kwargs.get("_use_cached_eval_dataset", False)
        if within_fit:
            run = self._run.validation
        else:
            data = prepare(self, x, y, sample_weight)
            run = _test_run(data)
            y, sample_weight = data.y, data.sample_weight
            check_made_inside(self)
            arguments = arguments_of_worker(
                self.distribute_strategy, {**arguments, "x": data.x}
            )
        self._overrides.check(run, self.weighting, guards_steps=False)
        with lost_workers_named(self.distribute_strategy), self._during(run):
            results = super().evaluate(
                y=y,
                batch_size=batch_size,
                sample_weight=sample_weight,
                steps=steps,
                return_dict=return_dict,
                **arguments,
                **kwargs,
            )
        if within_fit:
            checked = dataclasses.replace(run, unchecked=False)
            run = dataclasses.replace(self._run, validation=checked)
            self._set_untracked("_run", run)
        return results

    def predict(
        self, x, batch_size=None, verbose="auto", steps=None, callbacks=None
    ):
        """Predicts as `keras.Model.predict` does.

        Where there are several workers, all must call it, and each gets the
        predictions of all. A dict of inputs is matched to the model's by name.
        """
        check_made_inside(self)
        strategy = self.distribute_strategy
        x = inputs_by_name(self, with_object_strings(raw_columns(self, x)))
        if not is_stream(x):
            check_inputs(self, x, values=False)
            x, batch_size = stream_of_float64(self, x, batch_size)
        x, batch_size, steps = split_inputs(strategy, x, batch_size, steps)
        arguments = {"x": x, "verbose": verbose, "callbacks": callbacks}
        with lost_workers_named(strategy):
            return super().predict(
                batch_size=batch_size,
                steps=steps,
                **arguments_of_worker(strategy, arguments),
            )

    def predict_on_batch(self, x):
        """Predicts one batch, as `keras.Model.predict_on_batch` does.

        Args:
            x: Inputs.
        """
        x = raw_columns(self, x)
        if self.distribute_strategy.num_replicas_in_sync == 1:
            return super().predict_on_batch(inputs_by_name(self, x))
        return self.predict(x, batch_size=number_of_samples(x), verbose=0)

    def train_on_batch(
        self,
        x,
        y=None,
        sample_weight=None,
        class_weight=None,
        return_dict=False,
    ):
        """Trains on one checked batch, as `keras.Model.train_on_batch` does.

        It does not look at the loss, as `fit` does: a weighting alone stops at
        numbers that are not finite.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            sample_weight: As in `keras.Model.train_on_batch`.
            class_weight: See `fit`.
            return_dict: As in `keras.Model.train_on_batch`.
        """
        self.assert_compiled("train_on_batch")
        prepare_held_out(self, None, None)
        class_weights = check_class_weights(class_weight, self.tasks)
        data = prepare(self, x, y, sample_weight, whole=False)
        run = Run("train", data.complete, class_weights)
        self._overrides.check(
            run, self.weighting, guards_steps=self._compiled.guards_steps
        )
        self._compiled.skipped.reset()
        with self._during(run):
            logs = super().train_on_batch(
                data.x, data.y, data.sample_weight, return_dict=return_dict
            )
        self._compiled.skipped.warn(stacklevel=2)
        raise_if_stopped(self, "in this batch")
        return logs

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Evaluates one checked batch, as `keras.Model.test_on_batch` does.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task that
                has no labels here.
            sample_weight: As in `keras.Model.test_on_batch`.
            return_dict: As in `keras.Model.test_on_batch`.
        """
        self.assert_compiled("test_on_batch")
        data = prepare(self, x, y, sample_weight, whole=False)
        with self._during(Run("test", data.complete)):
            return super().test_on_batch(
                data.x, data.y, data.sample_weight, return_dict=return_dict
            )

    @contextlib.contextmanager
    def _during(self, run: Run) -> Iterator[None]:
        """Makes steps and logs those of a run, and afterwards undoes that."""
        before = self._run
        self._set_untracked("_run", run)
        try:
            yield
        finally:
            self._set_untracked("_run", before)

    # Steps.

    def make_train_function(self, force: bool = False):
        """Makes the function of a training step, or finds it again."""
        run = self._run
        if run is None or not run.trains:
            run = Run("train")
        fresh = force or self.train_function is None
        self.train_function = self._function(run, fresh)
        return self.train_function

    def make_test_function(self, force: bool = False):
        """Makes the function of a test step, or finds it again."""
        run = self._run
        if run is None or run.trains:
            run = Run("test")
        fresh = force or self.test_function is None
        self.test_function = self._function(run, fresh)
        return self.test_function

    def _function(self, run: Run, fresh: bool):
        """A traced function stays with what it was traced for."""
        if fresh:  # compiled since, or reset by hand
            for key in [key for key in self._functions if key[0] == run.mode]:
                del self._functions[key]
        if run.key not in self._functions:
            self._functions[run.key] = self._make_function_of(run)
        function = self._functions[run.key]
        if not run.unchecked:
            return function
        return check_first_batch(function, self, run.mode)

    def _make_function_of(self, run: Run):
        kind, method = (
            (TrainStep, "train_step") if run.trains else (TestStep, "test_step")
        )
        compiled, overrides = self._compiled, self._overrides
        step = kind(self, compiled, run, overrides)
        if method in overrides:
            step = overrides.step(method, compiled.logs, compiled.weighting)
        return make_function(
            self,
            step,
            lambda data: compiled.build(self, data),
            lambda: None if self._run is None else self._run.held_out,
            returns_logs=method in overrides or "compute_metrics" in overrides,
        )

    def train_step(self, data):
        """Trains on a batch.

        A subclass may override it; `super().train_step(data)` is the step of
        this class. It runs on each replica.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`. Targets have the shape
                of the output, class ids are integers `(batch,)` or `(batch,
                height, width)`, and missing labels are marked.

        Returns:
            Dict of logs.
        """
        note_step()
        run = self._run or Run("train")
        step = TrainStep(self, self._compiled, run, self._overrides)
        return step.on_replica(data) or self.get_metrics_result()

    def test_step(self, data):
        """Evaluates a batch; see `train_step`.

        Args:
            data: See `train_step`.

        Returns:
            Dict of logs.
        """
        note_step()
        run = self._run or Run("test")
        step = TestStep(self, self._compiled, run, self._overrides)
        return step.on_replica(data) or self.get_metrics_result()

    def predict_step(self, data):
        """Predicts as in Keras; inputs that only fill a batch are left out."""
        _, rows, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = super().predict_step(data)
        return outputs if rows is None else rows_of_targets(outputs, rows)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Computes the loss of a batch: the one place where it is made.

        It can be called in a loop of one's own, with missing labels too. A
        subclass may override it: what it returns beyond
        `super().compute_loss(...)` is an added loss, a mean over the batch,
        which no weighting sees. A factor on what `super()` returns is such an
        added loss too.

        Args:
            x: Inputs.
            y: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, weights of all tasks, or a dict of them.
            training: Whether the model trains.

        Returns:
            A scalar: the sum of the task losses by the loss weights, plus what
            layers add. Inside of a replica, the share of this replica.
        """
        run = self._run or Run("test")
        batch = self.compiled_parts.losses.of_batch(
            y,
            y_pred,
            sample_weight,
            class_weights=run.class_weights if training else {},
            # Elsewhere than in a step, it may be of any data.
            complete=run.complete and is_recording(),
        )
        total = tf.reduce_sum(batch.weighted)
        inputs = y_pred if x is None else x
        total += share_of_batch(self, inputs, added_losses(self))
        if in_own_step():
            self._compiled.logs.record_task_losses(batch)
        record_call(total, batch)
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the metrics of the tasks with a batch.

        Args:
            x: Inputs.
            y: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, weights of all tasks, or a dict of them.

        Returns:
            Dict of the logs.
        """
        run = self._run or Run("test")
        parts = self.compiled_parts.losses.parts(
            y, y_pred, sample_weight, complete=run.complete
        )
        self._compiled.logs.record_metrics(parts)
        return self.get_metrics_result()

    # Logs.

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Losses and metrics of the tasks and, in training, task weights."""
        of_keras = super().metrics
        if self._compiled is None:
            return of_keras
        trains = self._run is None or self._run.trains
        return [*self._compiled.logs.metrics(trains), *of_keras]

    def logs_of_epoch(self, logs):
        """Returns the logs of an epoch; see `HookedModel`."""
        resumption = None if self._run is None else self._run.resumption
        if resumption is not None and resumption.within_epoch and not logs:
            # All batches of the epoch were trained on before.
            return self.get_metrics_result()
        if self.distribute_strategy.num_replicas_in_sync > 1:
            # Logs of a subclass are those of one replica.
            results = self.get_metrics_result()
            return {name: results.get(name, logs[name]) for name in logs}
        return logs

    def on_iterator(self, iterator) -> None:
        """Splits what Keras reads over the replicas; see `HookedModel`."""
        strategy, run = self.distribute_strategy, self._run or Run("test")
        if strategy.num_replicas_in_sync > 1:
            self._build_for(iterator)
            variables = [v for metric in self.metrics for v in metric.variables]
            check_on_replicas(self, "metrics of the model", variables)
            split_for_replicas(strategy, iterator, trains=run.trains)
        if run.resumption is not None:
            run.resumption.begin(iterator, self._build_for)

    def _build_for(self, iterator) -> None:
        """Makes the variables of metrics and optimizer for some data."""
        dataset = iterator.data_adapter.get_tf_dataset()
        self._compiled.build(self, dataset.element_spec)

    # Saving. Keras's `save_model` and callbacks call these on every worker.

    def save(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the model as `keras.Model.save` does; on the chief alone.

        Raises:
            ValueError: If the file is to be in the old HDF5 format.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"filepath={str(filepath)!r} asks for the HDF5 format, which "
                "cannot hold tasks; nothing was written. Save to a file that "
                "ends in .keras, or the weights alone with "
                "save_weights('...weights.h5')."
            )
        if is_chief(self.distribute_strategy):
            super().save(filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves weights as `keras.Model` does; on the chief alone."""
        if is_chief(self.distribute_strategy):
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def export(self, filepath, *args, **kwargs) -> None:
        """Exports the model as `keras.Model.export` does; on the chief.

        Warns of a model that was trained on the encoded rows of a table, which
        takes numbers and not the columns: `data.serving_model(model)` makes
        one that does.
        """
        if self._encoded_inputs:
            warnings.warn(
                f"{self.name!r} was trained on encoded rows of a table, so the "
                "export takes their numbers and not the columns. For one that "
                "takes columns, export data.serving_model(model).",
                stacklevel=2,
            )
        if is_chief(self.distribute_strategy):
            super().export(filepath, *args, **kwargs)

    def get_config(self) -> dict:
        """Returns the graph and the tasks, serialized."""
        return {**super().get_config(), "tasks": self._serialized_tasks()}

    def get_compile_config(self) -> dict:
        """Returns the arguments of `compile`, with the current loss weights."""
        if not self.compiled:
            return {}
        arguments = {
            **self._compile_arguments,
            "loss_weights": dict(self.loss_weights),
        }
        return {
            **keras.saving.serialize_keras_object(arguments),
            # `keras.models.clone_model` hands over this config alone.
            "tasks": self._serialized_tasks(),
        }

    def compile_from_config(self, config: dict) -> None:
        """Compiles the model as `get_compile_config` says.

        Args:
            config: What `get_compile_config` returned.
        """
        arguments = dict(config)
        tasks = arguments.pop("tasks")
        if not self._tasks:
            self._set_untracked("_tasks", tuple(map(as_task, tasks)))
        self.compile(**keras.saving.deserialize_keras_object(arguments))
        if self.built:
            self.build_optimizer()

    def _serialized_tasks(self) -> list[dict]:
        return [keras.saving.serialize_keras_object(t) for t in self._tasks]


def _test_run(data: Prepared) -> Run:
    return Run("test", data.complete, unchecked=data.unchecked)
