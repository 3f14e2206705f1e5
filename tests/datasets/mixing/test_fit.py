"""Tests training on mixed streams."""

import keras
import numpy as np
import pytest
from numbered_sets import as_stream

import mtl_keras
from mtl_keras.datasets import concatenate, mix

TASKS = [
    mtl_keras.Classification("kind", 3),
    mtl_keras.Regression("load"),
]


@pytest.fixture(scope="module")
def sets():
    """Returns two data sets of vectors, labelled for one task each."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 4)).astype("float32")
    return {
        "kinds": (x, {"kind": rng.integers(3, size=20).astype("uint8")}),
        "loads": (x[:12] + 1, {"load": x[:12, 0]}),
    }


def build(**arguments):
    """Returns a small model with both tasks."""
    keras.utils.set_random_seed(1)
    return mtl_keras.build_mlp(
        (4,), tasks=TASKS, hidden_units=(8,), optimizer="sgd", **arguments
    )


@pytest.fixture
def model():
    """Returns a model for a few steps: a graph would take longer to trace."""
    model = build()
    model.run_eagerly = True
    return model


@pytest.mark.parametrize(
    ("schedule", "wrap"),
    [
        ("joint", as_stream),
        pytest.param("alternate", tuple, marks=pytest.mark.slow),
        pytest.param("proportional", tuple, marks=pytest.mark.slow),
    ],
)
def test_fit_learns_both_tasks(sets, schedule, wrap, capsys):
    wrapped = {name: wrap(dataset) for name, dataset in sets.items()}
    stream = mix(wrapped, schedule, batch_size=8)
    # Evaluation has tests of its own, and another graph.
    slowly = {"validation_data": concatenate(sets)} if wrap is tuple else {}
    history = build().fit(stream, epochs=2, **slowly).history
    for task in ("kind", "load"):
        assert history[f"{task}_loss"][-1] < history[f"{task}_loss"][0]
        assert np.isfinite(history.get(f"val_{task}_loss", 0)).all()
    # The progress bar knows the end of the first epoch from the beginning.
    first, _, _ = capsys.readouterr().out.partition("Epoch 2/")
    assert f"1/{len(stream)}" in first


@pytest.mark.slow
def test_metrics_are_those_of_each_set(sets, model):
    together = model.evaluate(*concatenate(sets), return_dict=True, verbose=0)
    for name, task in (("kinds", "kind"), ("loads", "load")):
        x, y = sets[name]
        alone = model.evaluate(
            x, {"kind": None, "load": None} | y, return_dict=True, verbose=0
        )
        for metric, value in alone.items():
            if metric.startswith(f"{task}_"):
                assert together[metric] == pytest.approx(value, rel=1e-5)


@pytest.mark.slow
def test_a_pass_over_a_proportional_stream_evaluates_every_sample(sets, model):
    arrays = model.evaluate(*concatenate(sets), return_dict=True, verbose=0)
    stream = mix(sets, "proportional", batch_size=16, shuffle=False)
    streamed = model.evaluate(stream, return_dict=True, verbose=0)
    for metric in ("kind_accuracy", "load_rmse"):
        assert streamed[metric] == pytest.approx(arrays[metric], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["joint", "alternate"])
def test_two_replicas_train_like_one(sets, schedule, two_replicas):
    def weights(model):
        stream = mix(
            sets, schedule, batch_size=8, steps_per_epoch=4, epochs=range(2)
        )
        model.fit(stream, verbose=0)
        return model.get_weights()

    alone = weights(build())
    with two_replicas.scope():
        model = build()
    for here, there in zip(weights(model), alone, strict=True):
        np.testing.assert_allclose(here, there, rtol=1e-4, atol=1e-6)
