"""The encoding in front of a trained model: same predictions, raw columns."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

import mtl_keras
from mtl_keras.tables import (
    embedding_layer,
    encode_columns,
    fit_feature_space,
    with_raw_columns,
)

FACTORIES = {
    "build_mlp": {"hidden_units": (8,), "normalization": "batch"},
    "build_mmoe": {"num_experts": 3, "dropout": 0.1},
    "build_cross_stitch_mlp": {"hidden_units": (8,)},
    "build_soft_sharing_mlp": {"hidden_units": (8,)},
    "build_task_relation_mlp": {"hidden_units": (8,)},
}


def train(columns, targets, tasks, factory="build_mlp", space=None, **encoding):
    space = space or fit_feature_space(columns, **encoding)
    x = encode_columns(space, columns)
    layer = embedding_layer(space, 3) if encoding.get("embed") else None
    model = mtl_keras.models.get(factory)(
        x.shape[1:], tasks, preprocessing=layer, **FACTORIES[factory]
    )
    # As a training would leave it, without a trace: nothing is 0 or 1.
    rng = np.random.default_rng(1)
    for variable in model.weights:
        if "float" in variable.dtype:
            offset = rng.uniform(0.1, 0.4, variable.shape)
            variable.assign(variable + offset.astype("float32"))
    return model, space, {k: y.numpy() for k, y in model(x).items()}


def assert_close(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6)


@pytest.mark.parametrize("factory", mostly_slow(FACTORIES, ["build_mmoe"]))
def test_raw_columns_give_the_same_predictions(
    columns, targets, tasks, encoded, factory
):
    space = encoded("default")
    model, _, expected = train(columns, targets, tasks, factory, space)
    raw = with_raw_columns(model, space)
    assert_close(raw.predict(columns, verbose=0), expected)
    # The layers are those of the model: nothing is copied.
    assert {id(w) for w in model.weights} <= {id(w) for w in raw.weights}


@pytest.mark.parametrize(
    "encoding",
    [
        pytest.param(
            {"numbers": "piecewise_linear", "num_bins": 4},
            marks=pytest.mark.slow,
        ),
        pytest.param({"embed": ["job", "code"]}, marks=pytest.mark.slow),
        {"categories": ["code"], "crosses": [("job", "code")]},
    ],
)
def test_saved_exported_and_loaded(columns, targets, tasks, encoding, tmp_path):
    model, space, expected = train(columns, targets, tasks, **encoding)
    raw = with_raw_columns(model, space)
    raw.save(tmp_path / "raw.keras")
    again = mtl_keras.load_model(tmp_path / "raw.keras")
    again.run_eagerly = True  # a graph would take longer to trace
    assert_close(again.predict(columns, verbose=0), expected)
    raw.export(tmp_path / "saved_model", verbose=False)
    serve = tf.saved_model.load(tmp_path / "saved_model").signatures[
        "serving_default"
    ]
    assert_close(serve(**request(columns, serve)), expected)


def request(columns, serve):
    """Returns a request of the types that a signature names."""
    specs = serve.structured_input_signature[1]
    assert set(specs) == set(columns)
    return {
        name: tf.cast(columns[name][:, None], spec.dtype)
        if spec.dtype != tf.string
        else tf.constant(columns[name][:, None])
        for name, spec in specs.items()
    }


@pytest.mark.slow
def test_it_is_compiled_as_the_model_is(columns, targets, tasks, encoded):
    space = encoded("default")
    model, _, _ = train(columns, targets, tasks, space=space)
    model.run_eagerly = True  # a graph would take longer to trace
    model.loss_weights["old"] = 0.25
    x = encode_columns(space, columns)
    expected = model.evaluate(x, targets, verbose=0, return_dict=True)
    raw = with_raw_columns(model, space)
    raw.run_eagerly = True
    found = raw.evaluate(columns, targets, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, abs=1e-6)
    bare = mtl_keras.build_mlp(x.shape[1:], tasks, compile=False)
    assert not with_raw_columns(bare, space).compiled


@pytest.mark.slow
def test_it_trains_on_raw_columns_with_a_weighting(columns, targets, tasks):
    space = fit_feature_space(columns)
    x = encode_columns(space, columns)

    def model():
        keras.utils.set_random_seed(0)
        return mtl_keras.build_mlp(x.shape[1:], tasks, weighting="mgda")

    encoded, raw = model(), with_raw_columns(model(), space)
    a = encoded.fit(x, targets, shuffle=False, verbose=0).history
    b = raw.fit(columns, targets, shuffle=False, verbose=0).history
    for key, values in a.items():
        np.testing.assert_allclose(b[key], values, atol=1e-5, err_msg=key)


def test_unknown_categories_have_a_bucket(columns, targets, tasks, encoded):
    space = encoded("codes")
    model, _, _ = train(columns, targets, tasks, space=space)
    raw = with_raw_columns(model, space)
    row = {name: values[:2].copy() for name, values in columns.items()}
    row["job"][:] = ["never seen", "nor that"]
    row["code"][:] = [77, -5]
    for name in ("age", "gain"):
        row[name][:] = row[name][0]
    raw.run_eagerly = True  # a graph would take longer to trace
    found = raw.predict(row, verbose=0)
    for values in found.values():
        assert np.isfinite(values).all()
        assert values[0] == values[1]


@pytest.mark.slow
def test_a_missing_column_is_named_here_and_in_serving(
    columns, targets, tasks, tmp_path
):
    model, space, _ = train(columns, targets, tasks)
    raw = with_raw_columns(model, space)
    raw.export(tmp_path / "saved_model", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved_model")
    serve = loaded.signatures["serving_default"]
    whole = request(columns, serve)
    for name in columns:
        lacking = {k: v for k, v in columns.items() if k != name}
        with pytest.raises(ValueError, match=f"Column '{name}' is missing"):
            raw.predict(lacking, verbose=0)
        with pytest.raises(TypeError, match=name):
            serve(**{k: v for k, v in whole.items() if k != name})


@pytest.mark.slow
def test_the_saved_model_runs_without_keras(
    columns, targets, tasks, tmp_path, forked_programs
):
    model, space, expected = train(
        columns,
        targets,
        tasks,
        "build_mmoe",
        numbers="piecewise_linear",
        embed=["job"],
    )
    raw = with_raw_columns(model, space)
    raw.export(tmp_path / "saved_model", verbose=False)
    code = f"""
