"""Copies a backbone, layer by layer, into the graph of another model.

How Keras walks through a graph is not public:
`tests/models/test_backbone.py` says when Keras changes what is used.
"""

from __future__ import annotations

from collections.abc import Iterable

import keras


def copy_onto(
    backbone: keras.Model,
    x,
    names: Iterable[str],
    *,
    trainable: bool,
    regularizer,
) -> dict:
    """Copies the layers of a backbone into the graph of another model.

    The copies have the weights of the backbone, which stays as it is: two
    models that are built from one backbone share nothing. They lie in the
    graph one by one, so that a task is seen to reach what it reads and no
    more.

    Args:
        backbone: A functional model.
        x: Keras tensor that the copy reads.
        names: Names of the layers whose outputs are wanted.
        trainable: Whether the copies are trained. Those that are not are
            called as in inference, whatever happens to them later.
        regularizer: Keras regularizer of all kernels that have none, or
            `None`.

    Returns:
        Dict from name to the output of the copied layer.
    """
    names = list(names)
    copies = {}

    def copy_of(layer):
        if id(layer) not in copies:
            copies[id(layer)] = (layer, _copy(layer, trainable, regularizer))
        return copies[id(layer)][1]

    def call(layer, *args, **kwargs):
        if not trainable and getattr(layer, "_call_has_training_arg", False):
            kwargs["training"] = False
        return layer(*args, **kwargs)

    wanted = [backbone.get_layer(name).output for name in names]
    graph = keras.Model(backbone.inputs[0], wanted)
    outputs = graph._run_through_graph(x, operation_fn=copy_of, call_fn=call)
    for layer, copy in copies.values():
        if isinstance(layer, keras.layers.Layer):
            copy.set_weights(layer.get_weights())
        if isinstance(layer, keras.layers.Normalization):
            copy.finalize_state()
    return dict(zip(names, outputs, strict=True))


def _copy(layer, trainable: bool, regularizer):
    if not isinstance(layer, keras.layers.Layer):
        return layer  # an operation without variables
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
