"""Computes one update of a model from its task losses."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import keras

from mtl_keras.training.gradients import task_gradients
from mtl_keras.training.gradients.shared_graph import (
    SharedGraph,
    split_shared_graph,
)
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.weighting import Weighting

GRADIENT_MODES = ("parameters", "features")


class WeightedUpdate:
    """Computes one update from the task losses.

    Create it inside the scope of the model's strategy.

    Args:
        model: The model.
        optimizer: The optimizer.
        weighting: The weighting, or `None` for the weighted sum.
        names: Names of the tasks with a loss.
        gradients: `"parameters"` or `"features"` (see
            `MultiTaskModel.compile`).
        check_finite: Whether to check updates for non-finite values. Defaults
            to `True`.

    Raises:
        ValueError: If `gradients` is invalid, the weighting belongs to a model
            with other tasks, or it compares gradients of shared parameters and
            there are none.
    """

    def __init__(
        self,
        model,
        optimizer: keras.optimizers.Optimizer,
        weighting: Weighting | None,
        names: Sequence[str],
        gradients: str,
        *,
        check_finite: bool = True,
    ):
        if gradients not in GRADIENT_MODES:
            raise ValueError(
                f"gradients={gradients!r}; expected one of {GRADIENT_MODES}."
            )
        self._model = model
        self._optimizer = optimizer
        self._weighting = weighting
        self._gradients = gradients
        self._check_finite = check_finite
        self._graph: SharedGraph | None = None
        if weighting is not None:
            _build(weighting, names)
        if self.compares_gradients:
            # Now: a file that is loaded later may contain state of its size.
            self._graph = self._make_shared_graph()

    @property
    def compares_gradients(self) -> bool:
        """Returns whether the weighting needs one gradient per task."""
        weighting = self._weighting
        return weighting is not None and weighting.requires != "losses"

    @property
    def variables(self) -> list[keras.Variable]:
        """The variables that the optimizer updates."""
        return [*self._model.trainable_weights, *self._weighting_variables]

    @property
    def _weighting_variables(self) -> list[keras.Variable]:
        weighting = self._weighting
        return [] if weighting is None else weighting.trainable_variables

    def build_optimizer(self) -> None:
        """Creates the optimizer's variables, also for the weighting."""
        if self._optimizer.built:
            return
        with self._model.distribute_strategy.scope():
            if self._weighting_variables:
                self._optimizer.exclude_from_weight_decay(
                    var_list=self._weighting_variables
                )
            self._optimizer.build(self.variables)

    def compute(self, x, compute_losses: Callable) -> Update:
        """Computes the update of a batch, inside a replica.

        Args:
            x: Inputs.
            compute_losses: Function from the outputs to this replica's share
                of the weighted task losses, of shape `(tasks,)`, and of an
                extra loss or `None`.
        """
        weighting, scale = self._weighting, self._optimizer.scale_loss
        if not self.compares_gradients:
            return task_gradients.compute_loss_update(
                self._model,
                x,
                compute_losses,
                weighting,
                scale,
                check_finite=self._check_finite,
            )
        return task_gradients.compute_gradient_update(
            self._model,
            x,
            compute_losses,
            weighting,
            scale,
            self._graph,
            self._gradients,
        )

    def _make_shared_graph(self) -> SharedGraph:
        """Splits the model into a shared part and heads."""
        graph = split_shared_graph(self._model)
        method = type(self._weighting).__name__
        if len(self._weighting.task_names) == 1:
            warnings.warn(
                f"This model has one task, so {method} has no effect: the "
                "model trains with the loss of this task.",
                stacklevel=2,
            )
        elif not graph.shared:
            raise ValueError(
                f"The tasks of this model share no trainable parameters, and "
                f"{method} compares the gradients of shared parameters. "
                "Choose a weighting that requires only losses, such as "
                "'uncertainty' (see mtl_keras.weighting.table()), or unfreeze "
                "the shared layers."
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
            f"{weighting.task_names}; this model has {tuple(names)}. Create a "
            "new weighting for each model."
        )