import json, sys
sys.modules["keras"] = sys.modules["mtl_keras"] = None  # cannot be imported
import tensorflow as tf
serve = tf.saved_model.load({str(tmp_path / "saved_model")!r}).signatures[
    "serving_default"
]
columns = json.load(sys.stdin)
outputs = serve(
    job=tf.constant(columns["job"])[:, None],
    **{{
        name: tf.constant(columns[name], tf.float32)[:, None]
        for name in ("age", "gain", "code")
    }},
)
print(json.dumps({{k: v.numpy().tolist() for k, v in outputs.items()}}))
"""
    text = json.dumps({k: v.tolist() for k, v in columns.items()})
    output = forked_programs.run(code, text=text)
    assert_close(json.loads(output.splitlines()[-1]), expected)


def test_a_width_that_does_not_fit_is_told(tasks, encoded):
    space = encoded("default")
    model = mtl_keras.build_mlp((9,), tasks)
    with pytest.raises(ValueError, match=r"vectors of 7 numbers.*\(9,\)"):
        with_raw_columns(model, space)


@pytest.mark.parametrize("swapped", [True, False])
def test_other_things_are_refused(tasks, encoded, swapped):
    space = encoded("default")
    model = mtl_keras.build_mlp((7,), tasks)
    arguments = (space, model) if swapped else (model, {})
    name = "model is a FeatureSpace" if swapped else "feature_space is a dict"
    with pytest.raises(TypeError, match=name):
        with_raw_columns(*arguments)
