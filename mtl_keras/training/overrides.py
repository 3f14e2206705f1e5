"""The methods that a subclass of `MultiTaskModel` overrides."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from mtl_keras.tasks import Task
from mtl_keras.training.data.target_form import (
    targets_by_task,
    to_override_form,
)
from mtl_keras.training.gradients.added_losses import added_losses
from mtl_keras.training.losses.task_losses import BatchLosses, TaskLosses
from mtl_keras.training.run import Run

METHODS = ("train_step", "test_step", "compute_loss", "compute_metrics")
# The recorded calls of the base class, by thread: one thread per replica.
_CALLS = threading.local()


class Overrides:
    """Finds and calls the overridden methods of a model.

    Args:
        model: The model.
        base: The class with the default methods.
    """

    def __init__(self, model: keras.Model, base: type):
        self._model = model
        self._base = base

    @property
    def names(self) -> tuple[str, ...]:
        """The overridden methods of the class or of the instance."""
        return tuple(
            name
            for name in METHODS
            if getattr(getattr(self._model, name), "__func__", None)
            is not getattr(self._base, name)
        )

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def check(
        self, run: Run, weighting, *, checks_finite_updates: bool
    ) -> None:
        """Checks that the overrides work with the features in use.

        Args:
            run: The settings of `fit` or `evaluate`.
            weighting: The weighting of the model, or `None`.
            checks_finite_updates: Whether non-finite updates are skipped.

        Raises:
            ValueError: If a feature cannot work with an override.
        """
        if not run.is_training:
            return
        model = type(self._model).__name__
        if run.held_out is not None and self.names:
            raise ValueError(
                f"{model} overrides {self.names[0]}, and "
                f"{type(weighting).__name__} computes losses at other weights, "
                "where the override is not called. Remove the override, or "
                "choose a weighting without held_out_data."
            )
        replicas = self._model.distribute_strategy.num_replicas_in_sync
        if "train_step" not in self or replicas == 1:
            return
        for feature, used, fix in (
            (
                "labels may be missing",
                not run.complete,
                "declare the tasks with complete_labels=True",
            ),
            (
                "steps with a non-finite loss or gradient are skipped",
                checks_finite_updates,
                "compile without weighting and with non_finite='stop'",
            ),
        ):
            if used:
                raise ValueError(
                    f"{model} overrides train_step, which runs on each of "
                    f"{replicas} replicas, and {feature}. This requires a "
                    "decision for all replicas, outside train_step. "
                    f"Override compute_loss instead, {fix}, or train "
                    "on one replica."
                )

    def make_step(self, method: str, logs, weighting=None) -> Callable:
        """Creates a step that calls an overridden method on all replicas.

        Args:
            method: `"train_step"` or `"test_step"`.
            logs: The logs of training.
            weighting: The weighting of the model, or `None`.

        Returns:
            A function of a batch. While it is traced, it raises a `ValueError`
            if `train_step` does not call `super().train_step` and the model
            has a weighting or several replicas.
        """
        model = self._model
        shapes = {
            name: (None, *shape)
            for name, shape in model.task_output_shapes.items()
        }

        def on_replica(data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            y = to_override_targets(model.tasks, y, shapes)
            data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
            _CALLS.step, _CALLS.computed_losses = method, False
            try:
                returned = getattr(model, method)(data)
            finally:
                stepped = _CALLS.step is None
                _CALLS.step = None
            if method == "train_step" and not stepped:
                self._check_custom_step(weighting)
            if not stepped:
                logs.has_task_losses[method == "train_step"] = (
                    _CALLS.computed_losses
                )
            return returned

        def step(data, _=None):
            return model.distribute_strategy.run(on_replica, args=(data,))

        return step

    def _check_custom_step(self, weighting) -> None:
        """Raises an error if `train_step` must call that of the base class."""
        model = type(self._model).__name__
        if weighting is not None:
            raise ValueError(
                f"{model}.train_step does not call super().train_step(data), "
                f"so {type(weighting).__name__} has no effect. Call it, or "
                "compile with weighting=None."
            )
        replicas = self._model.distribute_strategy.num_replicas_in_sync
        if replicas > 1:
            raise ValueError(
                f"{model}.train_step does not call super().train_step(data), "
                f"so it does not sum the gradients of the {replicas} replicas. "
                "Call it, override compute_loss instead, or train on one "
                "replica."
            )

    def compute_losses(
        self,
        losses: TaskLosses,
        data,
        outputs,
        *,
        training: bool,
        weighting=None,
    ) -> BatchLosses:
        """Computes the losses of a batch with an overridden `compute_loss`.

        The difference to the loss of the base class is an added loss, which a
        weighting does not receive.

        Args:
            losses: Computes the task losses.
            data: `(x, y)` or `(x, y, sample_weight)` of a replica.
            outputs: Dict from task name to outputs.
            training: Whether the model is training.
            weighting: The weighting of the model, or `None`.

        Raises:
            ValueError: If there is a weighting and the method does not call
                `super().compute_loss`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y = to_override_targets(losses.tasks, y, outputs)
        method = self._model.compute_loss
        arguments = {"training": training}
        if "training" not in inspect.signature(method).parameters:
            arguments = {}
        with recorded_calls() as calls:
            total = method(x, y, outputs, sample_weight, **arguments)
        if calls:
            base_total, batch = calls[-1]
            added = _zero_if_empty(total - base_total, batch)
            return batch._replace(added=added)
        if weighting is not None:
            raise ValueError(
                f"{type(self._model).__name__}.compute_loss does not call "
                "super().compute_loss(...), so "
                f"{type(weighting).__name__} receives no task losses. Call it "
                "and add your custom term to the result, or compile with "
                "weighting=None."
            )
        group_batches = losses.split_batch(y, outputs, sample_weight)
        batch = BatchLosses(group_batches, {}, tf.zeros(len(losses.names)))
        # As in Keras, without the losses of layers: the step adds them.
        total = tf.cast(total, "float32") - added_losses(self._model)
        return batch._replace(added=_zero_if_empty(total, batch))

    def record_metrics(self, logs, data, batch: BatchLosses):
        """Updates the metrics with a batch.

        Args:
            logs: The logs of training.
            data: See `compute_losses`.
            batch: The losses of the batch.

        Returns:
            The logs of an overridden `compute_metrics`, or `None`.
        """
        if "compute_metrics" not in self:
            logs.record_metrics(batch.group_batches)
            return None
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        # A class with overrides has no task groups.
        singles = batch.group_batches
        outputs = {single.names[0]: single.y_pred for single in singles}
        tasks = [single.task for single in singles]
        y = to_override_targets(tasks, y, outputs)
        return self._model.compute_metrics(x, y, outputs, sample_weight)


