"""Copies a backbone, layer by layer, into the graph of another model.

It relies on how Keras runs a graph, which is private:
`tests/models/test_backbone.py` fails when Keras changes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import keras

from mtl_keras.keras_compat import Functional, get_operation, run_graph

# Layers that are the identity in inference.
_TRAINING_ONLY_LAYERS = (
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)


@dataclasses.dataclass(frozen=True)
class BackboneCopy:
    """Layers of a backbone in the graph of another model.

    Args:
        name: Name of the backbone.
        outputs: Dict from the name of a layer to its output, in the order of
            the graph.
        end: Name of the layer whose output is that of the backbone.
    """

    name: str
    outputs: Mapping[str, object]
    end: str


def copy_backbone(
    backbone: keras.Model, x, *, trainable: bool, regularizer
) -> BackboneCopy:
    """Copies the layers of a backbone into the graph of another model.

    The copies have the weights of the backbone, which does not change: two
    models on one backbone share no variables. The graph contains each layer,
    also of networks inside the backbone, so that it shows which layers a task
    reaches.

    Args:
        backbone: A functional or `Sequential` model.
        x: Keras tensor that the copy reads.
        trainable: Whether to train the copies. If not, layers that only act
            in training, such as dropout, are left out.
        regularizer: Keras regularizer of all kernels that have none, or
            `None`.

    Returns:
        A `BackboneCopy`.
    """
    copies, outputs = {}, {}

    def call(layer, *args, **kwargs):
        if is_graph_model(layer):
            return run(layer, *args)
        if id(layer) not in copies:
            copies[id(layer)] = (layer, _copy(layer, trainable, regularizer))
        copy = copies[id(layer)][1]
        output = copy(*args, **kwargs)
        if isinstance(output, keras.KerasTensor):
            outputs[copy.name] = output
        return output

    def run(model, inputs):
        # The layers of a Sequential model are nodes of a graph too.
        single = len(model.outputs) == 1
        graph = keras.Model(
            model.inputs, model.outputs[0] if single else model.outputs
        )
        return run_graph(graph, inputs, call)

    end = run(backbone, x)
    for layer, copy in copies.values():
        if copy is not layer and layer.weights:
            copy.set_weights(layer.get_weights())
        if isinstance(copy, keras.layers.Normalization):
            copy.finalize_state()
    return BackboneCopy(backbone.name, outputs, get_operation(end)[0].name)


def is_graph_model(layer) -> bool:
    """Checks whether a layer is a model that computes exactly its graph.

    Args:
        layer: Any object. A model that overrides `call` may compute something
            else.
    """
    graph_calls = (Functional.call, keras.Sequential.call)
    return isinstance(layer, keras.Model) and type(layer).call in graph_calls


def _copy(layer, trainable: bool, regularizer):
    if not isinstance(layer, keras.layers.Layer):
        return layer  # an operation without variables
    if not trainable and isinstance(layer, _TRAINING_ONLY_LAYERS):
        return keras.layers.Identity(name=layer.name)
    config = layer.get_config()
    if regularizer is not None:
        config |= _kernel_regularizers(config, regularizer)
    copy = type(layer).from_config(config)
    copy.trainable = layer.trainable and trainable
    return copy


def _kernel_regularizers(config: dict, regularizer) -> dict:
    keys = (
        "kernel_regularizer",
        "depthwise_regularizer",
        "pointwise_regularizer",
    )
    serialized = keras.regularizers.serialize(regularizer)
    return {
        key: serialized for key in keys if key in config and config[key] is None
    }
