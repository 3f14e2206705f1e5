"""The base class of weightings, which turn task losses into one update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.weighting.adjustable import Adjustable


class Weighting(keras.metrics.Metric):
    """Base class of methods that balance tasks.

    A method implements one of three hooks, which determines `requires`:

    - `combine(losses)` returns one loss;
    - `weights(losses, gramian)` returns a weight for each task, from the
      Gramian G = J J^T of the task gradients over shared parameters. The
      update is J^T w;
    - `aggregate(losses, jacobian)` returns the update itself, and the weights
      to log.

    It may also implement `after_step` and `on_epoch_end`. All hooks run in the
    graph and depend only on their arguments and the method's state. They take
    and return tensors, which are the same on every replica. `build` creates
    the state with `add_state`, so that checkpoints and `.keras` files contain
    it.

    A method that reads gradients may implement `combine` as well. The
    parameters of a single task and `trainable_variables` then follow the
    combined loss. `weights` and `aggregate` still receive the original losses
    and their gradients, and determine the update of the shared parameters.

    A loss of exactly 0 marks a task without labels in the batch. Such a task
    gets no weight, does not affect the weights of other tasks, and its state
    does not change.

    A weighting is a `keras.metrics.Metric` for the same reason as
    `LossWeights`: its variables are saved with a model but are not among the
    model's weights. It measures nothing, and is not one of the model's metrics.

    Args:
        name: Name of the weighting. Defaults to that of the class.
    """

    # Whether the losses must be positive, for a logarithm or a root.
    positive_losses: ClassVar[bool] = False
    # Description in `table`; if empty, the first line of the docstring.
    summary: ClassVar[str] = ""
    # Whether `after_step` needs new losses of the same batch.
    needs_losses_after_step: ClassVar[bool] = False
    # Whether the method learns from data that is held out of training.
    needs_held_out_data: ClassVar[bool] = False

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self.task_names: tuple[str, ...] = ()
        self._state: dict[str, keras.Variable] = {}
        self._trainable: list[keras.Variable] = []
        # Adjustable arguments: floats, or variables once built.
        self._adjustable_values: dict[str, float | keras.Variable] = {}

    # Hooks of a method.

    def build(self, task_names: Sequence[str]) -> None:
        """Creates the state. Called once, before any other hook.

        Args:
            task_names: Names of the tasks, in the order of all vectors.
        """
        self.task_names = tuple(task_names)
        # Makes random orders and draws reproducible.
        self._steps = self.add_state("steps", (), dtype="int32")
        for name in self.adjustable_arguments():
            # float64 holds any Python float.
            self._adjustable_values[name] = keras.Variable(
                np.float64(self._adjustable_values[name]),
                dtype="float64",
                trainable=False,
                aggregation="only_first_replica",
                name=name,
            )
        self.built = True

    def build_jacobian(self, num_parameters: int) -> None:
        """Creates state of the size of the gradients.

        Called once, before the first step, if `requires` is `"jacobian"`.

        Args:
            num_parameters: Number of shared parameters: the second dimension
                of the Jacobian.
        """

    def combine(self, losses):
        """Combines the task losses into one.

        Args:
            losses: Float32 tensor of shape `(tasks,)`: the losses of the whole
                batch, times the user's loss weights.

        Returns:
            A scalar. Its gradient with respect to the losses weights the tasks;
            its gradient with respect to `trainable_variables` trains them.
        """
        raise TypeError(
            f"{type(self).__name__} does not implement combine(losses)."
        )

    def weights(self, losses, gramian):
        """Computes task weights from the Gramian of the task gradients.

        Args:
            losses: See `combine`.
            gramian: Float32 tensor of shape `(tasks, tasks)`: the inner
                products of the task gradients over the shared parameters. The
                row of a task without labels is zero.

        Returns:
            Float32 tensor of shape `(tasks,)`.
        """
        raise TypeError(
            f"{type(self).__name__} does not implement "
            "weights(losses, gramian)."
        )

    def aggregate(self, losses, jacobian):
        """Computes the update from the task gradients.

        Args:
            losses: See `combine`.
            jacobian: Float32 tensor of shape `(tasks, parameters)`.

        Returns:
            Two float32 tensors: the update of shape `(parameters,)`, which
            takes the place of the gradient, and the weight of each task to log,
            of shape `(tasks,)`.
        """
        raise TypeError(
            f"{type(self).__name__} does not implement "
            "aggregate(losses, jacobian)."
        )

    def after_step(self, losses) -> None:
        """Receives the losses of the same batch after the update.

        Called only if `needs_losses_after_step`, for one more forward pass.

        Args:
            losses: See `combine`.
        """

    def on_epoch_end(self, mean_losses) -> None:
        """Receives the mean losses at the end of an epoch.

        Args:
            mean_losses: Float32 array of shape `(tasks,)`: means over all
                replicas, times the user's loss weights.
        """

    # Shared by all methods.

    @property
    def requires(self) -> str:
        """Input of the method: `"losses"`, `"gramian"` or `"jacobian"`."""
        return self.input_kind()

    @classmethod
    def input_kind(cls) -> str:
        """Returns `requires`, without an instance."""
        # A method that reads gradients may combine losses, too.
        kinds = {
            "aggregate": "jacobian",
            "weights": "gramian",
            "combine": "losses",
        }
        for hook, kind in kinds.items():
            if getattr(cls, hook) is not getattr(Weighting, hook):
                return kind
        raise TypeError(
            f"{cls.__name__} implements none of {list(kinds)}. A weighting "
            "implements one of them."
        )

    @property
    def combines(self) -> bool:
        """Returns whether the method implements `combine`."""
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
        """Creates a variable of the method, the same on all replicas.

        Args:
            name: Name of the variable.
            shape: Shape of the variable.
            value: Initial value. Defaults to `0`.
            dtype: Dtype of the variable. Defaults to `"float32"`.
            trainable: Whether the model's optimizer trains the variable,
                without weight decay. Defaults to `False`.

        Returns:
            The variable.
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
        """Lists the arguments that can change without retracing."""
        return [
            name
            for name in dir(cls)
            if isinstance(getattr(cls, name), Adjustable)
        ]

    def adjustable_value(self, name: str, dtype: str = "float32"):
        """Returns the current value of an adjustable argument, for a hook.

        Args:
            name: Name of the argument.
            dtype: Dtype of the tensor. Defaults to `"float32"`.

        Returns:
            A scalar tensor.
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
        """Adds one to `steps`. Called after each step that is not skipped."""
        self._steps.assign_add(1)

    # Keras resets metrics at each epoch. The state of a weighting stays.

    def reset_state(self) -> None:
        """Does nothing: the state is kept between epochs."""

    def result(self) -> dict:
        """Returns an empty dict: a weighting measures nothing."""
        return {}

    # Stored by name, and missing names are skipped: weights of a model that was
    # trained with another method, or with none, load without state.

    def save_own_variables(self, store) -> None:
        """Writes the state to a Keras weight store."""
        for name, variable in self._state.items():
            store[name] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Reads the state that a Keras weight store contains."""
        for name, variable in self._state.items():
            if name in store:
                variable.assign(store[name])

    def get_config(self) -> dict:
        """Returns the arguments of the constructor."""
        return {"name": self.name}
