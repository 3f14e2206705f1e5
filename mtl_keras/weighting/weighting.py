"""What every weighting has: how K task losses become one update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable


class Weighting(keras.metrics.Metric):
    """Base of the methods that balance tasks.

    A method implements one of three hooks, and what it requires follows from
    which one:

    - `combine(losses)`: from the task losses to one loss;
    - `weights(losses, gramian)`: from the Gramian G = J J^T of the task
      gradients over shared parameters to a weight for each task; the update
      is J^T w;
    - `aggregate(losses, jacobian)`: from the Jacobian to the update itself,
      and the weights to log.

    It may implement `after_step` and `on_epoch_end` as well. All hooks are
    pure functions of their arguments and of the method's state, in the graph:
    they take and return tensors, on every replica the same ones. State is made
    in `build` by `add_state`, so that checkpoints and `.keras` files carry it.

    A method of gradients may implement `combine` too. The parameters that one
    task alone reaches and `trainable_variables` then follow the combined loss;
    `weights` and `aggregate` still get the losses as they came and the
    gradients of these, and give the whole update of the shared parameters.

    A loss of exactly 0 says that its task has no label in the batch. Such a
    task gets no weight, changes no weight of another task by its 0 and leaves
    its state as it is.

    It is a `keras.metrics.Metric` for the reason that `LossWeights` is one:
    its variables are saved with a model and are no weights of it. It measures
    nothing, and the model keeps it out of its metrics.

    Args:
        name: Name of the weighting. Defaults to that of the class.
    """

    # Whether the losses must be positive, because of a logarithm or a root.
    positive_losses: ClassVar[bool] = False
    # What `table` says of the method; empty for the docstring's first line.
    summary: ClassVar[str] = ""
    # Whether `after_step` needs the losses of the same batch once more.
    needs_losses_after_step: ClassVar[bool] = False
    # Whether it learns from data that is held out of the training.
    needs_held_out_data: ClassVar[bool] = False

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self.task_names: tuple[str, ...] = ()
        self._state: dict[str, keras.Variable] = {}
        self._trainable: list[keras.Variable] = []
        # Of the adjustable arguments: floats, and variables once built.
        self._adjustable_values: dict[str, float | keras.Variable] = {}

    # What a method defines.

    def build(self, task_names: Sequence[str]) -> None:
        """Makes the state. Called once, before any other hook.

        Args:
            task_names: Names of the tasks, in the order of all vectors.
        """
        self.task_names = tuple(task_names)
        # Variables of steps and epochs, for orders and draws that repeat.
        self._steps = self.add_state("steps", (), dtype="int32")
        for name in self.adjustable_arguments():
            # In float64, which holds any Python number.
            self._adjustable_values[name] = keras.Variable(
                np.float64(self._adjustable_values[name]),
                dtype="float64",
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )
        self.built = True

    def build_jacobian(self, num_parameters: int) -> None:
        """Makes the state that is as long as the gradients.

        Called once, before the first step, if `requires` is "jacobian".

        Args:
            num_parameters: Number of shared parameters, which is the second
                dimension of the Jacobian.
        """

    def combine(self, losses):
        """Makes one loss of the task losses.

        Args:
            losses: Float32 tensor of shape `(tasks,)`, times the user's
                weights, of the whole batch.

        Returns:
            A scalar. It is differentiated by the losses, which weights the
            tasks, and by `trainable_variables`.
        """
        raise TypeError(f"{type(self).__name__} combines no losses.")

    def weights(self, losses, gramian):
        """Weights the task gradients by their Gramian.

        Args:
            losses: See `combine`.
            gramian: Float32 tensor of shape `(tasks, tasks)`, the inner
                products of the task gradients over the shared parameters. The
                row of a task without labels is zero.

        Returns:
            Float32 tensor of shape `(tasks,)`.
        """
        raise TypeError(f"{type(self).__name__} weights no gradients.")

    def aggregate(self, losses, jacobian):
        """Makes the update of the task gradients themselves.

        Args:
            losses: See `combine`.
            jacobian: Float32 tensor of shape `(tasks, parameters)`.

        Returns:
            Two float32 tensors: the update, of shape `(parameters,)`, to be
            descended along, and what is logged as the weight of each task, of
            shape `(tasks,)`.
        """
        raise TypeError(f"{type(self).__name__} aggregates no gradients.")

    def after_step(self, losses) -> None:
        """Sees the losses of the same batch after the update.

        Called if `needs_losses_after_step`, which costs a forward pass.

        Args:
            losses: See `combine`.
        """

    def on_epoch_end(self, mean_losses) -> None:
        """Sees the mean losses of the epoch, at its end.

        Args:
            mean_losses: Float32 array of shape `(tasks,)`, over all replicas,
                times the user's weights.
        """

    # What all methods share.

    @property
    def requires(self) -> str:
        """What the method reads: "losses", "gramian" or "jacobian"."""
        return self.input_kind()

    @classmethod
    def input_kind(cls) -> str:
        """Says what `requires` is, without an instance."""
        # From the costliest: a method of gradients may combine losses too.
        kinds = {
            "aggregate": "jacobian",
            "weights": "gramian",
            "combine": "losses",
        }
        for hook, kind in kinds.items():
            if getattr(cls, hook) is not getattr(Weighting, hook):
                return kind
        raise TypeError(f"{cls.__name__} implements none of {list(kinds)}.")

    @property
    def combines(self) -> bool:
        """Whether the method implements `combine`."""
        return type(self).combine is not Weighting.combine

    def add_state(
        self,
        name: str,
        shape: Sequence[int],
        *,
        value: float = 0.0,
        dtype: str = "float32",
        trainable: bool = False,
    ) -> keras.Variable:
        """Makes a variable of the method, the same on all replicas.

        Args:
            name: Name of the variable.
            shape: Its shape.
            value: Its first value. Defaults to `0`.
            dtype: Its dtype. Defaults to `"float32"`.
            trainable: Whether the model's optimizer trains it, without weight
                decay. Defaults to `False`.
        """
        variable = keras.Variable(
            keras.initializers.Constant(value),
            shape=tuple(shape),
            dtype=dtype,
            trainable=trainable,
            aggregation="only_first_replica",
            name=name,
        )
        self._state[name] = variable
        if trainable:
            self._trainable.append(variable)
        return variable

    @classmethod
    def adjustable_arguments(cls) -> list[str]:
        """Names of the arguments that can change without another graph."""
        return [
            name
            for name in dir(cls)
            if isinstance(getattr(cls, name), Adjustable)
        ]

    def adjustable_value(self, name: str, dtype: str = "float32"):
        """Reads an adjustable argument, in a hook.

        Args:
            name: Name of the argument.
            dtype: Dtype of the tensor. Defaults to `"float32"`.

        Returns:
            A scalar tensor, of the value at each step.
        """
        return tf.cast(
            tf.convert_to_tensor(self._adjustable_values[name].value), dtype
        )

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Variables that the model's optimizer trains."""
        return list(self._trainable)

    @property
    def num_tasks(self) -> int:
        """Number of tasks."""
        return len(self.task_names)

    @property
    def steps(self):
        """Number of steps so far: an int32 scalar tensor."""
        return tf.convert_to_tensor(self._steps.value)

    def count_step(self) -> None:
        """Adds one to `steps`. Called after each step that was taken."""
        self._steps.assign_add(1)

    # A metric is reset at each epoch and updated at each step; state stays.

    def reset_state(self) -> None:
        """Does nothing: the state of a method outlives the epoch."""

    def result(self) -> dict:
        """Returns nothing: a weighting measures nothing."""
        return {}

    # Stored by name, and tolerantly: a model that was trained with another
    # method, or with none, gives this one its weights and no state.

    def save_own_variables(self, store) -> None:
        """Writes the state into a Keras weight store."""
        for name, variable in self._state.items():
            store[name] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Reads the state that a Keras weight store holds."""
        for name, variable in self._state.items():
            if name in store:
                variable.assign(store[name])

    def get_config(self) -> dict:
        """Returns the arguments that make this weighting again."""
        return {"name": self.name}