def derive_model_class(model: keras.Model, base: type) -> type:
    """Returns the class for a model that is derived from another model.

    Args:
        model: A model. Its class may override methods in `METHODS`.
        base: The class to return if it overrides none.

    Raises:
        ValueError: If the class overrides a method and `__init__`, whose
            arguments are unknown.
    """
    overridden = Overrides(model, base).names
    if not overridden:
        return base
    if type(model).__init__ is not base.__init__:
        name = type(model).__name__
        raise ValueError(
            f"{name} overrides {overridden[0]} and __init__, so a model with "
            "other inputs or tasks cannot be created from it. Remove one of "
            f"the two overrides from {name}."
        )
    return type(model)


def to_override_targets(tasks, y, outputs) -> dict:
    """Converts targets to the form that overridden methods receive.

    Args:
        tasks: The tasks.
        y: Dict from task name to targets of any allowed shape.
        outputs: Dict from task name to outputs, or to their shapes with the
            batch axis.

    Returns:
        Dict from task name to targets (see `to_override_form`).
    """
    y = targets_by_task(tasks, y)
    shapes = {n: tuple(getattr(o, "shape", o)) for n, o in outputs.items()}
    return {
        task.name: _broadcast_to_output(
            task,
            to_override_form(task, y[task.name], shapes[task.name][1:]),
            outputs[task.name],
        )
        for task in tasks
    }


def _broadcast_to_output(task: Task, targets, output):
    """Broadcasts unlabelled targets of a whole sample to the output shape."""
    is_shape = isinstance(output, tuple)
    static = output if is_shape else tuple(output.shape)
    rank = len(targets.shape)
    is_narrow = [
        size == 1 and output_size != 1
        for size, output_size in zip(
            targets.shape[1:], static[1:rank], strict=False
        )
    ]
    if not any(is_narrow):
        return targets
    sizes = [
        size or (1 if is_shape else tf.shape(output)[axis])
        for axis, size in enumerate(static[1:rank], start=1)
    ]
    return tf.broadcast_to(targets, [tf.shape(targets)[0], *sizes])


def _zero_if_empty(added, batch: BatchLosses):
    """Returns 0 for a replica without samples, whose mean is NaN."""
    added = tf.cast(added, "float32")
    return tf.where(batch.num_samples > 0, added, tf.zeros_like(added))


@contextlib.contextmanager
def recorded_calls() -> Iterator[list]:
    """Records the calls of the base class's `compute_loss` in a block.

    Yields:
        A list of pairs of total loss and `BatchLosses`.
    """
    before = getattr(_CALLS, "losses", None)
    _CALLS.losses = []
    try:
        yield _CALLS.losses
    finally:
        _CALLS.losses = before


def record_call(total, batch: BatchLosses) -> None:
    """Records a call of the base class's `compute_loss`.

    Args:
        total: The total loss.
        batch: The losses of the batch.
    """
    _CALLS.computed_losses = True
    calls = getattr(_CALLS, "losses", None)
    if calls is not None:
        calls.append((total, batch))


def record_step() -> None:
    """Records a call of the base class's `train_step` or `test_step`."""
    _CALLS.step = None


def in_custom_step() -> bool:
    """Returns whether a step of a subclass computes the losses itself."""
    return getattr(_CALLS, "step", None) is not None


def is_recording() -> bool:
    """Returns whether calls of `compute_loss` are recorded."""
    return getattr(_CALLS, "losses", None) is not None
