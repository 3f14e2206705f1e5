"""Encodings of the columns of a table, as a `FeatureSpace` of Keras."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras.utils import FeatureSpace

from mtl_keras.columns.column_values import (
    MISSING_INTEGER,
    MISSING_TEXT,
    UNKNOWN_INTEGER,
    UNKNOWN_TEXT,
    as_dtype,
    check_columns,
    factorize,
    is_missing,
    is_text,
)
from mtl_keras.columns.plain_column import find_categorical_columns
from mtl_keras.layers import (
    NumberEncoding,
    PeriodicEncoding,
    PiecewiseLinearEncoding,
)
from mtl_keras.safe_name import safe_names
from mtl_keras.spelling import did_you_mean

NUMBERS = (
    "float",
    "float_discretized",
    "float_normalized",
    "periodic",
    "piecewise_linear",
)
# Float32 has 24 bits; a column whose spread uses fewer than ten of them, such
# as unix seconds, is read as float64.
_LARGEST_RATIO = 2.0**14
_LARGEST_INTEGER = 2.0**53


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
    missing_inputs: str = "encode",
) -> FeatureSpace:
    """Fits an encoding to the columns of a table.

    Columns of texts, and of the dtype `category` of pandas, become categories;
    columns of numbers stay numbers. Fit the encoding to the training part, so
    that it holds nothing of the other parts. Each column of categories has a
    bucket, number 0, for those that the encoding does not know. Categories
    rarer than `min_count` fall into it as well, so that a model learns to use
    it.

    A missing number (NaN, infinity, `None`) becomes the median of the column.
    If the columns have missing numbers, one more number marks them; under
    `"piecewise_linear"` and the like, it is a separate bin. A missing category
    (`None`, NaN, the empty text) has a separate bucket. A column without
    missing values accepts them later, too: a number becomes the median, a
    category falls into the bucket of unknown ones.

    Args:
        columns: Dict from name to an array of shape `(n,)`, or a
            `pandas.DataFrame`. All columns are encoded. A name that a layer
            cannot have is replaced by a safe one; the columns keep theirs.
        numbers: Encoding of numbers: `"float"`, as they are,
            `"float_normalized"` (default), mean 0 and deviation 1,
            `"float_discretized"`, one-hot by bins, `"piecewise_linear"`, see
            `mtl_keras.layers.PiecewiseLinearEncoding`, or `"periodic"`, see
            `mtl_keras.layers.PeriodicEncoding`.
        num_bins: Bins, or waves. Defaults to `32`.
        categories: Names of the columns of integers that are categories.
        min_count: How often a category must occur to have a code. Defaults to
            `2`.
        embed: Names of columns with many categories, which stay numbers for
            `embedding_layer`. The others are one-hot encoded.
        features: Dict from column name to a kind of `numbers`, or of
            `keras.utils.FeatureSpace` by name or as an object, for columns
            that need another encoding. Defaults to `None`.
        crosses: Sequences of names of columns whose values are hashed
            together. Defaults to none.
        crossing_dim: Number of buckets of each cross. Defaults to `32`.
        missing_inputs: `"encode"` (default), or `"error"` to refuse missing
            values.

    Returns:
        A `keras.utils.FeatureSpace`, adapted to the columns. It is saved by
        `feature_space.save("columns.keras")`, and loaded by
        `keras.models.load_model`.

    Raises:
        TypeError: If a column does not fit its encoding.
        ValueError: If an argument names a column that does not exist, a
            column has no value, or a value is missing under
            `missing_inputs="error"`.

    Warns:
        UserWarning: If a column is constant.

    Example:

    >>> columns = {
    ...     "age": np.array([20.0, 40.0, 60.0, 40.0]),
    ...     "job": np.array(["cook", "nurse", "nurse", "cook"]),
    ... }
    >>> space = mtl_keras.tables.fit_feature_space(columns)
    >>> mtl_keras.tables.encode_columns(space, columns).shape
    (4, 4)
    """
    _check_choice("numbers", numbers, NUMBERS)
    _check_choice("missing_inputs", missing_inputs, ("encode", "error"))
    if not hasattr(columns, "keys"):
        check_columns(columns, ())
    table = check_columns(columns, list(columns.keys()))
    categories = [*categories, *find_categorical_columns(columns)]
    safe = safe_names(table)
    features = dict(features or {})
    crossed = [name for cross in crosses for name in cross]
    _check_names(table, categories=categories, embed=embed, features=features)
    _check_names(table, crosses=crossed)
    kinds = {}
    for name, values in table.items():
        _check_values(name, values, missing_inputs)
        kind = features.get(name, numbers)
        if name in features and not _is_number_kind(kind):
            kinds[safe[name]] = kind
        elif name not in features and (
            is_text(values) or name in {*categories, *embed}
        ):
            kinds[safe[name]] = _category(
                name, safe[name], values, min_count, name in embed
            )
        else:
            kinds[safe[name]] = _number(
                name, safe[name], values, kind, num_bins
            )
    space = FeatureSpace(
        kinds,
        output_mode="dict" if embed else "concat",
        crosses=[tuple(safe[name] for name in cross) for cross in crosses],
        crossing_dim=crossing_dim,
        num_discretization_bins=num_bins,
    )
    for name, kind in features.items():
        preprocessor = space.preprocessors[safe[name]]
        if not _is_number_kind(kind) and hasattr(preprocessor, "adapt"):
            dtype = space.features[safe[name]].dtype
            values = as_dtype(name, table[name], dtype)
            preprocessor.adapt(values[:, None])
    # All of them are adapted by now, which Keras does not see.
    space.build_from_config({})
    space.get_inputs()
    space.built = True
    return space


def _check_choice(argument: str, value, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{argument}={value!r}. {did_you_mean(value, known)}")


def _is_number_kind(kind) -> bool:
    return isinstance(kind, str) and kind in NUMBERS


def _check_names(table: Mapping, **arguments) -> None:
    for argument, names in arguments.items():
        for name in names:
            if name not in table:
                raise ValueError(
                    f"{argument} names {name!r}, which is not a column. "
                    f"{did_you_mean(name, table)}"
                )


def _check_values(name: str, values: np.ndarray, missing_inputs: str) -> None:
    missing = is_missing(values)
    if missing.all():
        raise ValueError(
            f"Column {name!r} holds no value in {len(values)} rows. Leave it "
            "out."
        )
    if missing.any() and missing_inputs == "error":
        raise ValueError(
            f"Column {name!r}: {int(missing.sum())} of {len(missing)} values "
            f"are missing or not finite, the first in row "
            f"{int(np.argmax(missing))}. Fill them, or pass "
            "missing_inputs='encode'."
        )


def _category(name, safe, values, min_count, embedded):
    dtype = "string" if is_text(values) else "int64"
    if not hasattr(values, "categories"):
        values = as_dtype(name, values, dtype)
    found, counts = _count(values)
    hole = MISSING_TEXT if dtype == "string" else MISSING_INTEGER
    kept = (counts >= min_count) | (found == hole)
    if not kept[found != hole].any():
        raise ValueError(
            f"Column {name!r}: no category occurs {min_count} times (min_count)"
            f" in {len(values)} rows. Leave the column out, or lower min_count."
        )
    lookup = (
        keras.layers.StringLookup
        if dtype == "string"
        else keras.layers.IntegerLookup
    )
    return FeatureSpace.feature(
        dtype=dtype,
        preprocessor=lookup(
            # Index 0 is that of unknown ones.
            vocabulary=found[kept].tolist(),
            num_oov_indices=1,
            # Keras's own, -1 and "[UNK]", may be categories.
            oov_token=UNKNOWN_TEXT if dtype == "string" else UNKNOWN_INTEGER,
            name=f"{safe}.encoding",
        ),
        output_mode="int" if embedded else "one_hot",
    )


def _count(values) -> tuple[np.ndarray, np.ndarray]:
    """Counts each distinct value; returns the sorted values and counts."""
    # numpy would make all texts as long as the longest.
    codes, found = factorize(values)
    counts = np.bincount(codes % len(found), minlength=len(found))
    order = [number for number in np.argsort(found) if counts[number]]
    return found[order], counts[order]


def _number(name, safe, values, kind, num_bins):
    if values.dtype.kind in "iu" and np.abs(values.astype("float64")).max() > (
        _LARGEST_INTEGER
    ):
        raise ValueError(
            f"Column {name!r} holds integers such as {values.max()}, which "
            "floating-point numbers cannot tell apart. Declare ids categories "
            f"(categories=[{name!r}]), or leave the column out."
        )
    # In float64: a float32 sum of large numbers loses digits.
    numbers = as_dtype(name, values, "float64")
    there = numbers[np.isfinite(numbers)]
    center, deviation = float(there.mean()), float(there.std())
    constant = float(there.min()) == float(there.max())
    if constant:
        warnings.warn(
            f"Column {name!r} is constant ({there[0]:g}) in {len(there)} rows, "
            "so a model learns nothing from it. Leave it out.",
            stacklevel=4,
        )
    scale = 1.0 if constant or not np.isfinite(deviation) else deviation
    largest = float(np.abs(there).max())
    if kind == "float":
        center, scale = 0.0, 1.0
    dtype = "float32"
    if kind != "float" and largest > _LARGEST_RATIO * scale:
        dtype = "float64"
    scaled = ((there - center) / scale).astype("float32")
    return FeatureSpace.feature(
        dtype=dtype,
        preprocessor=NumberEncoding(
            fill=float(np.median(there)),
            center=center,
            scale=scale,
            mark_missing=len(there) < len(numbers),
            encoder=_encoder(name, kind, scaled, num_bins),
            name=f"{safe}.encoding",
        ),
        output_mode="float",
    )


def _encoder(name, kind, scaled, num_bins):
    if kind in ("float", "float_normalized"):
        return None
    if kind == "periodic":
        return PeriodicEncoding(num_bins)
    if kind == "piecewise_linear":
        layer = PiecewiseLinearEncoding(num_bins)
        if scaled.min() == scaled.max():
            return None
        layer.adapt(scaled[:, None])
        return layer
    shares = np.linspace(0, 1, num_bins + 1)[1:-1]
    boundaries = np.unique(np.quantile(scaled, shares)).tolist()
    return keras.layers.Discretization(
        bin_boundaries=boundaries, output_mode="one_hot"
    )
