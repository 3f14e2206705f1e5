"""One update of a model, made of the losses of its tasks."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import keras

from mtl_keras.training.gradients import task_gradients
from mtl_keras.training.gradients.shared_graph import (
    SharedGraph,
    shared_graph_of,
)
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.weighting import Weighting

GRADIENTS = ("parameters", "features")


class WeightedUpdate:
    """Makes one update of the task losses, by the weighting if there is one.

    Made inside the scope of the strategy under which the model trains.

    Args:
        model: The network.
        optimizer: The optimizer.
        weighting: The weighting, or `None` for the weighted sum.
        names: Names of the tasks that have a loss.
        gradients: `"parameters"` or `"features"` (see
            `MultiTaskModel.compile`).
        guarded: Whether a step looks for numbers that are not finite.

    Raises:
        ValueError: If `gradients` is neither, the weighting belongs to a model
            of other tasks, or the tasks share no parameters that it compares.
    """

    def __init__(
        self,
        model,
        optimizer: keras.optimizers.Optimizer,
        weighting: Weighting | None,
        names: Sequence[str],
        gradients: str,
        *,
        guarded: bool = True,
    ):
        if gradients not in GRADIENTS:
            raise ValueError(
                f"gradients={gradients!r}; expected one of {GRADIENTS}."
            )
        self._model = model
        self._optimizer = optimizer
        self._weighting = weighting
        self._gradients = gradients
        self._guarded = guarded
        self._graph: SharedGraph | None = None
        if weighting is not None:
            _build(weighting, names)
        if self.compares_gradients:
            # Before a file is loaded, which may hold state of that length.
            self._graph = self._shared_graph()

    @property
    def compares_gradients(self) -> bool:
        """Whether the weighting needs a gradient for each task."""
        weighting = self._weighting
        return weighting is not None and weighting.requires != "losses"

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables that the optimizer moves."""
        own = [] if self._weighting is None else self._own_variables
        return [*self._model.trainable_weights, *own]

    @property
    def _own_variables(self) -> list[keras.Variable]:
        return self._weighting.trainable_variables

    def build_optimizer(self) -> None:
        """Makes the optimizer's state, for the weighting's variables too."""
        if self._optimizer.built:
            return
        with self._model.distribute_strategy.scope():
            if self._weighting is not None and self._own_variables:
                self._optimizer.exclude_from_weight_decay(
                    var_list=self._own_variables
                )
            self._optimizer.build(self.variables)

    def compute(self, x, losses_of: Callable) -> Update:
        """Runs forwards and backwards over a batch, inside of a replica.

        Args:
            x: Inputs.
            losses_of: Function from the outputs to this replica's share of the
                weighted task losses, of shape `(tasks,)`, and in a further
                loss or `None`.
        """
        weighting, scale = self._weighting, self._optimizer.scale_loss
        if not self.compares_gradients:
            return task_gradients.of_losses(
                self._model,
                x,
                losses_of,
                weighting,
                scale,
                guarded=self._guarded,
            )
        return task_gradients.of_gradients(
            self._model,
            x,
            losses_of,
            weighting,
            scale,
            self._graph,
            self._gradients,
        )

    def _shared_graph(self) -> SharedGraph:
        """Cuts the model where it parts into tasks."""
        graph = shared_graph_of(self._model)
        method = type(self._weighting).__name__
        if len(self._weighting.task_names) == 1:
            warnings.warn(
                f"This model has one task, so {method} changes nothing: it is "
                "trained by its own loss.",
                stacklevel=2,
            )
        elif not graph.shared:
            raise ValueError(
                f"The tasks of this model share no trainable parameters, and "
                f"{method} compares their gradients at those. Choose a "
                "weighting that requires losses alone, such as 'uncertainty' "
                "(see mtl_keras.weighting.table()), or unfreeze what is "
                "shared."
            )
        size = sum(math.prod(variable.shape) for variable in graph.shared)
        if self._weighting.requires == "jacobian":
            self._weighting.build_jacobian(size)
        return graph


def _build(weighting: Weighting, names: Sequence[str]) -> None:
    """Builds a weighting, unless it was built for the same tasks before."""
    if not weighting.task_names:
        weighting.build(names)
    elif weighting.task_names != tuple(names):
        raise ValueError(
            f"{type(weighting).__name__} belongs to a model with the tasks "
            f"{weighting.task_names}; this one has {tuple(names)}. Make a new "
            "one for each model."
        )
