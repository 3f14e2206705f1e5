"""A functional Keras model with one named output a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import Task
from mtl_keras.training.checks import check_data
from mtl_keras.training.loss_weights import LossWeights, complete_loss_weights
from mtl_keras.training.non_finite_loss import StopOnNonFiniteLoss
from mtl_keras.training.streams import (
    check_first_batch,
    check_specification,
    is_stream,
)
from mtl_keras.training.task_losses import TaskLosses


@keras.saving.register_keras_serializable("mtl_keras")
class MultiTaskModel(keras.Model):
    """A `keras.Model` whose outputs are tasks.

    Everything that a functional `keras.Model` does works as it does there. On
    top of it, `compile` takes losses, metrics and weights from the tasks, the
    loss weights can change while the model trains, data is checked before the
    first step, and a loss that is not finite stops the run.

    A process that loads a saved model imports `mtl_keras` first, so that
    Keras knows this class.

    Args:
        inputs: Keras input tensor, or a dict or list of them.
        outputs: Dict from task name to output tensor.
        name: Name of the model.
        tasks: The tasks, one for each output.

    Raises:
        TypeError: If `outputs` is no dict or `tasks` holds something else.
        ValueError: If outputs and tasks do not go by the same names.

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
        tasks = tuple(_as_task(task) for task in tasks)
        if tasks:
            _check_outputs(outputs, tasks)
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self._keep_untracked("_tasks", tasks)
        self._keep_untracked("_loss_weights", None)
        # Of "train" and "test": where the next batch is a stream's first.
        self._keep_untracked("unchecked_streams", set())

    def _keep_untracked(self, name: str, value: Any) -> None:
        """Sets an attribute that Keras must not take for a layer or metric."""
        self.__dict__[name] = value

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

    def compile(
        self,
        optimizer="adam",
        loss: Mapping[str, Any] | None = None,
        loss_weights: Mapping[str, float] | None = None,
        metrics: Mapping[str, Any] | None = None,
        weighted_metrics=None,
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
            run_eagerly: As in `keras.Model.compile`.
            steps_per_execution: As in `keras.Model.compile`.
            jit_compile: As in `keras.Model.compile`.
            auto_scale_loss: As in `keras.Model.compile`.

        Raises:
            TypeError: If one of the dicts is no dict.
            ValueError: If it names a task that the model does not have, or a
                weight is negative or not finite, or all are zero.
        """
        if not self._tasks:
            raise ValueError(
                "This model has no tasks, so it has nothing to compile. Pass "
                "tasks=[...] to MultiTaskModel."
            )
        loss = self._by_task("loss", loss)
        metrics = self._by_task("metrics", metrics)
        weights = complete_loss_weights(
            loss_weights, {task.name: task.loss_weight for task in self._tasks}
        )
        if self._loss_weights is None:
            with self.distribute_strategy.scope():
                self._keep_untracked("_loss_weights", LossWeights(weights))
        self._loss_weights.update(weights)
        losses = {
            task.name: loss.get(task.name, task.loss) for task in self._tasks
        }
        super().compile(
            optimizer=optimizer,
            loss=losses,
            metrics=self._named_metrics(metrics),
            weighted_metrics=weighted_metrics,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=auto_scale_loss,
        )
        self._keep_untracked(
            "_compile_loss",
            TaskLosses(
                losses,
                self._loss_weights.variables_by_task,
                output_names=self.output_names,
            ),
        )
        self._keep_untracked(
            "_compile_arguments",
            {
                "optimizer": self.optimizer,
                "loss": loss,
                "metrics": metrics,
                "weighted_metrics": weighted_metrics,
                "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution,
                "jit_compile": jit_compile,
                "auto_scale_loss": auto_scale_loss,
            },
        )

    def _by_task(self, argument: str, given) -> dict[str, Any]:
        if given is None:
            return {}
        names = [task.name for task in self._tasks]
        if not isinstance(given, Mapping):
            raise TypeError(
                f"{argument} is a {type(given).__name__}; expected a dict from "
                f"task name, with some or all of {names}."
            )
        for name in given:
            if name not in names:
                raise ValueError(
                    f"{argument} names {name!r}, which is no task of the "
                    f"model. {did_you_mean(name, names)}"
                )
        return dict(given)

    def _named_metrics(self, metrics: dict[str, Any]) -> dict[str, list]:
        # With one output Keras leaves its name out of the metrics' names.
        alone = len(self._tasks) == 1
        return {
            task.name: metrics[task.name]
            if task.name in metrics
            else task.make_metrics(f"{task.name}_" if alone else "")
            for task in self._tasks
        }

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
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ) -> keras.callbacks.History:
        """Trains the model, as `keras.Model.fit` does, on checked data.

        Arrays are checked whole, streams by what they say of themselves and
        by their first batch.

        Args:
            x: Inputs, or a stream of batches, as in `keras.Model.fit`.
            y: Dict from task name to targets.
            validation_data: As in `keras.Model.fit`; checked like `x` and `y`.

        All other arguments are those of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History` with `loss`, `<task>_loss` and
            `<task>_<metric>` for each task.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
            NonFiniteLossError: If a loss becomes NaN or infinite.
        """
        self._assert_compile_called("fit")
        self._check(x, y, sample_weight)
        if validation_data is not None:
            validation = keras.utils.unpack_x_y_sample_weight(validation_data)
            self._check(*validation, "test", "validation_data")
        return super().fit(
            x=x,
            y=y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=_with_guard(callbacks),
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )

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
            y: Dict from task name to targets.

        All other arguments and the result are those of `keras.Model.evaluate`.

        Raises:
            TypeError: If a container or dtype is of the wrong kind.
            ValueError: If names, shapes or values of the data do not fit.
        """
        self._assert_compile_called("evaluate")
        # `fit` has checked its validation data already.
        if not kwargs.get("_use_cached_eval_dataset"):
            self._check(x, y, sample_weight, "test", "evaluate")
        return super().evaluate(
            x=x,
            y=y,
            batch_size=batch_size,
            verbose=verbose,
            sample_weight=sample_weight,
            steps=steps,
            callbacks=callbacks,
            return_dict=return_dict,
            **kwargs,
        )

    def train_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """Trains on one checked batch, as `keras.Model.train_on_batch` does."""
        self._assert_compile_called("train_on_batch")
        check_data(self, x, y, sample_weight)
        return super().train_on_batch(x, y, sample_weight, *args, **kwargs)

    def test_on_batch(self, x, y=None, sample_weight=None, *args, **kwargs):
        """Evaluates one checked batch, as `keras.Model.test_on_batch` does."""
        self._assert_compile_called("test_on_batch")
        check_data(self, x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, *args, **kwargs)

    def _check(self, x, y, sample_weight, mode="train", where="") -> None:
        """Checks arrays now, and a stream at its first batch."""
        self.unchecked_streams.discard(mode)
        if is_stream(x):
            check_specification(self, x)
            self.unchecked_streams.add(mode)
        else:
            check_data(self, x, y, sample_weight, where=where)

    def make_train_function(self, force: bool = False):
        """Makes Keras's train function, which here checks a first batch."""
        fresh = force or self.train_function is None
        super().make_train_function(force)
        if fresh:
            self.train_function = check_first_batch(
                self.train_function, self, "train"
            )
        return self.train_function

    def make_test_function(self, force: bool = False):
        """Makes Keras's test function, which here checks a first batch."""
        fresh = force or self.test_function is None
        super().make_test_function(force)
        if fresh:
            self.test_function = check_first_batch(
                self.test_function, self, "test"
            )
        return self.test_function

    def get_config(self) -> dict:
        """Returns the graph and the tasks, serialized."""
        return {**super().get_config(), "tasks": self._serialized_tasks()}

    def get_compile_config(self) -> dict:
        """Returns the arguments of `compile`, with the current loss weights."""
        if not self.compiled:
            return {}
        return {
            **keras.saving.serialize_keras_object(self._compile_arguments),
            "loss_weights": dict(self.loss_weights),
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
            self._keep_untracked("_tasks", tuple(map(_as_task, tasks)))
        loss_weights = arguments.pop("loss_weights")
        arguments = keras.saving.deserialize_keras_object(arguments)
        self.compile(**arguments, loss_weights=loss_weights)
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _serialized_tasks(self) -> list[dict]:
        return [keras.saving.serialize_keras_object(t) for t in self._tasks]


def _as_task(task) -> Task:
    if isinstance(task, Task):
        return task
    if isinstance(task, Mapping):
        return keras.saving.deserialize_keras_object(task)
    raise TypeError(
        f"tasks holds {task!r} of type {type(task).__name__}; expected tasks "
        "such as mtl_keras.Classification('digit', 10)."
    )


def _check_outputs(outputs, tasks: tuple[Task, ...]) -> None:
    if not isinstance(outputs, Mapping):
        raise TypeError(
            f"outputs is a {type(outputs).__name__}; expected a dict from task "
            "name to output tensor."
        )
    check_task_names(tasks)
    names = {task.name for task in tasks}
    if set(outputs) != names:
        raise ValueError(
            f"outputs are named {sorted(outputs)} and tasks {sorted(names)}; "
            "expected one output for each task, of its name."
        )


def check_task_names(tasks: Sequence[Task]) -> None:
    """Raises a `ValueError` if two tasks go by one name.

    Args:
        tasks: The tasks of a model.
    """
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"Two tasks are named {twice[0]!r}; expected a name of its own for "
            f"each of {names}."
        )


def _with_guard(callbacks):
    """Adds the callback that stops a run at a loss that is not finite."""
    guard = StopOnNonFiniteLoss()
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(guard)
        guard.set_model(callbacks.model)
        return callbacks
    return [*keras.tree.flatten(callbacks or []), guard]
