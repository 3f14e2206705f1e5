"""Columns of a table, encoded as vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras.columns.column_values import (
    MISSING_INTEGER,
    MISSING_TEXT,
    as_dtype,
    check_columns,
    factorize,
)
from mtl_keras.layers import CategoryEmbedding, NumberEncoding

# Bytes; more than any processor asks for.
_ALIGNMENT = 64


def encode_columns(
    feature_space: FeatureSpace, columns, *, batch_size: int = 262144
) -> np.ndarray:
    """Encodes the columns of a table as vectors.

    Encode a table once, before training, instead of at each step.

    Args:
        feature_space: A `FeatureSpace` from `fit_feature_space`, or another
            adapted one.
        columns: Dict from name to an array of shape `(n,)`, or a
            `pandas.DataFrame`. Columns that the encoding does not know are
            ignored.
        batch_size: Rows that are encoded at a time. Defaults to `262144`.

    Returns:
        float32 array of shape `(n, width)`. Its last columns are the numbers
        of categories that are to be embedded.

    Raises:
        TypeError: If a column does not fit its encoding.
        ValueError: If a column is missing.

    Example:

    >>> columns = {"age": np.array([20.0, 40.0, 60.0])}
    >>> space = mtl_keras.tables.fit_feature_space(columns)
    >>> mtl_keras.tables.encode_columns(space, columns).round(2).tolist()
    [[-1.2200000286102295], [0.0], [1.2200000286102295]]
    """
    _check_feature_space(feature_space)
    features = feature_space.features
    crosses = feature_space.crosses
    table = {
        name: values
        if _is_factorized(values, features[name]) and not crosses
        else as_dtype(name, values, features[name].dtype)
        for name, values in check_columns(columns, features).items()
    }
    rows = len(next(iter(table.values())))
    if not crosses:
        return _encode_by_column(feature_space, table, rows, batch_size)
    parts = []
    for start in range(0, rows, batch_size):
        batch = {k: v[start : start + batch_size] for k, v in table.items()}
        encoded = join_features(feature_space, feature_space(batch))
        parts.append(keras.ops.convert_to_numpy(encoded))
    return np.concatenate(parts)


def _encode_by_column(
    feature_space: FeatureSpace, table: Mapping, rows: int, batch_size: int
) -> np.ndarray:
    """Encodes each column separately, and equal values once."""
    codes, widths = {}, {}
    for name, values in table.items():
        if values.dtype.kind != "f":
            # By distinct values, which are few.
            found, distinct = factorize(values)
            codes[name] = found, _encode_values(feature_space, name, distinct)
            widths[name] = codes[name][1].shape[-1]
            continue
        widths[name] = _encode_values(feature_space, name, values[:1]).shape[-1]
        if widths[name] > 1:
            found, distinct = factorize(values)
            codes[name] = found, _encode_values(feature_space, name, distinct)
    x = _aligned_zeros(rows, sum(widths.values()))
    one_hot = feature_space.one_hot_encoders
    for first in range(0, rows, batch_size):
        batch = slice(first, first + batch_size)
        start = 0
        for name in _order(feature_space, widths):
            part = x[batch, start : start + widths[name]]
            start += widths[name]
            if name not in codes:
                values = table[name][batch]
                part[:] = _encode_values(feature_space, name, values)
                continue
            found, encoded = codes[name]
            if name in one_hot:
                # Writes one number for each row, not for each category.
                places = encoded.argmax(axis=1)[found[batch]]
                part[np.arange(len(part)), places] = 1
            else:
                part[:] = encoded[found[batch]]
    return x


def _is_factorized(values, feature) -> bool:
    return hasattr(values, "categories") and feature.dtype == "string"


def _aligned_zeros(rows: int, width: int) -> np.ndarray:
    """Makes a float32 array that TensorFlow uses without a copy."""
    memory = np.zeros(4 * rows * width + _ALIGNMENT, "uint8")
    start = -memory.ctypes.data % _ALIGNMENT
    memory = memory[start : start + 4 * rows * width]
    return memory.view("float32").reshape(rows, width)


def _encode_values(feature_space, name, values) -> np.ndarray:
    encoded = feature_space.preprocessors[name](values[:, None])
    one_hot = feature_space.one_hot_encoders.get(name)
    if one_hot is not None:
        encoded = one_hot(encoded)
    return keras.ops.convert_to_numpy(encoded).astype("float32")


def join_features(feature_space: FeatureSpace, encoded):
    """Joins the outputs of a `FeatureSpace` into one vector.

    Args:
        feature_space: The `FeatureSpace`.
        encoded: Its output for some rows: a tensor or a dict of tensors,
            which may be symbolic.

    Returns:
        float32 tensor of shape `(rows, width)`.
    """
    if not isinstance(encoded, Mapping):
        return keras.ops.cast(encoded, "float32")
    names = _order(feature_space, encoded)
    return keras.ops.concatenate(
        [keras.ops.cast(encoded[name], "float32") for name in names], axis=-1
    )


def _order(feature_space: FeatureSpace, names: Iterable[str]) -> list[str]:
    """Sorts columns; those to be embedded come last."""
    embedded = embedded_columns(feature_space)
    return [*(n for n in sorted(names) if n not in embedded), *embedded]


def encoded_names(feature_space: FeatureSpace) -> list[str]:
    """Names the numbers of an encoded row.

    Args:
        feature_space: The `FeatureSpace`.

    Returns:
        A name for each: `"age"` for a number, `"age: missing"` for the mark of
        a missing one, `"age: 0"` and so on for bins, `"city=Rome"` for a
        category, with `"city: other"` and `"city: missing"` for its buckets.
        Columns to be embedded have one each. Crosses have none.
    """
    names = []
    for name in _order(feature_space, feature_space.features):
        layer = feature_space.preprocessors[name]
        feature = feature_space.features[name]
        if isinstance(layer, NumberEncoding):
            width = layer.width - layer.mark_missing
            names += (
                [name]
                if width == 1
                else [f"{name}: {number}" for number in range(width)]
            )
            names += [f"{name}: missing"] * layer.mark_missing
        elif feature.output_mode == "one_hot" and hasattr(
            layer, "get_vocabulary"
        ):
            buckets = {str(MISSING_INTEGER): "missing", MISSING_TEXT: "missing"}
            names.append(f"{name}: other")
            names += [
                f"{name}: {buckets[str(word)]}"
                if str(word) in buckets
                else f"{name}={word}"
                for word in layer.get_vocabulary(include_special_tokens=False)
            ]
        else:
            names.append(name)
    return names


def embedded_columns(feature_space: FeatureSpace) -> list[str]:
    """Lists the columns that stay numbers of categories, sorted.

    Args:
        feature_space: The `FeatureSpace`.
    """
    return sorted(
        name
        for name, feature in feature_space.features.items()
        if feature.output_mode == "int"
    )


def embedding_layer(
    feature_space: FeatureSpace, dimension: int = 8, **arguments
) -> CategoryEmbedding:
    """Makes the layer that embeds the categories of `embed=[...]`.

    Args:
        feature_space: A `FeatureSpace` with such columns.
        dimension: Width of the vectors. Defaults to `8`.
        **arguments: Further arguments of
            `mtl_keras.layers.CategoryEmbedding`.

    Returns:
        The layer, for `preprocessing=` of a factory.

    Raises:
        ValueError: If no column is to be embedded.

    Example:

    >>> columns = {"job": np.array(["cook", "nurse", "nurse", "cook"])}
    >>> space = mtl_keras.tables.fit_feature_space(columns, embed=["job"])
    >>> layer = mtl_keras.tables.embedding_layer(space, dimension=3)
    >>> layer(mtl_keras.tables.encode_columns(space, columns)).shape
    TensorShape([4, 3])
    """
    _check_feature_space(feature_space)
    names = embedded_columns(feature_space)
    if not names:
        raise ValueError(
            "This encoding has no column to embed. Name columns in "
            "fit_feature_space(columns, embed=[...])."
        )
    sizes = [_vocabulary_size(feature_space, name) for name in names]
    return CategoryEmbedding(sizes, dimension, **arguments)


def _vocabulary_size(feature_space: FeatureSpace, name: str) -> int:
    layer = feature_space.preprocessors[name]
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    return layer.num_bins


def _check_feature_space(feature_space) -> None:
    if not isinstance(feature_space, FeatureSpace):
        raise TypeError(
            f"feature_space is a {type(feature_space).__name__}; expected a "
            "keras.utils.FeatureSpace, such as fit_feature_space makes."
        )
    # A loaded one builds its layers now.
    feature_space.get_inputs()
