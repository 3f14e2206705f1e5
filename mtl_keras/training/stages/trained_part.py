"""The part of a model that one stage trains."""

from __future__ import annotations

import contextlib
import dataclasses

import keras

from mtl_keras.keras_compat import all_layers
from mtl_keras.training.gradients.shared_graph import find_reachable_variables


@dataclasses.dataclass
class TrainedPart:
    """The layers and variables that a stage trains.

    Args:
        model: The model of the stage.
        layers: The layers to train, including their moving statistics.
        variables: The variables to train.
    """

    model: keras.Model
    layers: list[keras.layers.Layer]
    variables: list[keras.Variable]

    @contextlib.contextmanager
    def freeze_rest(self):
        """Freezes the rest of the model within a block."""
        layer_flags = [
            (layer, layer.trainable) for layer in all_layers(self.model)
        ]
        variable_flags = [(v, v.trainable) for v in self.model.variables]
        try:
            self._set_trainable()
            yield
        finally:
            # Outer layers first and variables last, because the flag of a
            # layer sets the flags of its sublayers and variables.
            for layer, trainable in layer_flags:
                layer.trainable = trainable
            for variable, trainable in variable_flags:
                variable.trainable = trainable

    def _set_trainable(self) -> None:
        train = set(map(id, self.layers))
        for layer in self.model.layers:
            if id(layer) not in train:
                # This also freezes the statistics of normalization.
                layer.trainable = False
        kept = set(map(id, self.variables))
        for variable in self.model.trainable_variables:
            if id(variable) not in kept:
                variable.trainable = False


def find_trained_part(
    model: keras.Model, frozen: TrainedPart | None = None
) -> TrainedPart:
    """Finds the layers and variables that the tasks of a stage train.

    Args:
        model: The model of the stage, which has only its tasks.
        frozen: The part that earlier stages trained and this stage freezes.
            Defaults to `None`.
    """
    skip = set() if frozen is None else set(map(id, frozen.variables))
    known = set() if frozen is None else set(map(id, frozen.layers))
    layers, variables = [], []
    for layer, reached in find_reachable_variables(model).items():
        # A variable with task slices (`task_axis`) is never frozen: the slices
        # of other tasks receive no gradient.
        sliced = getattr(layer, "task_axis", None) is not None
        remaining = [v for v in reached if sliced or id(v) not in skip]
        variables.extend(remaining)
        # Layers without trainable variables may have statistics.
        if remaining or (not reached and id(layer) not in known):
            layers.append(layer)
    return TrainedPart(model, layers, variables)
