"""Updates of a model by its weighting."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from mtl_keras.training.gradients import task_gradients
from mtl_keras.training.gradients.gramian_monitor import GramianMonitor
from mtl_keras.training.gradients.shared_graph import (
    SharedGraph,
    shared_graph_of,
)
from mtl_keras.training.gradients.task_gradients import Update
from mtl_keras.training.gradients.weight_log import WeightLog
from mtl_keras.weighting import Weighting

GRADIENTS = ("parameters", "features")


class WeightedUpdates:
    """Mixin that makes one update of the losses of several tasks.

    The class that takes it in is a `keras.Model` that calls `set_weighting`
    in `compile`.
    """

    def start_weighting(self) -> None:
        """Sets what is there before a model is compiled."""
        self._keep_untracked("_weighting", None)
        self._keep_untracked("_weight_log", None)
        self._keep_untracked("_monitor", None)
        self._keep_untracked("_graph", None)
        # Whether the last step was one of training.
        self._keep_untracked("in_training", False)

    @property
    def weighting(self) -> Weighting | None:
        """The weighting that the model was compiled with, or `None`."""
        return self._weighting

    def set_weighting(
        self,
        weighting: Weighting | None,
        names: Sequence[str],
        gradients: str,
        monitor: bool,
    ) -> None:
        """Takes a weighting and makes its state and what is logged of it.

        Args:
            weighting: The weighting, or `None`.
            names: Names of the tasks that have a loss.
            gradients: `"parameters"` or `"features"`.
            monitor: Whether to log what the Gramian says.

        Raises:
            ValueError: If `gradients` is neither, or there is no Gramian.
        """
        if gradients not in GRADIENTS:
            raise ValueError(
                f"gradients={gradients!r}; expected one of {GRADIENTS}."
            )
        log = watch = None
        if monitor and (weighting is None or weighting.requires == "losses"):
            raise ValueError(
                "monitor=True logs the Gramian of the task gradients, which "
                f"weighting={weighting!r} does not make. Choose one that does, "
                "such as 'pcgrad' (see mtl_keras.weighting.table())."
            )
        with self.distribute_strategy.scope():
            if weighting is not None:
                _build(weighting, names)
                log = WeightLog(names)
                watch = GramianMonitor(names) if monitor else None
        self._keep_untracked("_weighting", weighting)
        self._keep_untracked("_weight_log", log)
        self._keep_untracked("_monitor", watch)
        self._keep_untracked("_gradients", gradients)
        self._keep_untracked("_graph", None)
        if self.weighs_gradients:
            # Before a file is loaded, which may hold state of that length.
            self.find_shared_part()

    @property
    def weighs_gradients(self) -> bool:
        """Whether the weighting needs a gradient for each task."""
        return (
            self._weighting is not None and self._weighting.requires != "losses"
        )

    def build_optimizer(self) -> None:
        """Makes the optimizer's state, for the weighting's variables too."""
        if self.optimizer.built:
            return
        with self.distribute_strategy.scope():
            own = self._weighting_variables
            if own:
                self.optimizer.exclude_from_weight_decay(var_list=own)
            self.optimizer.build([*self.trainable_variables, *own])

    def find_shared_part(self) -> SharedGraph:
        """Cuts the model where it parts into tasks; for gradient methods."""
        if self._graph is None:
            graph = shared_graph_of(self)
            self._check_shared(graph)
            size = sum(math.prod(variable.shape) for variable in graph.shared)
            if self.weighting.requires == "jacobian":
                with self.distribute_strategy.scope():
                    self.weighting.build_jacobian(size)
            self._keep_untracked("_graph", graph)
        return self._graph

    def _check_shared(self, graph: SharedGraph) -> None:
        method = type(self.weighting).__name__
        if len(self.weighting.task_names) == 1:
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

    @property
    def _weighting_variables(self) -> list[keras.Variable]:
        weighting = self._weighting
        return [] if weighting is None else weighting.trainable_variables

    def _update(self, x, losses_of: Callable) -> Update:
        weighting, scale = self._weighting, self.optimizer.scale_loss
        if weighting is None or weighting.requires == "losses":
            return task_gradients.of_losses(
                self, x, losses_of, weighting, scale
            )
        return task_gradients.of_gradients(
            self,
            x,
            losses_of,
            weighting,
            scale,
            self.find_shared_part(),
            self._gradients,
        )

    def _finish_weighting(self, x, losses_of: Callable, update: Update) -> None:
        """Logs the weights, and lets the method see the losses once more."""
        weighting = self._weighting
        if weighting is None:
            return
        self._weight_log.update_state(update.weights)
        if self._monitor is not None:
            self._monitor.update(update.gramian)
        if weighting.needs_losses_after_step:
            weighting.after_step(self._losses_again(x, losses_of))
        weighting.count_step()

    def _losses_again(self, x, losses_of: Callable):
        """Losses of the same batch after the update, which change nothing."""
        state = self.non_trainable_variables
        before = [tf.identity(variable.value) for variable in state]
        (losses,) = task_gradients.sum_over_replicas(
            [losses_of(self(x, training=True))]
        )
        for variable, value in zip(state, before, strict=True):
            variable.assign(value)
        return losses

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Keras's metrics and, in training, those of the weighting."""
        own = self._own_metrics() if self.in_training else ()
        return [*super().metrics, *own]

    def _own_metrics(self) -> list[keras.metrics.Metric]:
        weights = [] if self._weight_log is None else [self._weight_log]
        monitored = [] if self._monitor is None else self._monitor.metrics
        return [*weights, *monitored]

    def reset_metrics(self) -> None:
        """Resets all metrics, as Keras does at the start of an epoch."""
        super().reset_metrics()
        for metric in self._own_metrics():
            metric.reset_state()


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
