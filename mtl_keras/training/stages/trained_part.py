"""Which part of a model one stage of a training changes."""

from __future__ import annotations

import contextlib
import dataclasses

import keras

from mtl_keras.keras_compat import all_layers
from mtl_keras.training.gradients.shared_graph import reached_variables


@dataclasses.dataclass
class TrainedPart:
    """Layers and variables that a stage trains; all others stay as they are.

    Args:
        model: The model of the stage.
        layers: The layers that train, moving statistics included.
        variables: The variables that train.
    """

    model: keras.Model
    layers: list[keras.layers.Layer]
    variables: list[keras.Variable]

    @contextlib.contextmanager
    def alone(self):
        """Freezes the rest of the model, and afterwards undoes that."""
        layers = all_layers(self.model)
        before = [(layer, layer.trainable) for layer in layers]
        of_variables = [(v, v.trainable) for v in self.model.variables]
        try:
            self._freeze_rest()
            yield
        finally:
            # Outer layers first, and variables last: the flag of a layer sets
            # those of all that it holds.
            for layer, trainable in before:
                layer.trainable = trainable
            for variable, trainable in of_variables:
                variable.trainable = trainable

    def _freeze_rest(self) -> None:
        train = set(map(id, self.layers))
        for layer in self.model.layers:
            if id(layer) not in train:
                # Normalization then leaves its statistics alone, too.
                layer.trainable = False
        kept = set(map(id, self.variables))
        for variable in self.model.trainable_variables:
            if id(variable) not in kept:
                variable.trainable = False


def trained_part(
    model: keras.Model, frozen: TrainedPart | None = None
) -> TrainedPart:
    """Finds what a stage trains: what its tasks reach, and is not frozen.

    Args:
        model: The model of the stage, which has its tasks alone.
        frozen: What earlier stages trained and this one leaves alone.
    """
    skip = set() if frozen is None else set(map(id, frozen.variables))
    known = set() if frozen is None else set(map(id, frozen.layers))
    layers, variables = [], []
    for layer, reached in reached_variables(model).items():
        # Where tasks have slices of a variable (`task_axis`), each gets its
        # own gradient alone, so that of earlier tasks stays without a flag.
        sliced = getattr(layer, "task_axis", None) is not None
        left = [v for v in reached if sliced or id(v) not in skip]
        variables.extend(left)
        # Of layers without trainable variables, some have statistics.
        if left or (not reached and id(layer) not in known):
            layers.append(layer)
    return TrainedPart(model, layers, variables)
