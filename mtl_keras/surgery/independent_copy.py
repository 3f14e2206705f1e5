"""Copies of models that have nothing in common with what they are copied of."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras


def independent_copy(model: keras.Model) -> keras.Model:
    """Copies a model with the values of all its variables.

    It is saved and loaded, so that everything comes along that a `.keras` file
    holds, such as what preprocessing layers were adapted to.

    Args:
        model: A functional model.

    Returns:
        A model of the same class that is not compiled.
    """
    layers = layers_of(model)
    custom = {type(layer).__name__: type(layer) for layer in layers}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with _not_compiled(layers):
            model.save(path)
        return keras.saving.load_model(
            path,
            custom_objects=custom,
            compile=False,
            # The file is ours, so what a Lambda layer holds is no danger.
            safe_mode=False,
        )


@contextlib.contextmanager
def _not_compiled(layers: Sequence[keras.layers.Layer]):
    """Has nested models be saved without how they were compiled."""
    compiled = [
        layer
        for layer in layers
        if isinstance(layer, keras.Model) and layer.compiled
    ]
    for model in compiled:
        model.compiled = False
    try:
        yield
    finally:
        for model in compiled:
            model.compiled = True


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Lists the layers of a model, those of nested models among them.

    Args:
        model: A model.
    """
    layers = []
    for layer in model.layers:
        layers.append(layer)
        if isinstance(layer, keras.Model):
            layers.extend(layers_of(layer))
    return layers
