"""An encoding fitted to a table."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras.utils import FeatureSpace

from mtl_keras.tables import encode_columns, fit_feature_space


def test_default_is_one_hot_and_standardized_in_sorted_order(columns, encoded):
    x = encode_columns(encoded("default"), columns)
    # age, code, gain, then job with the bucket for unknown ones in front.
    assert x.shape == (120, 7)
    assert x.dtype == np.float32
    for place, name in enumerate(["age", "code", "gain"]):
        raw = columns[name]
        expected = (raw - raw.mean()) / raw.std()
        np.testing.assert_allclose(x[:, place], expected, atol=1e-4)
    jobs = x[:, 3:]
    np.testing.assert_array_equal(jobs.sum(axis=1), 1)
    assert not jobs[:, 0].any()
    pilots = columns["job"] == "pilot"
    assert {tuple(row) for row in jobs[pilots]} == {tuple(jobs[pilots][0])}
    assert len({tuple(row) for row in jobs}) == 3


def test_rows_are_encoded_by_themselves(columns, encoded, encoding_name):
    space = encoded(encoding_name)
    x = encode_columns(space, columns)
    assert np.isfinite(x).all()
    few = encode_columns(space, {k: v[40:47] for k, v in columns.items()})
    np.testing.assert_array_equal(few, x[40:47])
    small = encode_columns(space, columns, batch_size=50)
    np.testing.assert_array_equal(small, x)


def test_it_is_saved_and_loaded(columns, encoded, encoding_name, tmp_path):
    space = encoded(encoding_name)
    space.save(tmp_path / "columns.keras")
    again = keras.models.load_model(tmp_path / "columns.keras")
    np.testing.assert_array_equal(
        encode_columns(again, columns), encode_columns(space, columns)
    )


def test_unknown_and_rare_categories_share_a_bucket(columns):
    columns["job"][:3] = "astronaut"
    space = fit_feature_space(columns, min_count=4)
    assert space.preprocessors["job"].vocabulary_size() == 4
    x = encode_columns(space, columns)
    np.testing.assert_array_equal(x[:3, 3], 1)
    assert not x[3:, 3].any()
    columns["job"] = np.array(["never seen"] * 120, object)
    unknown = encode_columns(space, columns)
    np.testing.assert_array_equal(unknown[:, 3], 1)
    kept = fit_feature_space(columns, min_count=1)
    assert kept.preprocessors["job"].vocabulary_size() == 2


def test_codes_are_categories_only_if_said(columns):
    columns = {"code": columns["code"]}
    assert encode_columns(fit_feature_space(columns), columns).shape[1] == 1
    space = fit_feature_space(columns, categories=["code"])
    x = encode_columns(space, columns)
    assert x.shape == (120, 4)
    unknown = encode_columns(space, {"code": np.array([77])})
    np.testing.assert_array_equal(unknown, [[1, 0, 0, 0]])


def test_a_data_frame_and_a_dict_are_alike(columns, encoded):
    space = fit_feature_space(pd.DataFrame(columns))
    expected = encode_columns(encoded("default"), columns)
    frame = pd.DataFrame(columns).assign(more=1.0)
    np.testing.assert_allclose(encode_columns(space, frame), expected)


def test_piecewise_linear_has_a_step_for_each_value(columns):
    columns = {"gain": columns["gain"]}
    space = fit_feature_space(columns, numbers="piecewise_linear")
    encoding = space.preprocessors["gain"]
    boundaries = np.array(encoding.encoder.boundaries)
    raw = boundaries * encoding.scale + encoding.center
    np.testing.assert_allclose(raw, [0, 7688], atol=1e-3)
    x = encode_columns(space, columns)
    np.testing.assert_array_equal(x[:, 0], columns["gain"] == 7688)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"numbers": "float_normalised"}, "mean 'float_normalized'"),
        ({"embed": ["jobs"]}, "embed names 'jobs'.*mean 'job'"),
        ({"categories": ["kode"]}, "categories names 'kode'.*mean 'code'"),
        ({"crosses": [("job", "kode")]}, "crosses names 'kode'"),
        ({"features": {"ages": "float"}}, "features names 'ages'"),
        ({"min_count": 500}, r"'job': no category occurs 500 times"),
    ],
)
def test_arguments_are_checked(columns, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_feature_space(columns, **arguments)


def test_numbers_that_are_to_be_embedded_must_be_integers(columns):
    with pytest.raises(TypeError, match="'age' is of float64; expected int"):
        fit_feature_space(columns, embed=["age"])


@pytest.mark.parametrize("name", [" ", "", 3])
def test_names_of_columns_become_names_of_inputs(columns, name):
    with pytest.raises(ValueError, match="A column is named"):
        fit_feature_space({name: columns["age"]})


def test_kinds_of_keras_go_in_as_objects(columns):
    kind = FeatureSpace.string_hashed(num_bins=5)
    space = fit_feature_space(columns, features={"job": kind})
    x = encode_columns(space, columns)
    assert x.shape == (120, 8)


def test_spellings_of_a_category_count_together():
    ok = np.array(["True", "TRUE", "False ", "no", "", "-", "False"], object)
    spellings = {"TRUE": "True", "no": "False", "-": ""}
    space = fit_feature_space(
        {"ok": ok}, spellings={"ok": spellings}, min_count=2
    )
    words = space.preprocessors["ok"].get_vocabulary()[1:]
    assert words == ["", "False", "True"]
    found = encode_columns(space, {"ok": ok}).argmax(axis=1)
    np.testing.assert_array_equal(found, [3, 3, 2, 2, 1, 1, 2])
    with pytest.raises(ValueError, match="spellings names 'ok'"):
        fit_feature_space({"no": ok}, spellings={"ok": spellings})
