"""Columns of a table as the vectors that a network reads."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras.layers import CategoryEmbedding
from mtl_keras.tables.columns import as_dtype, check_columns


def encode_columns(
    feature_space: FeatureSpace, columns, *, batch_size: int = 8192
) -> np.ndarray:
    """Encodes a table once, so that training need not do it at each step.

    Args:
        feature_space: A `FeatureSpace`, from `fit_feature_space` or adapted by
            yourself.
        columns: Dict from name to an array of shape `(n,)`, or a
            `pandas.DataFrame`. Columns that the encoding does not know are
            left alone.
        batch_size: Rows that are encoded at a time. Defaults to `8192`.

    Returns:
        float32 array of shape `(n, width)`. Numbers of categories that are to
        be embedded are its last columns.

    Raises:
        TypeError: If a column is of another kind than the fitted one.
        ValueError: If a column or a value is missing.

    Example:

    >>> columns = {"age": np.array([20.0, 40.0, 60.0])}
    >>> space = mtl_keras.tables.fit_feature_space(columns)
    >>> mtl_keras.tables.encode_columns(space, columns).round(2).tolist()
    [[-1.2200000286102295], [0.0], [1.2200000286102295]]
    """
    _check_feature_space(feature_space)
    table = {
        name: as_dtype(name, values, feature_space.features[name].dtype)
        for name, values in check_columns(
            columns, feature_space.features
        ).items()
    }
    rows = len(next(iter(table.values())))
    parts = []
    for start in range(0, rows, batch_size):
        batch = {k: v[start : start + batch_size] for k, v in table.items()}
        encoded = join_features(feature_space, feature_space(batch))
        parts.append(keras.ops.convert_to_numpy(encoded))
    return np.concatenate(parts)


def join_features(feature_space: FeatureSpace, encoded):
    """Joins what a `FeatureSpace` gives into one vector.

    Args:
        feature_space: The `FeatureSpace`.
        encoded: Its output for some rows: a tensor, or a dict of them. Keras
            tensors as well.

    Returns:
        float32 tensor of shape `(rows, width)`.
    """
    if not isinstance(encoded, Mapping):
        return keras.ops.cast(encoded, "float32")
    embedded = embedded_columns(feature_space)
    names = [*(n for n in sorted(encoded) if n not in embedded), *embedded]
    return keras.ops.concatenate(
        [keras.ops.cast(encoded[name], "float32") for name in names], axis=-1
    )


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
            "This encoding has no column to embed. Name some by "
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
