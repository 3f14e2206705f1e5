"""One rule for spellings: in files, encodings and served models."""

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras import datasets

ROWS = 80
WHOLE = {"validation": 0, "test": 0}
COLUMNS = {
    "ok": ["TRUE", "False", "true", "FALSE"],
    "member": ["Yes", "no", "YES", "NO"],
    "half": ["2.50", "1.50"],
    "size": ["1,50", "2,5", "3"],
    "job": ["cook", "nurse", "NA"],
    "y": ["p", "q", "p", "q"],
}
INPUTS = [name for name in COLUMNS if name != "y"]


def frame(rows=ROWS):
    return pd.DataFrame(
        {
            name: [cells[row % len(cells)] for row in range(rows)]
            for name, cells in COLUMNS.items()
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    frame().to_csv(path, index=False, sep=";")
    return datasets.from_csv(
        path,
        ["y"],
        delimiter=";",
        decimal=",",
        categories=["half", "size"],
        missing_values=["NA"],
        **WHOLE,
    )


@pytest.fixture(scope="module")
def served(data, tmp_path_factory):
    """The model with raw columns, loaded again, and as a signature."""
    folder = tmp_path_factory.mktemp("served")
    model = mtl_keras.build_mlp(data.input_shape, data.tasks, trunk_width=4)
    raw = data.serving_model(model)
    raw.save(folder / "raw.keras")
    raw.export(folder / "saved_model", verbose=False)
    loaded = keras.saving.load_model(folder / "raw.keras")
    signature = tf.saved_model.load(folder / "saved_model").signatures[
        "serving_default"
    ]
    return model, loaded, signature


def test_categories_have_one_spelling(data):
    assert data.input_names == (
        *("half: other", "half=1.50", "half=2.50"),
        *("job: other", "job: missing", "job=cook", "job=nurse"),
        *("member: other", "member=no", "member=yes"),
        *("ok: other", "ok=False", "ok=True"),
        *("size: other", "size=1.5", "size=2.5", "size=3"),
    )


def test_encode_reads_rows_as_the_file(data):
    x, _ = data.arrays()
    np.testing.assert_array_equal(data.encoding.encode(frame()), x)
    again = datasets.from_dataframe(frame(), like=data, **WHOLE)
    np.testing.assert_array_equal(again.arrays()[0], x)


def test_a_saved_encoding_reads_rows_as_the_file(data, tmp_path):
    data.encoding.save(tmp_path)
    loaded = datasets.TableEncoding.load(tmp_path)
    assert loaded.codes_as(data.encoding)
    np.testing.assert_array_equal(loaded.encode(frame()), data.arrays()[0])


def test_a_served_model_reads_rows_as_the_file(data, served):
    model, loaded, signature = served
    x, _ = data.arrays()
    expected = model.predict(x[:12], verbose=0)["y"]
    rows = frame(12)[INPUTS]
    np.testing.assert_allclose(
        loaded.predict(rows, verbose=0)["y"], expected, rtol=1e-6
    )
    cells = {name: tf.constant(rows[[name]].to_numpy(str)) for name in INPUTS}
    np.testing.assert_allclose(signature(**cells)["y"], expected, rtol=1e-6)


def test_known_words_in_other_spellings_and_blanks_are_served(data):
    row = frame(1)[INPUTS]
    expected = data.encoding.encode(row)
    for name, spellings in {
        "ok": ["True", "true", "TRUE", " TRUE "],
        "member": ["yes", "Yes", "YES"],
        "size": ["1.5", "1,50", "1,50 "],
        "half": ["2.50", " 2.50"],
    }.items():
        for spelling in spellings:
            found = data.encoding.encode(row.assign(**{name: spelling}))
            np.testing.assert_array_equal(found, expected, err_msg=spelling)


def test_a_new_spelling_is_unknown(data):
    columns = frame(1).assign(ok="tRuE", member="yEs", size="1.500")
    found = data.encoding.encode(columns)[0]
    named = dict(zip(data.input_names, found.tolist(), strict=True))
    for name in ("ok", "member", "size"):
        assert named[f"{name}: other"] == 1


def test_booleans_of_a_frame_are_served_as_texts():
    columns = pd.DataFrame({"ok": [True, False] * 20, "y": [0, 1] * 20})
    data = datasets.from_dataframe(columns, ["y"], **WHOLE)
    texts = {"ok": np.array(["TRUE", "false", "True", "FALSE"], object)}
    found = data.encoding.encode(texts)
    np.testing.assert_array_equal(found, data.arrays()[0][:4])


def test_spellings_of_the_encoding(data):
    found = data.encoding.spellings()
    assert found["job"]["NA"] == ""
    assert found["ok"]["TRUE"] == found["ok"]["True"] == "True"
    assert found["size"]["1,50"] == "1.5"
