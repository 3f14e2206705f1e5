"""Copies a backbone, layer by layer, into the graph of another model.

How Keras walks through a graph is not public:
`tests/models/test_backbone.py` says when Keras changes what is used.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import keras

from mtl_keras.keras_compat import Functional, operation_of, run_graph

# What a network does not do in inference.
_OF_TRAINING = (
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
    """The layers of a backbone in the graph of another model.

    Args:
        name: Name of the backbone.
        outputs: Dict from the name of a layer to its output, in the order of
            the graph.
        end: Name of the layer that makes the output of the backbone.
    """

    name: str
    outputs: Mapping[str, object]
    end: str


def copy_onto(
    backbone: keras.Model, x, *, trainable: bool, regularizer
) -> BackboneCopy:
    """Copies the layers of a backbone into the graph of another model.

    The copies have the weights of the backbone, which stays as it is: two
    models that are built from one backbone share nothing. They lie in the
    graph one by one, those of networks within it too, so that a task is seen
    to reach what it reads and no more.

    Args:
        backbone: A functional or `Sequential` model.
        x: Keras tensor that the copy reads.
        trainable: Whether the copies are trained. If not, layers that do
            something in training alone, such as dropout, are left out.
        regularizer: Keras regularizer of all kernels that have none, or
            `None`.
    """
    copies, outputs = {}, {}

    def call(layer, *args, **kwargs):
        if is_graph(layer):
            return walk(layer, *args)
        if id(layer) not in copies:
            copies[id(layer)] = (layer, _copy(layer, trainable, regularizer))
        copy = copies[id(layer)][1]
        found = copy(*args, **kwargs)
        if isinstance(found, keras.KerasTensor):
            outputs[copy.name] = found
        return found

    def walk(model, inputs):
        # Of a Sequential model too, the layers are nodes of a graph.
        single = len(model.outputs) == 1
        graph = keras.Model(
            model.inputs, model.outputs[0] if single else model.outputs
        )
        return run_graph(graph, inputs, call)

    end = walk(backbone, x)
    for layer, copy in copies.values():
        if copy is not layer and layer.weights:
            copy.set_weights(layer.get_weights())
        if isinstance(copy, keras.layers.Normalization):
            copy.finalize_state()
    return BackboneCopy(backbone.name, outputs, operation_of(end)[0].name)


def is_graph(layer) -> bool:
    """Tells whether a layer is a network that does what its graph says.

    Args:
        layer: Anything. A subclass that overrides `call` does something else.
    """
    known = (Functional.call, keras.Sequential.call)
    return isinstance(layer, keras.Model) and type(layer).call in known


def _copy(layer, trainable: bool, regularizer):
    if not isinstance(layer, keras.layers.Layer):
        return layer  # an operation without variables
    if not trainable and isinstance(layer, _OF_TRAINING):
        return keras.layers.Identity(name=layer.name)
    config = layer.get_config()
    if regularizer is not None:
        config |= _penalties(config, regularizer)
    copy = type(layer).from_config(config)
    copy.trainable = layer.trainable and trainable
    return copy


def _penalties(config: dict, regularizer) -> dict:
    of_kernels = (
        "kernel_regularizer",
        "depthwise_regularizer",
        "pointwise_regularizer",
    )
    serialized = keras.regularizers.serialize(regularizer)
    return {
        key: serialized
        for key in of_kernels
        if key in config and config[key] is None
    }
