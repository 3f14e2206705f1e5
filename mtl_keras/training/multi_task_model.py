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
from mtl_keras.distribution.lost_worker_error import name_lost_workers
from mtl_keras.distribution.replicas import keep_target_rows
from mtl_keras.distribution.scope_checks import (
    check_created_in_scope,
    check_on_replicas,
)
from mtl_keras.distribution.workers import is_chief
from mtl_keras.keras_compat import (
    HookedModel,
    disable_optimizer_all_reduce,
    use_per_replica_losses,
)
from mtl_keras.tasks.model_tasks import ModelTasks
from mtl_keras.training.backups.resumption import Resumption, find_backup
from mtl_keras.training.compiled import Compiled, compile_parts
from mtl_keras.training.data.checks import check_inputs
from mtl_keras.training.data.class_weights import check_class_weights
from mtl_keras.training.data.encoded_inputs import is_encoded
from mtl_keras.training.data.held_out import prepare_held_out
from mtl_keras.training.data.match_inputs import match_inputs
from mtl_keras.training.data.none_targets import count_samples
from mtl_keras.training.data.preparation import PreparedData, prepare
from mtl_keras.training.data.streams import (
    can_shuffle,
    check_first_batch,
    is_stream,
)
from mtl_keras.training.data.strings import to_object_strings
from mtl_keras.training.data.table_inputs import (
    convert_raw_columns,
    stream_float64,
)
from mtl_keras.training.data.task_arguments import to_task_dict
from mtl_keras.training.functions import make_function
from mtl_keras.training.gradients.added_losses import (
    added_losses,
    scale_added_losses,
)
from mtl_keras.training.gradients.non_finite_gradients import (
    check_non_finite,
    raise_if_non_finite,
)
from mtl_keras.training.gradients.skipped_steps import SkippedSteps
from mtl_keras.training.internal_callbacks import add_internal_callbacks
from mtl_keras.training.losses.loss_weights import (
    LossWeights,
    fill_loss_weights,
)
from mtl_keras.training.output_checks import check_outputs, get_task
from mtl_keras.training.overrides import (
    Overrides,
    in_custom_step,
    is_recording,
    record_call,
    record_step,
)
from mtl_keras.training.replica_data import (
    check_gradient_accumulation,
    prepare_worker_arguments,
    split_iterator,
    split_prediction_inputs,
)
from mtl_keras.training.run import Run
from mtl_keras.training.step import TestStep, TrainStep
from mtl_keras.training.task_rows import task_rows
from mtl_keras.weighting import Weighting


