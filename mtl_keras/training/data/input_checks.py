"""Checks the sizes and the scales of inputs against a model."""

from __future__ import annotations

import functools
import math
import warnings
import weakref

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.training.data.arrays import shapes_match, to_numpy

# A larger ratio of the scales of two columns raises a warning.
_MAX_SCALE_RATIO = 100.0
# The scales are estimated from this number of rows, at most twice as many.
_NUM_SAMPLED_ROWS = 256
_WARNED = weakref.WeakSet()


def check_input_sizes(model, x) -> None:
    """Checks that a model accepts the size of its input images.

    A model with `input_shape=(None, None, channels)` that downsamples and
    upsamples requires sizes that are divisible by a power of two.

    Args:
        model: A functional model.
        x: Inputs: an array, or a dict or list of arrays.

    Raises:
        ValueError: If the model does not accept the size, or samples have
            different sizes. The message names valid sizes.
    """
    arrays = keras.tree.flatten(x)
    if len(arrays) != len(model.inputs):
        return
    for array, tensor in zip(arrays, model.inputs, strict=True):
        _check_object_array(model, array, tensor)
    shapes = []
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if array is None or len(tensor.shape) != 4 or np.ndim(array) != 4:
            return
        if None not in tensor.shape[1:3] or not shapes_match(
            np.shape(array)[1:], tuple(tensor.shape)[1:]
        ):
            return
        shapes.append((1, *np.shape(array)[1:]))
    if not shapes or _accepts_shapes(model, tuple(shapes)):
        return
    height, width = shapes[0][1:3]
    raise ValueError(
        f"Input {model.inputs[0].name!r}: found images of {height} x {width}, "
        "which the model cannot downsample and upsample. "
        f"{_suggest_sizes(model, height, width)}"
    )


def _check_object_array(model, array, tensor) -> None:
    """Raises an error for an object array whose elements are arrays."""
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
        f"join them with numpy.stack. {_suggest_sizes(model, height, width)}"
    )


def _suggest_sizes(model, height: int, width: int) -> str:
    """Describes the sizes that a model accepts."""
    fixed = tuple(model.inputs[0].shape)[1:3]
    if len(model.inputs[0].shape) != 4:
        return ""
    if None not in fixed:
        return f"The model takes {fixed[0]} x {fixed[1]}."
    divisor = _find_divisor(model)
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
def _accepts_shapes_cached(reference, shapes: tuple) -> bool:
    model = reference()
    inputs = [
        tf.TensorSpec(shape, tensor.dtype)
        for shape, tensor in zip(shapes, model.inputs, strict=True)
    ]

    def call(*arrays):
        x = keras.tree.pack_sequence_as(model.input, list(arrays))
        return model(x, training=False)

    try:
        # Keras's shape inference misses features that cannot be joined.
        tf.function(call, autograph=False).get_concrete_function(*inputs)
    except (ValueError, TypeError):
        return False
    return True


def _accepts_shapes(model, shapes: tuple) -> bool:
    """Returns whether the model accepts inputs of these shapes."""
    return _accepts_shapes_cached(weakref.ref(model), shapes)


def _find_divisor(model) -> int | None:
    """Returns the smallest power of two whose multiples are accepted."""
    for exponent in range(1, 9):
        size = 2**exponent
        trials = [
            tuple(
                (1, *(size * k if n is None else n for n in tensor.shape[1:]))
                for tensor in model.inputs
            )
            for k in (1, 3)
        ]
        if all(_accepts_shapes(model, shapes) for shapes in trials):
            return size
    return None


def warn_unscaled_inputs(model, arrays: list) -> None:
    """Warns once about very different column scales without normalization.

    Constant, two-valued, sparse and integer columns are ignored.

    Args:
        model: A model.
        arrays: All samples of each input.
    """
    if model in _WARNED or any(
        isinstance(layer, keras.layers.Normalization | keras.layers.Rescaling)
        or "ormalization" in type(layer).__name__
        for layer in model.layers
    ):
        return
    if len(arrays) != len(model.inputs):
        return
    for array, tensor in zip(arrays, model.inputs, strict=True):
        if array is None or np.ndim(array) != 2 or len(array) < 2:
            continue
        array = to_numpy(array)
        if array.dtype.kind != "f":
            continue
        scales = _column_scales(array)
        if len(scales) < 2:
            continue
        (small, low), (large, high) = _min_max(scales)
        if high > _MAX_SCALE_RATIO * low:
            _WARNED.add(model)
            warnings.warn(
                f"Input {tensor.name!r}: the scales of its columns differ by "
                f"a factor of {high / low:.2g} (standard deviation "
                f"{low:.3g} in column {small}, {high:.3g} in column "
                f"{large}), and the model does not normalize them, which may "
                "prevent learning. Standardize the inputs, for example with "
                "keras.layers.Normalization or "
                "sklearn.preprocessing.StandardScaler.",
                stacklevel=2,
            )
            return


def _min_max(scales: dict[int, float]) -> tuple:
    """Returns the columns with the smallest and the largest scale."""
    pairs = sorted(scales.items(), key=lambda pair: pair[1])
    return pairs[0], pairs[-1]


def _column_scales(array: np.ndarray) -> dict[int, float]:
    """Computes the standard deviations of real-valued columns, by index."""
    # A sample of the rows, because each call of `fit` waits for it.
    sample = array[:: max(1, len(array) // _NUM_SAMPLED_ROWS)].astype("float64")
    low, high = sample.min(axis=0), sample.max(axis=0)
    ignored = (
        (np.mean(sample == 0, axis=0) > 0.5)  # sparse, or constant
        | (sample == np.rint(sample)).all(axis=0)  # integer
        | ((sample == low) | (sample == high)).all(axis=0)  # two-valued
    )
    deviations = sample.std(axis=0)
    columns = np.flatnonzero(~ignored & (deviations > 0))
    return {int(column): float(deviations[column]) for column in columns}
