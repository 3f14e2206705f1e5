"""How the columns of a table become numbers, as a `FeatureSpace` of Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import tensorflow as tf
from keras.utils import FeatureSpace

from mtl_keras.layers import PiecewiseLinearEncoding
from mtl_keras.spelling import did_you_mean
from mtl_keras.tables.columns import as_dtype, check_columns, is_text

_NUMBERS = (
    "float",
    "float_discretized",
    "float_normalized",
    "piecewise_linear",
)


def fit_feature_space(
    columns,
    *,
    numbers: str = "float_normalized",
    num_bins: int = 32,
    categories: Sequence[str] = (),
    min_count: int = 2,
    embed: Sequence[str] = (),
    features: Mapping[str, object] | None = None,
    crosses: Sequence[Sequence[str]] = (),
    crossing_dim: int = 32,
) -> FeatureSpace:
    """Fits an encoding to the columns of a table.

    Columns of texts become categories, columns of numbers stay numbers. Fit it
    to the training part, so that nothing of the other parts gets in. What is
    encoded later may hold categories that are not among these: each column has
    a bucket for them, number 0. Categories rarer than `min_count` are put into
    it as well, so that a model learns what to make of it.

    Args:
        columns: Dict from name to an array of shape `(n,)`, or a
            `pandas.DataFrame`. All columns are encoded.
        numbers: What becomes of numbers: a kind of `keras.utils.FeatureSpace`,
            `"float"`, `"float_normalized"` (default) or `"float_discretized"`;
            or `"piecewise_linear"`, see
            `mtl_keras.layers.PiecewiseLinearEncoding`.
        num_bins: Bins of the latter two. Defaults to `32`.
        categories: Names of the columns of integers that are categories.
        min_count: How often a category must occur to be one of its own.
            Defaults to `2`.
        embed: Names of categories, large ones, that stay numbers for
            `embedding_layer`. The others are one-hot encoded.
        features: Dict from column name to a kind of `FeatureSpace`, by name or
            as an object, where it should be another than above.
        crosses: Sequences of names of columns whose values are hashed
            together. Defaults to none.
        crossing_dim: Number of buckets of each cross. Defaults to `32`.

    Returns:
        A `keras.utils.FeatureSpace`, adapted to the columns. It is saved by
        `feature_space.save("columns.keras")`, and loaded by
        `keras.models.load_model`.

    Raises:
        TypeError: If a column is of another kind than its encoding.
        ValueError: If an argument names no column, or a value is missing.

    Example:

    >>> columns = {
    ...     "age": np.array([20.0, 40.0, 60.0, 40.0]),
    ...     "job": np.array(["cook", "nurse", "nurse", "cook"]),
    ... }
    >>> space = mtl_keras.tables.fit_feature_space(columns)
    >>> mtl_keras.tables.encode_columns(space, columns).shape
    (4, 4)
    """
    if numbers not in _NUMBERS:
        raise ValueError(
            f"numbers={numbers!r}. {did_you_mean(numbers, _NUMBERS)}"
        )
    if not hasattr(columns, "keys"):
        check_columns(columns, ())
    table = check_columns(columns, columns.keys())
    _check_input_names(table)
    features = dict(features or {})
    crossed = [name for cross in crosses for name in cross]
    _check_names(table, categories=categories, embed=embed, features=features)
    _check_names(table, crosses=crossed)
    kinds = {
        name: features[name]
        if name in features
        else _category(name, values, min_count, name in embed)
        if is_text(values) or name in {*categories, *embed}
        else _number(name, numbers, num_bins)
        for name, values in table.items()
    }
    space = FeatureSpace(
        kinds,
        output_mode="dict" if embed else "concat",
        crosses=[tuple(cross) for cross in crosses],
        crossing_dim=crossing_dim,
        num_discretization_bins=num_bins,
    )
    table = {
        name: as_dtype(name, values, space.features[name].dtype)
        for name, values in table.items()
    }
    # One element: of rows, Keras would make batches of 32 for each column.
    space.adapt(tf.data.Dataset.from_tensors(table))
    return space


def _check_names(table: Mapping, **arguments) -> None:
    for argument, names in arguments.items():
        for name in names:
            if name not in table:
                raise ValueError(
                    f"{argument} names {name!r}, which is no column. "
                    f"{did_you_mean(name, table)}"
                )


def _check_input_names(table: Mapping) -> None:
    """Each column becomes an input of the model, of its name."""
    for name in table:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"A column is named {name!r}; expected a text without '/', "
                "since inputs of a model are named after columns. Rename it."
            )


def _category(name, values, min_count, embedded):
    counts = Counter(values.tolist()).values()
    arguments = {
        # The first place is that of unknown ones.
        "max_tokens": sum(count >= min_count for count in counts) + 1,
        "output_mode": "int" if embedded else "one_hot",
        "name": name,
    }
    if arguments["max_tokens"] == 1:
        raise ValueError(
            f"Column {name!r}: no category occurs {min_count} times (min_count)"
            f" in {len(values)} rows. Leave the column out, or lower min_count."
        )
    if is_text(values):
        return FeatureSpace.string_categorical(**arguments)
    return FeatureSpace.integer_categorical(**arguments)


def _number(name, kind, num_bins):
    if kind == "piecewise_linear":
        return FeatureSpace.feature(
            dtype="float32",
            preprocessor=PiecewiseLinearEncoding(
                num_bins, name=f"{name}_preprocessor"
            ),
            output_mode="float",
        )
    if kind == "float_discretized":
        return FeatureSpace.float_discretized(num_bins, name=name)
    return getattr(FeatureSpace, kind)(name=name)