@keras.saving.register_keras_serializable("mtl_keras")
class MultiTaskModel(HookedModel):
    """A `keras.Model` with one output per task.

    It supports everything that a functional `keras.Model` supports. In
    addition, `compile` takes losses, metrics and loss weights from the tasks,
    loss weights can change during training, labels may be missing, data is
    checked before the first step, and training stops at a non-finite loss.

    A subclass may override `compute_loss`, `compute_metrics`, `train_step` and
    `test_step`. They are called for all data; `fit` raises an error where an
    override cannot work with a feature.

    Import `mtl_keras` before you load a saved model, so that Keras knows this
    class.

    Args:
        inputs: Keras input tensor, or a dict or list of them.
        outputs: Dict from task name to output tensor.
        name: Name of the model.
        tasks: The tasks, one per output.

    Raises:
        TypeError: If `outputs` is not a dict or `tasks` contains other objects.
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
        tasks = tuple(get_task(task) for task in tasks)
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
        """Sets an attribute without Keras's attribute tracking."""
        self.__dict__[name] = value

    def __call__(self, inputs, *args, **kwargs):
        """Computes the outputs; matches a dict of inputs by name."""
        return super().__call__(match_inputs(self, inputs), *args, **kwargs)

    @property
    def tasks(self) -> ModelTasks:
        """The tasks in the given order: a tuple that prints as a table."""
        return ModelTasks(self._tasks, lambda: task_rows(self))

    @property
    def task_output_shapes(self) -> dict[str, tuple]:
        """Dict from task name to output shape, without the batch axis."""
        shapes = zip(self.output_names, self.outputs, strict=True)
        return {name: tuple(output.shape)[1:] for name, output in shapes}

    @property
    def loss_weights(self) -> LossWeights:
        """The loss weights by task name; assign an item to change it.

        Raises:
            AttributeError: If the model was not compiled.
        """
        if self._loss_weights is None:
            raise AttributeError(
                "The model is not compiled, so it has no loss weights. Call "
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
        """The objects that `compile` created: losses, logs, update and more.

        Raises:
            AttributeError: If the model was not compiled.
        """
        if self._compiled is None:
            raise AttributeError(
                "The model is not compiled, so it has no losses and counts no "
                "steps. Call model.compile(...) first."
            )
        return self._compiled

    @property
    def skipped_steps(self) -> SkippedSteps:
        """The skipped steps of the last training, by reason.

        Raises:
            AttributeError: If the model was not compiled.
        """
        return self.compiled_parts.skipped

    @property
    def skipped_batches(self) -> int:
        """The number of batches without labels in the last training."""
        compiled = self._compiled
        return 0 if compiled is None else compiled.skipped.without_labels

    @property
    def non_finite(self) -> str:
        """The policy for non-finite steps (see `compile`)."""
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
        """Configures the model for training, by default from its tasks.

        Args:
            optimizer: As in `keras.Model.compile`. Defaults to `"adam"`.
            loss: Dict from task name to loss. Tasks that are not named keep
                their default loss.
            loss_weights: Dict from task name to weight, 0 or more. Tasks that
                are not named keep their default weight.
            metrics: Dict from task name to a list of metrics. Tasks that are
                not named keep their default metrics; an empty list removes
                them.
            weighted_metrics: As in `keras.Model.compile`, by task name.
            weighting: Combines the task losses into one update: the name of a
                weighting (see `mtl_keras.weighting`), its config or an
                instance. Defaults to `None`, the weighted sum.
            gradients: For weightings that compare task gradients.
                `"parameters"` uses gradients of the shared parameters, which
                needs one backward pass per task. `"features"` uses gradients
                of the shared features, an upper bound that costs about as
                much as training without weighting. Defaults to
                `"parameters"`.
            monitor: Whether to log statistics of the task gradients, as means
                over the epoch: `cosine/<task>/<task>`, `norm/<task>`,
                `conflicts` and `condition`. Defaults to `False`.
            non_finite: Policy for a step whose loss or gradient is NaN or
                infinite. `"stop"` raises an error that names the task; with a
                weighting, the weights are those before the step. `"skip"`
                skips the step and counts it (see `skipped_steps`). With loss
                scaling, the optimizer skips gradients that overflow in either
                case. Defaults to `"stop"`.
            run_eagerly: As in `keras.Model.compile`.
            steps_per_execution: As in `keras.Model.compile`.
            jit_compile: As in `keras.Model.compile`.
            auto_scale_loss: As in `keras.Model.compile`.

        Raises:
            TypeError: If `loss`, `loss_weights` or `metrics` is not a dict.
            ValueError: If a dict names an unknown task, a weight is negative
                or not finite, or all weights are zero.
        """
        if not self._tasks:
            raise ValueError(
                "This model has no tasks, so it cannot be compiled. Pass "
                "tasks=[...] to MultiTaskModel."
            )
        loss = to_task_dict("loss", loss, self._tasks)
        metrics = to_task_dict("metrics", metrics, self._tasks)
        weighted_metrics = to_task_dict(
            "weighted_metrics", weighted_metrics, self._tasks
        )
        check_non_finite(non_finite)
        self._assign_loss_weights(loss_weights)
        losses = {t.name: loss.get(t.name, t.loss) for t in self._tasks}
        strategy = self.distribute_strategy
        # An optimizer given by name creates variables here.
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
                group_tasks=not self._overrides.names,
            )
        self.remove_loss_tracker()
        self.loss = losses
        self._set_untracked("_compiled", compiled)
        self._set_untracked("_weighting", compiled.weighting)
        self._functions.clear()
        if strategy.num_replicas_in_sync > 1:
            disable_optimizer_all_reduce(self.optimizer)
            use_per_replica_losses(self)
        # The arguments as given, to be saved: "auto" may resolve differently
        # on another machine, and the tasks define the rest.
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
        weights = fill_loss_weights(
            given, {task.name: task.loss_weight for task in self._tasks}
        )
        if self._loss_weights is None:
            with self.distribute_strategy.scope():
                self._set_untracked("_loss_weights", LossWeights(weights))
        self._loss_weights.update(weights)

    def build_optimizer(self) -> None:
        """Creates the optimizer's variables, also for the weighting."""
        self.compiled_parts.update.build_optimizer()

    # Training and evaluation: prepare the data, then call Keras.

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
        """Checks the data and trains the model, as `keras.Model.fit` does.

        Arrays are checked completely; of a stream, the `element_spec` and the
        first batch are checked. Labels may be missing (see
        `Task.missing_label`): they add nothing to losses, gradients and
        metrics, and a batch without labels is skipped.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.fit`. A dict
                is matched to the inputs by name.
            y: Dict from task name to targets, or to `None` for a task without
                labels in this data.
            validation_data: As in `keras.Model.fit`; checked like `x` and `y`.
            shuffle: As in `keras.Model.fit`. Defaults to `True` where Keras can
                shuffle: arrays, and the batches of a PyDataset.
            class_weight: Dict from task name to a dict from class to weight,
                which multiplies the weight of the samples (or pixels, tokens,
                labels) of that class. Other classes have weight 1.
            held_out_data: Data that weightings such as `"auto_lambda"` learn
                from: `(x, y)` or `(x, y, sample_weight)`, or a
                `tf.data.Dataset` of such batches. It should be neither
                training data nor validation data, because the validation
                metrics would no longer be independent.

        All other arguments are those of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with `loss`, `<task>_loss` and
            `<task>_<metric>` for each task. A task's loss is the mean over its
            labelled elements in the epoch. `loss` is the sum of the task
            losses times the loss weights, plus the losses that layers add.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not match
                the model.
            NonFiniteLossError: If a loss becomes NaN or infinite.
            NonFiniteGradientError: If a gradient becomes NaN or infinite and
                the model has a weighting (see `compile`).
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
            validation = _make_test_run(prepared)
            validation_data = prepared.as_validation_data()
        with name_lost_workers(strategy):
            backup = find_backup(callbacks)
            if backup is not None:
                # First: the held-out batches depend on the restored step.
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
                run,
                self.weighting,
                checks_finite_updates=compiled.checks_finite_updates,
            )
            check_created_in_scope(self)
            check_gradient_accumulation(
                self.optimizer, strategy.num_replicas_in_sync
            )
            arguments = {
                "x": data.x,
                "y": data.y,
                "batch_size": batch_size,
                "epochs": epochs,
                "verbose": verbose,
                "callbacks": add_internal_callbacks(callbacks, self),
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
            arguments = prepare_worker_arguments(
                strategy, arguments, training=True
            )
            compiled.skipped.reset()
            with self._use_run(run):
                history = super().fit(**arguments)
        compiled.skipped.warn(stacklevel=2)
        return history

    def _prepare_validation(self, validation_data) -> PreparedData:
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
        """Checks the data and evaluates the model.

        Pass `return_dict=True` to get the results by name.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.evaluate`.
            y: Dict from task name to targets, or to `None` for a task without
                labels in this data.

        All other arguments and the result are those of `keras.Model.evaluate`.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not match
                the model.
        """
        self.assert_compiled("evaluate")
        arguments = {"verbose": verbose, "callbacks": callbacks, "x": x}
        # `fit` evaluates data that it has already prepared.
        within_fit = kwargs.get("_use_cached_eval_dataset", False)
        if within_fit:
            run = self._run.validation
        else:
            data = prepare(self, x, y, sample_weight)
            run = _make_test_run(data)
            y, sample_weight = data.y, data.sample_weight
            check_created_in_scope(self)
            arguments = prepare_worker_arguments(
                self.distribute_strategy, {**arguments, "x": data.x}
            )
        self._overrides.check(run, self.weighting, checks_finite_updates=False)
        with name_lost_workers(self.distribute_strategy), self._use_run(run):
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
        """Computes predictions as `keras.Model.predict` does.

        All workers must call it, and each returns the predictions of all. A
        dict of inputs is matched to the model's inputs by name.
        """
        check_created_in_scope(self)
        strategy = self.distribute_strategy
        x = to_object_strings(convert_raw_columns(self, x))
        x = match_inputs(self, x)
        if not is_stream(x):
            check_inputs(self, x, values=False)
            x, batch_size = stream_float64(self, x, batch_size)
        x, batch_size, steps = split_prediction_inputs(
            strategy, x, batch_size, steps
        )
        arguments = {"x": x, "verbose": verbose, "callbacks": callbacks}
        with name_lost_workers(strategy):
            return super().predict(
                batch_size=batch_size,
                steps=steps,
                **prepare_worker_arguments(strategy, arguments),
            )

    def predict_on_batch(self, x):
        """Computes the predictions of one batch.

        Args:
            x: Inputs.
        """
        x = convert_raw_columns(self, x)
        if self.distribute_strategy.num_replicas_in_sync == 1:
            return super().predict_on_batch(match_inputs(self, x))
        return self.predict(x, batch_size=count_samples(x), verbose=0)

    def train_on_batch(
        self,
        x,
        y=None,
        sample_weight=None,
        class_weight=None,
        return_dict=False,
    ):
        """Checks a batch and trains on it.

        Unlike `fit`, it does not check the loss: only a model with a weighting
        raises an error at non-finite values.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task without
                labels in this batch.
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
            run,
            self.weighting,
            checks_finite_updates=self._compiled.checks_finite_updates,
        )
        self._compiled.skipped.reset()
        with self._use_run(run):
            logs = super().train_on_batch(
                data.x, data.y, data.sample_weight, return_dict=return_dict
            )
        self._compiled.skipped.warn(stacklevel=2)
        raise_if_non_finite(self, "in this batch")
        return logs

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Checks a batch and evaluates the model on it.

        Args:
            x: Inputs.
            y: Dict from task name to targets, or to `None` for a task without
                labels in this batch.
            sample_weight: As in `keras.Model.test_on_batch`.
            return_dict: As in `keras.Model.test_on_batch`.
        """
        self.assert_compiled("test_on_batch")
        data = prepare(self, x, y, sample_weight, whole=False)
        with self._use_run(Run("test", data.complete)):
            return super().test_on_batch(
                data.x, data.y, data.sample_weight, return_dict=return_dict
            )

    @contextlib.contextmanager
    def _use_run(self, run: Run) -> Iterator[None]:
        """Sets the current run within a block."""
        before = self._run
        self._set_untracked("_run", run)
        try:
            yield
        finally:
            self._set_untracked("_run", before)

    # Steps.

    def make_train_function(self, force: bool = False):
        """Creates the function of a training step, or returns a cached one."""
        run = self._run
        if run is None or not run.is_training:
            run = Run("train")
        reset = force or self.train_function is None
        self.train_function = self._get_function(run, reset)
        return self.train_function

    def make_test_function(self, force: bool = False):
        """Creates the function of a test step, or returns a cached one."""
        run = self._run
        if run is None or run.is_training:
            run = Run("test")
        reset = force or self.test_function is None
        self.test_function = self._get_function(run, reset)
        return self.test_function

    def _get_function(self, run: Run, reset: bool):
        """Returns the traced function of a run, which is cached by its key."""
        if reset:  # recompiled, or reset by the user
            for key in [key for key in self._functions if key[0] == run.mode]:
                del self._functions[key]
        if run.key not in self._functions:
            self._functions[run.key] = self._make_step_function(run)
        function = self._functions[run.key]
        if not run.unchecked:
            return function
        return check_first_batch(function, self, run.mode)

    def _make_step_function(self, run: Run):
        kind, method = (
            (TrainStep, "train_step")
            if run.is_training
            else (TestStep, "test_step")
        )
        compiled, overrides = self._compiled, self._overrides
        step = kind(self, compiled, run, overrides)
        if method in overrides:
            step = overrides.make_step(
                method, compiled.logs, compiled.weighting
            )
        return make_function(
            self,
            step,
            lambda data: compiled.build(self, data),
            lambda: None if self._run is None else self._run.held_out,
            returns_logs=method in overrides or "compute_metrics" in overrides,
        )

    def train_step(self, data):
        """Trains on a batch, on each replica.

        A subclass may override it and call `super().train_step(data)`.

        Args:
            data: `(x, y)` or `(x, y, sample_weight)`. Targets have the shape
                of the output, class ids are integers `(batch,)` or `(batch,
                height, width)`, and missing labels are -1 or NaN.

        Returns:
            Dict of logs.
        """
        record_step()
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
        record_step()
        run = self._run or Run("test")
        step = TestStep(self, self._compiled, run, self._overrides)
        return step.on_replica(data) or self.get_metrics_result()

    def predict_step(self, data):
        """Computes predictions without the padding rows of a batch."""
        _, rows, _ = keras.utils.unpack_x_y_sample_weight(data)
        outputs = super().predict_step(data)
        return outputs if rows is None else keep_target_rows(outputs, rows)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """Computes the total loss of a batch.

        It works in a custom training loop, also with missing labels. A
        subclass may override it: the difference to
        `super().compute_loss(...)` is an added loss, a mean over the batch,
        which a weighting does not receive. This includes a factor on the
        result of `super()`.

        Args:
            x: Inputs.
            y: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, an array for all tasks, or a dict from task
                name to array.
            training: Whether the model is training. Defaults to `True`.

        Returns:
            A scalar: the sum of the task losses times the loss weights, plus
            the losses that layers add. Inside a replica, the share of this
            replica.
        """
        run = self._run or Run("test")
        batch = self.compiled_parts.losses.compute(
            y,
            y_pred,
            sample_weight,
            class_weights=run.class_weights if training else {},
            # Outside a step, the data may differ from those of the run.
            complete=run.complete and is_recording(),
        )
        total = tf.reduce_sum(batch.weighted)
        inputs = y_pred if x is None else x
        total += scale_added_losses(self, inputs, added_losses(self))
        if in_custom_step():
            self._compiled.logs.record_task_losses(batch)
        record_call(total, batch)
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the task metrics with a batch.

        Args:
            x: Inputs.
            y: Dict from task name to targets of any allowed shape.
            y_pred: Dict from task name to predictions.
            sample_weight: `None`, an array for all tasks, or a dict from task
                name to array.

        Returns:
            Dict of logs.
        """
        run = self._run or Run("test")
        group_batches = self.compiled_parts.losses.split_batch(
            y, y_pred, sample_weight, complete=run.complete
        )
        self._compiled.logs.record_metrics(group_batches)
        return self.get_metrics_result()

    # Logs.

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The losses and metrics of the tasks and, in training, the weights."""
        keras_metrics = super().metrics
        if self._compiled is None:
            return keras_metrics
        is_training = self._run is None or self._run.is_training
        return [*self._compiled.logs.metrics(is_training), *keras_metrics]

    def on_epoch_logs(self, logs):
        """Returns the logs of an epoch (see `HookedModel`)."""
        resumption = None if self._run is None else self._run.resumption
        if resumption is not None and resumption.within_epoch and not logs:
            # Training already completed all batches of the epoch.
            return self.get_metrics_result()
        if self.distribute_strategy.num_replicas_in_sync > 1:
            # Logs of a subclass come from one replica.
            results = self.get_metrics_result()
            return {name: results.get(name, logs[name]) for name in logs}
        return logs

    def on_iterator(self, iterator) -> None:
        """Splits the batches over the replicas (see `HookedModel`)."""
        strategy, run = self.distribute_strategy, self._run or Run("test")
        if strategy.num_replicas_in_sync > 1:
            self._build_variables(iterator)
            variables = [v for metric in self.metrics for v in metric.variables]
            check_on_replicas(self, "metrics of the model", variables)
            split_iterator(strategy, iterator, training=run.is_training)
        if run.resumption is not None:
            run.resumption.begin(iterator, self._build_variables)

    def _build_variables(self, iterator) -> None:
        """Creates the variables of metrics and optimizer."""
        dataset = iterator.data_adapter.get_tf_dataset()
        self._compiled.build(self, dataset.element_spec)

    # Saving. Keras's `save_model` and callbacks call these on every worker.

    def save(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the model on the chief, as `keras.Model.save` does.

        Raises:
            ValueError: If `filepath` has the suffix of the HDF5 format.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                f"filepath={str(filepath)!r} requests the HDF5 format, which "
                "cannot store tasks; no file was written. Save to a file with "
                "the suffix .keras, or save only the weights with "
                "save_weights('...weights.h5')."
            )
        if is_chief(self.distribute_strategy):
            super().save(filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs) -> None:
        """Saves the weights on the chief, as `keras.Model` does."""
        if is_chief(self.distribute_strategy):
            super().save_weights(filepath, overwrite=overwrite, **kwargs)

    def export(self, filepath, *args, **kwargs) -> None:
        """Exports the model on the chief, as `keras.Model.export` does.

        Warns about a model that was trained on the encoded rows of a table:
        the export takes the encoded numbers, not the columns. Export
        `data.serving_model(model)` instead, which takes columns.
        """
        if self._encoded_inputs:
            warnings.warn(
                f"{self.name!r} was trained on encoded rows of a table, so the "
                "export takes the encoded numbers, not the columns. For a "
                "model that takes columns, export data.serving_model(model).",
                stacklevel=2,
            )
        if is_chief(self.distribute_strategy):
            super().export(filepath, *args, **kwargs)

    def get_config(self) -> dict:
        """Returns the config of the graph and of the tasks."""
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
            # `keras.models.clone_model` passes only this config.
            "tasks": self._serialized_tasks(),
        }

    def compile_from_config(self, config: dict) -> None:
        """Compiles the model from a config.

        Args:
            config: The result of `get_compile_config`.
        """
        arguments = dict(config)
        tasks = arguments.pop("tasks")
        if not self._tasks:
            self._set_untracked("_tasks", tuple(map(get_task, tasks)))
        self.compile(**keras.saving.deserialize_keras_object(arguments))
        if self.built:
            self.build_optimizer()

    def _serialized_tasks(self) -> list[dict]:
        return [keras.saving.serialize_keras_object(t) for t in self._tasks]


def _make_test_run(data: PreparedData) -> Run:
    return Run("test", data.complete, unchecked=data.unchecked)
