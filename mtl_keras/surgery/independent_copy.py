"""Independent copies of models."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras


def independent_copy(model: keras.Model) -> keras.Model:
    """Copies a model with the values of all its variables.

    The model is saved and loaded, so that the copy has everything that a
    `.keras` file has, such as the state of preprocessing layers.

    Args:
        model: A functional model.

    Returns:
        A model of the same class that is not compiled.
    """
    layers = nested_layers(model)
    custom = {type(layer).__name__: type(layer) for layer in layers}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        with _not_compiled(layers):
            model.save(path)
        return keras.saving.load_model(
            path,
            custom_objects=custom,
            compile=False,
            # We wrote the file, so its Lambda layers are safe.
            safe_mode=False,
        )


@contextlib.contextmanager
def _not_compiled(layers: Sequence[keras.layers.Layer]):
    """Saves nested models without their compile arguments."""
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


def nested_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Lists the layers of a model, including those of nested models.

    Args:
        model: A model.
    """
    layers = []
    for layer in model.layers:
        layers.append(layer)
        if isinstance(layer, keras.Model):
            layers.extend(nested_layers(layer))
    return layers
