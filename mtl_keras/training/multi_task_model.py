"""A functional Keras model with one named output a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from mtl_keras import weighting as weightings
from mtl_keras.distribution.losses_of_replicas import keep_losses_apart
from mtl_keras.distribution.replicas import hand_over_sums
from mtl_keras.tasks import Task
from mtl_keras.training.checked_training import CheckedTraining
from mtl_keras.training.data.by_task import by_task
from mtl_keras.training.distributed_training import DistributedTraining
from mtl_keras.training.gradients.non_finite_gradients import check_non_finite
from mtl_keras.training.labelled_training import LabelledTraining
from mtl_keras.training.logged_by_task import LoggedByTask
from mtl_keras.training.losses.loss_weights import (
    LossWeights,
    complete_loss_weights,
)
from mtl_keras.training.outputs_by_task import as_task, check_outputs
from mtl_keras.training.resumable_training import ResumableTraining


@keras.saving.register_keras_serializable("mtl_keras")
class MultiTaskModel(
    CheckedTraining,
    ResumableTraining,
    DistributedTraining,
    LabelledTraining,
    LoggedByTask,
    keras.Model,
):
    """A `keras.Model` whose outputs are tasks.

    Everything that a functional `keras.Model` does works as it does there. On
    top of it, `compile` takes losses, metrics and weights from the tasks, the
    loss weights can change while the model trains, labels may be missing, data
    is checked before the first step, and a loss that is not finite stops the
    run.

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
        tasks = tuple(as_task(task) for task in tasks)
        if tasks:
            check_outputs(outputs, tasks)
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self._keep_untracked("_tasks", tasks)
        self._keep_untracked("_loss_weights", None)
        # Of "train" and "test": where the next batch is a stream's first.
        self._keep_untracked("unchecked_streams", set())
        self.start_resumable_training()
        self.start_distributed_training()
        self.start_labelled_training()
        self.start_weighting()

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

    @loss_weights.setter
    def loss_weights(self, values: Mapping[str, float]) -> None:
        self.loss_weights.update(values)

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
                before the step. `"skip"` passes over the step and counts it
                (see `skipped_steps`). An optimizer that scales the loss
                passes over gradients that overflow in either case.
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
        loss = by_task("loss", loss, self._tasks)
        metrics = by_task("metrics", metrics, self._tasks)
        weighted_metrics = by_task(
            "weighted_metrics", weighted_metrics, self._tasks
        )
        self._keep_untracked("non_finite", check_non_finite(non_finite))
        self._assign_loss_weights(loss_weights)
        losses = {t.name: loss.get(t.name, t.loss) for t in self._tasks}
        groups = self.find_groups(losses, {*metrics, *weighted_metrics})
        of_groups, of_tasks = self.make_metrics(groups)
        arguments = {
            "optimizer": optimizer,
            "loss": losses,
            "loss_weights": self._loss_weights.variables_by_task,
            "metrics": {**of_tasks, **metrics},
            "weighted_metrics": weighted_metrics or None,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "auto_scale_loss": auto_scale_loss,
        }
        super().compile(**arguments)
        self.log_by_task(arguments, groups, of_groups)
        names = [name for name, of_task in arguments["loss"].items() if of_task]
        self.count_skipped(names)
        self.set_weighting(
            None if weighting is None else weightings.get(weighting),
            names,
            gradients,
            monitor,
        )
        if self.distribute_strategy.num_replicas_in_sync > 1:
            hand_over_sums(self.optimizer)
            keep_losses_apart(self)
        # What the user said, to be saved: "auto" may resolve to something
        # else on the next machine, and the tasks know the rest.
        self._keep_untracked(
            "_compile_arguments",
            {
                **arguments,
                "optimizer": self.optimizer,
                "loss": loss,
                "metrics": metrics,
                "weighted_metrics": weighted_metrics,
                "weighting": self.weighting,
                "gradients": gradients,
                "monitor": monitor,
                "non_finite": non_finite,
            },
        )

    def _assign_loss_weights(self, given) -> None:
        weights = complete_loss_weights(
            given, {task.name: task.loss_weight for task in self._tasks}
        )
        if self._loss_weights is None:
            with self.distribute_strategy.scope():
                self._keep_untracked("_loss_weights", LossWeights(weights))
        self._loss_weights.update(weights)

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
            self._keep_untracked("_tasks", tuple(map(as_task, tasks)))
        self.compile(**keras.saving.deserialize_keras_object(arguments))
        if self.built:
            self.build_optimizer()

    def _serialized_tasks(self) -> list[dict]:
        return [keras.saving.serialize_keras_object(t) for t in self._tasks]
