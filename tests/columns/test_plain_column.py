"""Columns of pandas and numpy as plain arrays."""

import numpy as np
import pandas as pd
import pytest

from mtl_keras.columns.column_values import is_missing
from mtl_keras.columns.plain_column import plain_column
from mtl_keras.tables import encode_columns, fit_feature_space


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([1, 2], dtype="Int64"), [1, 2]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([True, None], dtype="boolean"), [True, None]),
        (pd.Categorical([3, 1]), [3, 1]),
        (pd.Categorical([3, None]), [3, None]),
        (pd.Series([2.5, None, 3.0], dtype="category"), [2.5, None, 3.0]),
        (["a", None], ["a", None]),
        (["a", 1], ["a", 1]),
        ([1, 2], [1, 2]),
    ],
)
def test_values_and_holes_stay(values, expected):
    found = plain_column("a", values)
    assert found.tolist() == expected


@pytest.mark.parametrize("hole", [None, np.nan, pd.NA])
def test_a_hole_in_a_list_of_texts_is_no_text(hole):
    found = plain_column("a", ["nan", hole, "b"])
    np.testing.assert_array_equal(is_missing(found), [False, True, False])


@pytest.mark.parametrize("hole", [False, True])
def test_the_dtype_category_makes_categories_of_integers(hole):
    codes = [7, 9, None if hole else 9, 7] * 5
    frame = pd.DataFrame({"code": pd.Categorical(codes), "age": range(20)})
    said = {"code": np.array(codes, object if hole else int)}
    space = fit_feature_space(frame)
    other = fit_feature_space(
        {**said, "age": np.arange(20)}, categories=["code"]
    )
    x = encode_columns(space, frame)
    assert x.shape == (20, 4 + hole)
    np.testing.assert_array_equal(x, encode_columns(other, frame))
