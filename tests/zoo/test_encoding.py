"""Recipes with tables: encoded for training, raw in exported models."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from census_rows import line
from typer.testing import CliRunner

import mtl_keras
from mtl_keras.cli import app
from mtl_keras.datasets import census_income
from mtl_keras.tables import encode_columns
from mtl_keras.zoo.encoding import (
    encode_inputs,
    encode_parts,
    load_encoding,
    save_encoding,
)
from mtl_keras.zoo.read import check_recipe


@pytest.fixture
def path(tmp_path):
    """Creates a table with repeated categories."""
    path = tmp_path / "census.csv"
    rows = [line(number=n % 7) for n in range(60)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def values(path):
    return {
        "name": "small_table",
        "factory": {"name": "build_mlp", "arguments": {"hidden_units": [4]}},
        "data": {
            "name": "census_income",
            "arguments": {"path": str(path)},
            "feature_space": {"numbers": "piecewise_linear", "num_bins": 4},
        },
        "fit": {"epochs": 1, "batch_size": 16, "num_validation": 10},
    }


def serve(folder, columns):
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return signature(**{k: tf.constant(v)[:, None] for k, v in columns.items()})


@pytest.mark.slow
def test_a_run_serves_raw_columns(values, path, tmp_path):
    run = tmp_path / "run"
    recipe = check_recipe(values, "test")
    metrics = mtl_keras.zoo.train(recipe, run)
    assert set(metrics["test"]) == {"income_50k", "never_married"}
    _, (columns, _) = census_income.load_data(path)
    space = keras.saving.load_model(run / "feature_space.keras")
    model = mtl_keras.load_model(run / "model.keras")
    expected = model.predict(encode_columns(space, columns), verbose=0)
    found = serve(run / "saved_model", columns)
    for task, scores in expected.items():
        np.testing.assert_allclose(found[task], scores, atol=1e-6)
    # The command exports the same, and evaluates on the encoded test part.
    exported = str(tmp_path / "exported")
    done = CliRunner().invoke(app, ["export", str(run), "--output", exported])
    assert done.exit_code == 0, done.output
    again = serve(exported, columns)
    for task, scores in expected.items():
        np.testing.assert_allclose(again[task], scores, atol=1e-6)
    (x, _) = mtl_keras.zoo.load_data(recipe).test
    np.testing.assert_array_equal(x, encode_columns(space, columns))


def test_only_the_training_part_is_looked_at(values):
    recipe = check_recipe(values, "test")
    parts = {
        "train": {"job": np.array(["cook", "nurse"] * 3, object)},
        "test": {"job": np.array(["pilot", "pilot"], object)},
    }
    recipe = recipe.model_copy(
        update={"data": recipe.data.model_copy(update={"feature_space": {}})}
    )
    space, x = encode_parts(recipe, parts)
    assert space.preprocessors["job"].vocabulary_size() == 3
    np.testing.assert_array_equal(x["test"], [[1, 0, 0], [1, 0, 0]])


def test_other_files_are_encoded_as_the_training_part(values, path, tmp_path):
    recipe = check_recipe(values, "test")
    data = mtl_keras.zoo.load_data(recipe)
    save_encoding(data, tmp_path)
    space = load_encoding(tmp_path)
    rows = [line(number=n % 3 + 50) for n in range(60)]
    path.write_text("\n".join(rows) + "\n")
    (x, _) = mtl_keras.zoo.load_data(recipe, feature_space=space).test
    _, (columns, _) = census_income.load_data(path)
    expected = encode_columns(data.feature_space, columns)
    np.testing.assert_array_equal(x, expected)
    np.testing.assert_array_equal(encode_inputs(columns, tmp_path), expected)
    assert encode_inputs(x, tmp_path) is x
    (other, _) = mtl_keras.zoo.load_data(recipe).test
    assert other.shape != x.shape or not np.array_equal(other, x)


def test_columns_need_an_encoding(values):
    del values["data"]["feature_space"]
    with pytest.raises(ValueError, match=r"'census_income' has columns.*table"):
        mtl_keras.zoo.load_data(check_recipe(values, "test"))


def test_an_encoding_needs_columns(values):
    values["data"] |= {
        "name": "synthetic_regression",
        "arguments": {"num_train": 40},
    }
    with pytest.raises(ValueError, match="'synthetic_regression' are an array"):
        mtl_keras.zoo.load_data(check_recipe(values, "test"))


def test_arguments_of_the_encoding_are_checked(values):
    values["data"]["feature_space"] = {"min_cuont": 3}
    with pytest.raises(ValueError, match=r"'data.feature_space.*min_count"):
        check_recipe(values, "test")
