"""What a subclass of `MultiTaskModel` overrides, and how steps call it."""

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
# What the method of the base class was called with, of each replica's thread.
_CALLS = threading.local()


class Overrides:
    """Knows which methods a model's class overrides, and calls them.

    Args:
        model: The model.
        base: The class whose methods are the defaults.
    """

    def __init__(self, model: keras.Model, base: type):
        self._model = model
        self._base = base

    @property
    def names(self) -> tuple[str, ...]:
        """The methods that the class, or the model itself, overrides."""
        return tuple(
            name
            for name in METHODS
            if getattr(getattr(self._model, name), "__func__", None)
            is not getattr(self._base, name)
        )

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def check(self, run: Run, weighting, *, guards_steps: bool) -> None:
        """Raises an error where an override cannot be called.

        Args:
            run: What `fit` or `evaluate` has decided.
            weighting: The weighting of the model, or `None`.
            guards_steps: Whether steps with non-finite numbers are left out.

        Raises:
            ValueError: If a feature cannot work with an override.
        """
        if not run.trains:
            return
        model = type(self._model).__name__
        if run.held_out is not None and self.names:
            raise ValueError(
                f"{model} overrides {self.names[0]}, and "
                f"{type(weighting).__name__} computes losses at other weights, "
                "where it would not be called. Remove the override, or choose "
                "a weighting without held_out_data."
            )
        replicas = self._model.distribute_strategy.num_replicas_in_sync
        if "train_step" not in self or replicas == 1:
            return
        for feature, used, way_out in (
            (
                "labels may be missing",
                not run.complete,
                "declare the tasks with complete_labels=True",
            ),
            (
                "steps with a non-finite loss or gradient are left out",
                guards_steps,
                "compile without weighting and with non_finite='stop'",
            ),
        ):
            if used:
                raise ValueError(
                    f"{model} overrides train_step, which runs on each of "
                    f"{replicas} replicas, and {feature}: that decision is "
                    "made for all replicas together, outside of train_step. "
                    f"Override compute_loss in its place, {way_out}, or train "
                    "on one replica."
                )

    def step(self, method: str, logs, weighting=None) -> Callable:
        """Returns a step that calls an overridden method on all replicas.

        Args:
            method: `"train_step"` or `"test_step"`.
            logs: The logs of the training.
            weighting: The weighting of the model, or `None`.

        Raises:
            ValueError: When the step is traced, if `train_step` does not call
                `super().train_step` and there is a weighting or several
                replicas.
        """
        model = self._model
        shapes = {
            name: (None, *shape)
            for name, shape in model.task_output_shapes.items()
        }

        def on_replica(data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            y = override_targets(model.tasks, y, shapes)
            data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
            _CALLS.step, _CALLS.made_losses = method, False
            try:
                returned = getattr(model, method)(data)
            finally:
                stepped = _CALLS.step is None
                _CALLS.step = None
            if method == "train_step" and not stepped:
                self._check_own_step(weighting)
            if not stepped:
                logs.has_task_losses[method == "train_step"] = (
                    _CALLS.made_losses
                )
            return returned

        def step(data, _=None):
            return model.distribute_strategy.run(on_replica, args=(data,))

        return step

    def _check_own_step(self, weighting) -> None:
        """Refuses a step that does not call that of the base class."""
        model = type(self._model).__name__
        if weighting is not None:
            raise ValueError(
                f"{model}.train_step does not call super().train_step(data), "
                f"so that {type(weighting).__name__} would do nothing. Call "
                "it, or compile with weighting=None."
            )
        replicas = self._model.distribute_strategy.num_replicas_in_sync
        if replicas > 1:
            raise ValueError(
                f"{model}.train_step does not call super().train_step(data), "
                f"and there are {replicas} replicas, whose gradients it would "
                "not sum. Call it, override compute_loss in its place, or "
                "train on one replica."
            )

    def losses(
        self,
        losses: TaskLosses,
        data,
        outputs,
        *,
        training: bool,
        weighting=None,
    ) -> BatchLosses:
        """Computes the losses of a batch by an overridden `compute_loss`.

        What it returns beyond the loss of its base class is an added loss,
        which no weighting sees.

        Args:
            losses: The losses of the tasks.
            data: `(x, y)` or `(x, y, sample_weight)` of a replica.
            outputs: Dict of the outputs.
            training: Whether the model trains.
            weighting: The weighting of the model, or `None`.

        Raises:
            ValueError: If there is a weighting and the method does not call
                `super().compute_loss`.
        """
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y = override_targets(losses.tasks, y, outputs)
        method = self._model.compute_loss
        arguments = {"training": training}
        if "training" not in inspect.signature(method).parameters:
            arguments = {}
        with recorded_calls() as calls:
            total = method(x, y, outputs, sample_weight, **arguments)
        if calls:
            own, batch = calls[-1]
            return batch._replace(added=_unless_empty(total - own, batch))
        if weighting is not None:
            raise ValueError(
                f"{type(self._model).__name__}.compute_loss does not call "
                "super().compute_loss(...), so that "
                f"{type(weighting).__name__} gets no task losses to weigh. "
                "Call it and add your own term to what it returns, or compile "
                "with weighting=None."
            )
        parts = losses.parts(y, outputs, sample_weight)
        batch = BatchLosses(parts, {}, tf.zeros(len(losses.names)))
        # As in Keras, what layers add does not count: the step adds it.
        total = tf.cast(total, "float32") - added_losses(self._model)
        return batch._replace(added=_unless_empty(total, batch))

    def record_metrics(self, logs, data, batch: BatchLosses):
        """Updates the metrics with a batch.

        Args:
            logs: The logs of the training.
            data: See `losses`.
            batch: The losses of the batch.

        Returns:
            The logs that an overridden `compute_metrics` returned, else
            `None`.
        """
        if "compute_metrics" not in self:
            logs.record_metrics(batch.parts)
            return None
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        # An overriding class has no groups: each part is of one task.
        outputs = {part.names[0]: part.y_pred for part in batch.parts}
        tasks = [part.task for part in batch.parts]
        y = override_targets(tasks, y, outputs)
        return self._model.compute_metrics(x, y, outputs, sample_weight)


def class_like(model: keras.Model, base: type) -> type:
    """Returns the class of a model that is made out of another one.

    Args:
        model: A model, whose class may override methods of `METHODS`.
        base: The class to use where it overrides none.

    Raises:
        ValueError: If its class overrides one and has an `__init__` of its
            own, so that nobody knows how to make another model of it.
    """
    overridden = Overrides(model, base).names
    if not overridden:
        return base
    if type(model).__init__ is not base.__init__:
        name = type(model).__name__
        raise ValueError(
            f"{name} overrides {overridden[0]} and has an __init__ of its own, "
            "so that no model with other inputs or tasks can be made of it "
            f"that does the same. Take one of the two out of {name}."
        )
    return type(model)


def override_targets(tasks, y, outputs) -> dict:
    """Brings targets into the form that overridden methods see.

    Args:
        tasks: The tasks.
        y: Dict from task name to targets of any allowed shape.
        outputs: Dict from task name to outputs, or to their shapes with the
            batch axis.
    """
    y = targets_by_task(tasks, y)
    shapes = {n: tuple(getattr(o, "shape", o)) for n, o in outputs.items()}
    return {
        task.name: _widened(
            task,
            to_override_form(task, y[task.name], shapes[task.name][1:]),
            outputs[task.name],
        )
        for task in tasks
    }


def _widened(task: Task, targets, output):
    """Gives targets that say only "not labelled" the shape of the output."""
    is_shape = isinstance(output, tuple)
    static = output if is_shape else tuple(output.shape)
    rank = len(targets.shape)
    wide = [
        known != 1 and found == 1
        for found, known in zip(targets.shape[1:], static[1:rank], strict=False)
    ]
    if not any(wide):
        return targets
    sizes = [
        known or (1 if is_shape else tf.shape(output)[axis])
        for axis, known in enumerate(static[1:rank], start=1)
    ]
    return tf.broadcast_to(targets, [tf.shape(targets)[0], *sizes])


def _unless_empty(added, batch: BatchLosses):
    """Returns 0 for a replica without samples, whose means are NaN."""
    added = tf.cast(added, "float32")
    return tf.where(batch.rows > 0, added, tf.zeros_like(added))


@contextlib.contextmanager
def recorded_calls() -> Iterator[list]:
    """Records what the base class's `compute_loss` finds inside of a block."""
    before = getattr(_CALLS, "found", None)
    _CALLS.found = []
    try:
        yield _CALLS.found
    finally:
        _CALLS.found = before


def record_call(total, batch: BatchLosses) -> None:
    """Notes a call of the base class's `compute_loss`, if somebody listens.

    Args:
        total: What it returns.
        batch: The losses of the batch.
    """
    _CALLS.made_losses = True
    found = getattr(_CALLS, "found", None)
    if found is not None:
        found.append((total, batch))


def note_step() -> None:
    """Notes a call of the base class's `train_step` or `test_step`."""
    _CALLS.step = None


def in_own_step() -> bool:
    """Returns whether a step of a subclass makes the losses by itself."""
    return getattr(_CALLS, "step", None) is not None


def is_recording() -> bool:
    """Returns whether a step listens to the base class's `compute_loss`."""
    return getattr(_CALLS, "found", None) is not None
