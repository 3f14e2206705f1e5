"""Holes among inputs: filled, marked, and the same rule everywhere."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras.columns.column_values import MISSING_INTEGER
from mtl_keras.tables import (
    encode_columns,
    fit_feature_space,
    with_raw_columns,
)
from mtl_keras.tables.encode_columns import encoded_names
from mtl_keras.tables.feature_space import NUMBERS


@pytest.fixture
def holes():
    """Returns a table with a hole in each kind of column."""
    return {
        "age": np.array([20.0, 40, np.nan, 60, 40, 40]),
        "job": np.array(["cook", None, "nurse", "cook", "nurse", ""], object),
        "code": np.array([3, 3, None, 7, 7, 7], object),
    }


def encode(columns, **arguments):
    space = fit_feature_space(columns, categories=["code"], **arguments)
    return space, encode_columns(space, columns)


def test_numbers_get_the_median_and_a_mark(holes):
    space, x = encode(holes)
    names = encoded_names(space)
    there = np.array([20.0, 40, 60, 40, 40])
    age = np.where(np.isnan(holes["age"]), 40, holes["age"])
    expected = (age - there.mean()) / there.std()
    np.testing.assert_allclose(x[:, names.index("age")], expected, atol=1e-6)
    np.testing.assert_array_equal(
        x[:, names.index("age: missing")], [0, 0, 1, 0, 0, 0]
    )


def test_categories_have_a_bucket_for_holes(holes):
    space, x = encode(holes, min_count=2)
    names = encoded_names(space)
    for column, missing in (("job", [1, 5]), ("code", [2])):
        expected = np.isin(np.arange(6), missing)
        found = x[:, names.index(f"{column}: missing")]
        np.testing.assert_array_equal(found, expected)
        assert not x[:, names.index(f"{column}: other")].any()
    assert [name for name in names if "=" in name] == [
        *("code=3", "code=7", "job=cook", "job=nurse")
    ]


@pytest.mark.parametrize("numbers", NUMBERS)
def test_no_encoding_returns_nan(holes, numbers):
    space, x = encode(holes, numbers=numbers, num_bins=3)
    assert np.isfinite(x).all()
    assert x.shape[1] == len(encoded_names(space))
    rows = encode_columns(space, {k: v[2:4] for k, v in holes.items()})
    np.testing.assert_array_equal(rows, x[2:4])


def test_columns_without_holes_take_them_later(holes):
    full = {
        "age": np.array([20.0, 40, 60, 40]),
        "job": np.array(["cook", "nurse"] * 2, object),
        "code": np.array([3, 3, 7, 7]),
    }
    space, _ = encode(full)
    assert not any("missing" in name for name in encoded_names(space))
    row = {"age": [np.nan], "job": [None], "code": [None]}
    found = encode_columns(
        space, {k: np.array(v, object) for k, v in row.items()}
    )
    known = {"age": [40.0], "job": ["never seen"], "code": [99]}
    expected = encode_columns(space, {k: np.array(v) for k, v in known.items()})
    np.testing.assert_array_equal(found, expected)


def test_pandas_holes_are_holes(holes):
    frame = pd.DataFrame(
        {
            "age": pd.array([20, 40, None, 60, 40, 40], "Int64"),
            "job": pd.Series(holes["job"], dtype="category"),
            "code": pd.array([3, 3, None, 7, 7, 7], "Int64"),
        }
    )
    _, expected = encode(holes)
    _, found = encode(frame)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_holes_are_refused_on_request(holes):
    with pytest.raises(ValueError, match=r"'age': 1 of 6.*in row 2"):
        fit_feature_space({"age": holes["age"]}, missing_inputs="error")
    with pytest.raises(ValueError, match=r"'job': 2 of 6.*in row 1"):
        fit_feature_space({"job": holes["job"]}, missing_inputs="error")
    with pytest.raises(ValueError, match="missing_inputs='eror'"):
        fit_feature_space(holes, missing_inputs="eror")


def test_a_column_of_holes_alone_is_refused():
    with pytest.raises(ValueError, match="'age' holds no value in 3 rows"):
        fit_feature_space({"age": np.full(3, np.nan)})


def test_a_constant_column_is_told():
    columns = {"age": np.full(5, 3.0), "size": np.arange(5.0)}
    with pytest.warns(UserWarning, match=r"'age' is constant \(3\)"):
        space = fit_feature_space(columns)
    np.testing.assert_array_equal(encode_columns(space, columns)[:, 0], 0)


def test_ids_of_64_bits_and_large_numbers_keep_what_they_are():
    ids = np.array([5, 5 + 2**32, 2**62, 2**62 + 1] * 4)
    space = fit_feature_space({"user": ids}, categories=["user"])
    x = encode_columns(space, {"user": ids[:4]})
    np.testing.assert_array_equal(x, np.eye(5)[1:])
    seconds = 1.7e9 + np.arange(64.0)
    space = fit_feature_space({"t": seconds})
    found = encode_columns(space, {"t": seconds})[:, 0]
    expected = (seconds - seconds.mean()) / seconds.std()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(pd.date_range("2021-01-01", periods=4)),
        pd.Series(pd.date_range("2021-01-01", periods=4, tz="Europe/Rome")),
        pd.Series(pd.to_timedelta([1, 2, 3, 4], "D")),
        np.array(["2021-01-01"] * 4, "datetime64[D]"),
    ],
)
def test_dates_are_refused_with_the_way_out(values):
    with pytest.raises(ValueError, match=r"'seen' holds dates.*parse_dates"):
        fit_feature_space({"seen": values})


def test_a_served_hole_is_answered_as_in_training(holes, tmp_path):
    columns = {"温度 %": holes["age"], "a b": holes["job"]}
    columns["code"] = holes["code"]
    space, x = encode(columns)
    model = mtl_keras.build_mlp(
        x.shape[1:], [mtl_keras.Regression("y")], hidden_units=(3,)
    )
    expected = model(x)["y"].numpy()
    raw = with_raw_columns(model, space)
    raw.run_eagerly = True  # a graph would take longer to trace
    batch = {
        "温度 %": columns["温度 %"],
        "a b": np.array([text or "" for text in holes["job"]], object),
        "code": np.array([c or MISSING_INTEGER for c in holes["code"]]),
    }
    found = raw.predict(batch, verbose=0)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    raw.export(tmp_path / "served", verbose=False)
    serve = tf.saved_model.load(tmp_path / "served").signatures
    safe = mtl_keras.tables.safe_names(batch)
    request = {
        safe[name]: tf.constant(
            values[:, None],
            {"温度 %": tf.float32, "a b": tf.string, "code": tf.int64}[name],
        )
        for name, values in batch.items()
    }
    found = serve["serving_default"](**request)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-6)
