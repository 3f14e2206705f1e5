"""Checks of inputs that need the network: sizes that fit, and scales."""

from __future__ import annotations

import functools
import math
import warnings
import weakref

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.arrays import shape_fits, to_numpy

# Scales of two columns that differ by more are told.
_LARGEST_RATIO = 100.0
# Rows that are looked at, or up to twice as many.
_ROWS = 256
_TOLD = weakref.WeakSet()


def check_sizes(network, x) -> None:
    """Raises an error if a network cannot take maps of some size.

    A network with `input_shape=(None, None, channels)` that halves maps and
    joins them again takes sizes that divide by a power of two.

    Args:
        network: A functional model.
        x: Inputs: an array, or a dict or list of arrays.

    Raises:
        ValueError: If the sizes do not fit, or samples have several sizes. The
            message names sizes that fit.
    """
    arrays = keras.tree.flatten(x)
    if len(arrays) != len(network.inputs):
        return
    for array, tensor in zip(arrays, network.inputs, strict=True):
        _check_one_size(network, array, tensor)
    shapes = []
    for array, tensor in zip(arrays, network.inputs, strict=True):
        if array is None or len(tensor.shape) != 4 or np.ndim(array) != 4:
            return
        if None not in tensor.shape[1:3] or not shape_fits(
            np.shape(array)[1:], tuple(tensor.shape)[1:]
        ):
            return
        shapes.append((1, *np.shape(array)[1:]))
    if not shapes or _fits(network, tuple(shapes)):
        return
    height, width = shapes[0][1:3]
    raise ValueError(
        f"Input {network.inputs[0].name!r}: found maps of {height} x {width}, "
        "which the network cannot halve and join again. "
        f"{_way_out(network, height, width)}"
    )


def _check_one_size(network, array, tensor) -> None:
    """Raises an error for an array of objects that are arrays themselves."""
    if not (
        isinstance(array, np.ndarray) and array.dtype.kind == "O" and len(array)
    ):
        return
    shapes = {np.shape(sample) for sample in array}
    if shapes == {()}:
        return  # strings
    sizes = sorted(shape[:2] for shape in shapes)
    named = ", ".join(" x ".join(map(str, size)) for size in sizes[:3])
    height, width = (*sizes[-1], 1)[:2]
    raise ValueError(
        f"Input {tensor.name!r}: found an object array of {len(array)} samples "
        f"with {len(shapes)} shapes ({named}{', ...' * (len(sizes) > 3)}); "
        "expected one array of samples of one size. Resize or pad them and "
        f"join them with numpy.stack. {_way_out(network, height, width)}"
    )


def _way_out(network, height: int, width: int) -> str:
    """Says which sizes fit."""
    fixed = tuple(network.inputs[0].shape)[1:3]
    if len(network.inputs[0].shape) != 4:
        return ""
    if None not in fixed:
        return f"The model takes {fixed[0]} x {fixed[1]}."
    divisor = _divisor(network)
    if divisor is None:
        return "Resize the images."
    low, high = (
        " x ".join(
            str(known or max(1, round_(size / divisor)) * divisor)
            for known, size in zip(fixed, (height, width), strict=True)
        )
        for round_ in (math.floor, math.ceil)
    )
    ways = [f"pad to {high}"]
    if height >= divisor <= width:
        ways.insert(0, f"crop to {low}")
    return (
        f"Expected a height and a width that are divisible by {divisor}: "
        f"{', or '.join(ways)}."
    )


@functools.lru_cache(maxsize=256)
def _fits_cached(reference, shapes: tuple) -> bool:
    network = reference()
    inputs = [
        tf.TensorSpec(shape, tensor.dtype)
        for shape, tensor in zip(shapes, network.inputs, strict=True)
    ]

    def call(*arrays):
        x = keras.tree.pack_sequence_as(network.input, list(arrays))
        return network(x, training=False)

    try:
        # Keras's own shapes do not see maps that cannot be joined.
        tf.function(call, autograph=False).get_concrete_function(*inputs)
    except (ValueError, TypeError):
        return False
    return True


def _fits(network, shapes: tuple) -> bool:
    """Whether the network computes outputs of inputs of these shapes."""
    return _fits_cached(weakref.ref(network), shapes)


def _divisor(network) -> int | None:
    """Returns the smallest power of two whose multiples fit."""
    for exponent in range(1, 9):
        size = 2**exponent
        trials = [
            tuple(
                (1, *(size * k if n is None else n for n in tensor.shape[1:]))
                for tensor in network.inputs
            )
            for k in (1, 3)
        ]
        if all(_fits(network, shapes) for shapes in trials):
            return size
    return None


def warn_of_scales(network, arrays: list) -> None:
    """Warns once of columns of very different scales without normalization.

    Constant, two-valued, sparse and integer columns do not count.

    Args:
        network: A model.
        arrays: All samples of each of its inputs.
    """
    if network in _TOLD or any(
        isinstance(layer, keras.layers.Normalization | keras.layers.Rescaling)
        or "ormalization" in type(layer).__name__
        for layer in network.layers
    ):
        return
    if len(arrays) != len(network.inputs):
        return
    for array, tensor in zip(arrays, network.inputs, strict=True):
        if array is None or np.ndim(array) != 2 or len(array) < 2:
            continue
        array = to_numpy(array)
        if array.dtype.kind != "f":
            continue
        scales = _scales(array)
        if len(scales) < 2:
            continue
        (small, low), (large, high) = min_max(scales)
        if high > _LARGEST_RATIO * low:
            _TOLD.add(network)
            warnings.warn(
                f"Input {tensor.name!r}: the scales of its columns differ by "
                f"{high / low:.2g} (the standard deviation of column {small} "
                f"is {low:.3g}, that of column {large} {high:.3g}), and the "
                "model does not normalize them, so that it may hardly learn. "
                "Standardize the inputs, for instance with a "
                "keras.layers.Normalization, or "
                "sklearn.preprocessing.StandardScaler.",
                stacklevel=2,
            )
            return


def min_max(scales: dict[int, float]) -> tuple:
    """Returns the columns with the smallest and the largest scale."""
    pairs = sorted(scales.items(), key=lambda pair: pair[1])
    return pairs[0], pairs[-1]


def _scales(array: np.ndarray) -> dict[int, float]:
    """Standard deviations of columns of real values, by their index."""
    # Few rows, all columns at once: each call of `fit` waits for it.
    sample = array[:: max(1, len(array) // _ROWS)].astype("float64")
    low, high = sample.min(axis=0), sample.max(axis=0)
    left_out = (
        (np.mean(sample == 0, axis=0) > 0.5)  # sparse, or constant
        | (sample == np.rint(sample)).all(axis=0)  # integer
        | ((sample == low) | (sample == high)).all(axis=0)  # two-valued
    )
    deviations = sample.std(axis=0)
    columns = np.flatnonzero(~left_out & (deviations > 0))
    return {int(column): float(deviations[column]) for column in columns}
