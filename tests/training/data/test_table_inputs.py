"""Raw columns as inputs of a model that encodes them."""

import numpy as np
import pandas as pd
import pytest

import mtl_keras
from mtl_keras import datasets

ROWS = 24
NAMES = ("age", "city", "hour", "seconds")


def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.normal(size=ROWS),
            "city": ["Rome", "Oslo", None] * (ROWS // 3),
            "hour": np.arange(ROWS) % 3,
            "seconds": 1.7e9 + np.arange(ROWS),
            "y": np.arange(ROWS) % 2,
        }
    )


@pytest.fixture(scope="module")
def served():
    """Returns a serving model and the predictions of the model itself."""
    data = datasets.from_dataframe(
        table(), ["y"], categories=["hour"], validation=0, test=0
    )
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, trunk_width=4)
    model.compile("sgd")
    expected = model.predict(data.arrays()[0], verbose=0)["y"]
    return data.serving_model(model), expected


def columns(hole=None, shape=(-1,)):
    frame = table()
    made = {name: frame[name].to_numpy() for name in NAMES}
    city = made["city"].astype(object)
    city[2::3] = hole
    return {
        name: values.reshape(shape)
        for name, values in {**made, "city": city}.items()
    }


@pytest.mark.parametrize("hole", ["", None, np.nan, pd.NA])
@pytest.mark.parametrize("first", [(-1,), (-1, 1)])
def test_columns_of_either_shape_and_any_hole(served, hole, first):
    model, expected = served
    second = (-1, 1) if first == (-1,) else (-1,)
    for shape in (first, second, first):
        found = model.predict(columns(hole, shape), verbose=0)["y"]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        found = model.predict_on_batch(columns(hole, shape))["y"]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame,
        lambda frame: frame.drop(columns="y")[["seconds", *NAMES[:3]]],
        lambda frame: frame.astype({"city": "category"}),
        lambda frame: frame.astype({"hour": "Int64", "age": "Float64"}),
        lambda frame: frame.astype(object),
        lambda frame: {name: frame[name] for name in NAMES},
        lambda frame: {name: frame[name].tolist() for name in NAMES},
    ],
)
def test_tables_of_pandas(served, change):
    model, expected = served
    found = model.predict(change(table()), verbose=0)["y"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_missing_numbers_are_answered(served):
    model, expected = served
    frame = table()
    frame.loc[0, ["age", "seconds"]] = np.nan
    found = model.predict(frame, verbose=0)["y"]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[1:], expected[1:], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"city": 3.5}, TypeError, "'city' is of float64; expected texts"),
        ({"age": "old"}, TypeError, "'age' holds texts such as 'old'"),
        ({"hour": 1.5}, TypeError, "'hour' is of float64; expected integers"),
    ],
)
def test_columns_of_another_kind_are_named(served, change, error, message):
    model, _ = served
    with pytest.raises(error, match=message):
        model.predict(table().assign(**change), verbose=0)


def test_a_missing_column_is_named(served):
    model, _ = served
    with pytest.raises(ValueError, match="Column 'city' is missing"):
        model.predict(table().drop(columns="city"), verbose=0)


def test_other_models_take_frames_as_arrays():
    model = mtl_keras.build_mlp((2,), num_classes=2)
    x = np.random.default_rng(0).normal(size=(6, 2)).astype("float32")
    expected = model.predict(x, verbose=0)["left"]
    found = model.predict(pd.DataFrame(x), verbose=0)["left"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
def test_frames_are_evaluated():
    frame = table().drop(columns="seconds")
    data = datasets.from_dataframe(
        frame, ["y"], categories=["hour"], validation=0, test=0
    )
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, trunk_width=4)
    model.compile("sgd")
    raw = data.serving_model(model)
    x, y = data.arrays()
    expected = model.evaluate(x, y, return_dict=True, verbose=0)
    found = raw.evaluate(frame, y, return_dict=True, verbose=0)
    assert found == pytest.approx(expected, abs=1e-6)
