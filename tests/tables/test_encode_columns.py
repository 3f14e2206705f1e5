"""Columns that are missing, of another kind, or have holes."""

import numpy as np
import pytest

from mtl_keras.layers import CategoryEmbedding
from mtl_keras.tables import (
    embedding_layer,
    encode_columns,
    fit_feature_space,
)


@pytest.fixture
def space(encoded):
    return encoded("codes")


@pytest.mark.parametrize("name", ["job", "age", "gain", "code"])
def test_a_missing_column_is_named(columns, space, name):
    del columns[name]
    with pytest.raises(ValueError, match=f"Column '{name}' is missing"):
        encode_columns(space, columns)


def test_a_misspelt_column_is_told_the_nearest(columns, space):
    columns["jop"] = columns.pop("job")
    with pytest.raises(ValueError, match=r"'job' is missing.*mean 'jop'"):
        encode_columns(space, columns)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("age", ["old"] * 120, "'age' holds texts such as 'old'; expected num"),
        ("job", np.arange(120), "'job' is of int64; expected texts"),
        ("code", np.full(120, 0.5), "'code' is of float64; expected integers"),
    ],
)
def test_a_column_of_another_kind_is_named(
    columns, space, name, values, message
):
    with pytest.raises(TypeError, match=message):
        encode_columns(space, {**columns, name: values})


@pytest.mark.parametrize("hole", [np.nan, np.inf, None])
def test_a_hole_among_numbers_is_the_median(columns, space, hole):
    age = columns["age"].astype(object)
    age[[7, 9]] = hole
    found = encode_columns(space, {**columns, "age": age})
    age[[7, 9]] = np.median(columns["age"])
    columns["age"] = age.astype("float64")
    np.testing.assert_array_equal(found, encode_columns(space, columns))


@pytest.mark.parametrize("hole", [np.nan, None, ""])
def test_a_hole_among_texts_is_an_unknown_one(columns, space, hole):
    columns["job"][5] = hole
    found = encode_columns(space, columns)
    columns["job"][5] = "never seen"
    np.testing.assert_array_equal(found, encode_columns(space, columns))


def test_a_number_among_texts_is_told_by_row(columns, space):
    columns["job"][5] = 3
    with pytest.raises(ValueError, match="'job': found 3 in row 5"):
        encode_columns(space, columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v[:-1], "'age' has 119 rows and the columns before it 120"),
        (lambda v: np.stack([v, v], axis=1), r"'age' has shape \(120, 2\)"),
        (lambda v: v[:0], r"'age' has shape \(0,\)"),
    ],
)
def test_columns_have_one_length(columns, space, change, message):
    with pytest.raises(ValueError, match=message):
        encode_columns(space, {**columns, "age": change(columns["age"])})


def test_columns_with_an_axis_of_one_are_alike(columns, space):
    wide = {name: values[:, None] for name, values in columns.items()}
    np.testing.assert_array_equal(
        encode_columns(space, wide), encode_columns(space, columns)
    )


@pytest.mark.parametrize("bad", [None, [1, 2], np.zeros((3, 2))])
def test_columns_must_have_names(space, bad):
    with pytest.raises(TypeError, match="expected a dict from column name"):
        encode_columns(space, bad)
    with pytest.raises(TypeError, match="expected a dict from column name"):
        fit_feature_space(bad)


def test_only_a_feature_space_encodes(columns):
    with pytest.raises(TypeError, match="feature_space is a dict"):
        encode_columns({}, columns)
    with pytest.raises(TypeError, match="feature_space is a dict"):
        embedding_layer({})


def test_embedded_columns_come_last_and_their_layer_fits(columns):
    space = fit_feature_space(columns, embed=["job", "code"])
    x = encode_columns(space, columns)
    # age and gain, then the numbers of code and job.
    assert x.shape == (120, 4)
    codes = {raw: x[columns["code"] == raw, 2] for raw in (3, 30, 300)}
    assert sorted({tuple(set(found)) for found in codes.values()}) == [
        (1.0,),
        (2.0,),
        (3.0,),
    ]
    layer = embedding_layer(space, dimension=5)
    assert isinstance(layer, CategoryEmbedding)
    assert layer.vocabulary_sizes == (4, 4)
    assert layer(x).shape == (120, 12)


def test_without_such_columns_there_is_nothing_to_embed(space):
    with pytest.raises(ValueError, match=r"embed=\["):
        embedding_layer(space)
