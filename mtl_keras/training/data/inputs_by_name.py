"""Matches a dict of inputs to the inputs of a model by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import keras
import tensorflow as tf

from mtl_keras.spelling import did_you_mean


def inputs_by_name(network, x):
    """Orders a dict of inputs as a model takes them.

    Args:
        network: A functional model.
        x: Inputs, or a stream of batches `(x, ...)`.

    Returns:
        The inputs in the structure of the model. Anything but a dict is
        returned as it is, and so is a dict for a model that takes one.

    Raises:
        ValueError: If a dict lacks an input, or names another one.
    """
    if isinstance(network.input, Mapping):
        return x
    if isinstance(x, Mapping):
        return _ordered(network, x)
    if isinstance(x, tf.data.Dataset):
        return _ordered_dataset(network, x)
    if isinstance(x, Iterator):
        return _ordered_batches(network, x)
    return x


def _ordered(network, x: Mapping):
    names = [tensor.name for tensor in network.inputs]
    for name in x:
        if name not in names:
            raise ValueError(
                f"Inputs name {name!r}, which the model does not have. "
                f"{did_you_mean(name, names)}"
            )
    for name in names:
        if name not in x:
            raise ValueError(
                f"Inputs lack {name!r}; found {sorted(x)}, expected {names}."
            )
    ordered = [x[name] for name in names]
    return keras.tree.pack_sequence_as(network.input, ordered)


def _first(batch):
    return batch[0] if isinstance(batch, tuple) else batch


def _with_first(network, batch):
    if isinstance(batch, tuple):
        return (_ordered(network, batch[0]), *batch[1:])
    return _ordered(network, batch)


def _ordered_dataset(network, dataset: tf.data.Dataset) -> tf.data.Dataset:
    if not isinstance(_first(dataset.element_spec), Mapping):
        return dataset

    def order(*batch):
        found = _with_first(network, batch)
        return found if len(found) > 1 else found[0]

    return dataset.map(order)


def _ordered_batches(network, batches: Iterator) -> Iterator:
    for batch in batches:
        if isinstance(_first(batch), Mapping):
            batch = _with_first(network, batch)
        yield batch
