"""Plots of predictions of all kinds of tasks."""

import sys

import numpy as np
import pytest

import mtl_keras
from mtl_keras.evaluation import plot_predictions


def texts(figure):
    """Returns all texts of a figure."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.fixture(scope="module")
def segmenter():
    """Returns a model with every kind of task on images."""
    model = mtl_keras.build_cnn_cls_seg(
        (8, 8, 1),
        filters=(2, 4),
        tasks=[
            mtl_keras.Segmentation("ink", 1, activation=None),
            mtl_keras.Segmentation("parts", 3),
            mtl_keras.Classification("digit", 4, activation=None),
            mtl_keras.BinaryClassification("even"),
            mtl_keras.MultiLabelClassification("flags", 3),
            mtl_keras.Regression("size", 2),
        ],
    )
    model.run_eagerly = True  # a graph would take longer to trace
    return model


@pytest.fixture(scope="module")
def targets():
    """Returns targets: integers, one-hot, and a missing label."""
    rng = np.random.default_rng(0)
    return {
        "ink": rng.integers(0, 2, (5, 8, 8)),
        "parts": np.eye(3)[rng.integers(0, 3, (5, 8, 8))],
        "digit": np.eye(4)[[0, 1, 2, 3, 0]],
        "even": np.array([0, 1, -1, 1, 0]),
        "flags": rng.integers(0, 2, (5, 3)),
        "size": rng.normal(size=(5, 2)),
    }


@pytest.mark.parametrize(
    "scale", [1, pytest.param(255, marks=pytest.mark.slow)]
)
def test_all_kinds_on_images(segmenter, targets, rng, scale):
    x = scale * rng.random((5, 8, 8, 1), "float32")
    figure = plot_predictions(segmenter, x, targets, num_samples=3)
    # The image, and a true and a predicted mask for two tasks.
    assert len(figure.axes) == 3 * 5
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (8, 8)
    assert shown.min() >= 0 and shown.max() <= 1
    assert any(text.startswith("true ") for text in texts(figure))


def test_without_targets(segmenter, rng):
    figure = plot_predictions(segmenter, rng.random((2, 8, 8, 1)))
    assert len(figure.axes) == 2 * 3
    assert not any(text.startswith("true") for text in texts(figure))


@pytest.mark.slow
def test_dense_regressions_are_drawn_as_images(rng):
    tasks = [
        mtl_keras.DenseRegression("depth"),
        mtl_keras.DenseRegression("normal", 2),
        mtl_keras.Classification("digit", 3),
    ]
    model = mtl_keras.build_cnn_multi_task(
        (8, 8, 3), tasks, filters=(2, 4), decoder_filters=2
    )
    model.run_eagerly = True
    x = rng.random((3, 8, 8, 3), "float32")
    y = {
        "depth": rng.uniform(1, 2, size=(3, 8, 8)).astype("float32"),
        "normal": np.full((3, 8, 8, 2), np.nan, "float32"),
        "digit": rng.integers(3, size=3),
    }
    y["depth"][0, :4] = np.nan
    figure = plot_predictions(model, x, y)
    # The image; true and predicted of one depth and of two normals.
    assert len(figure.axes) == 3 * 7
    true, predicted = figure.axes[3], figure.axes[6]
    assert true.images[0].get_array().mask[:4].all()
    assert not true.images[0].get_array().mask[4:].any()
    assert true.images[0].get_clim() == predicted.images[0].get_clim()
    depth = model.predict(x, verbose=0)["depth"][0, 4:, :, 0]
    rmse = np.sqrt(np.square(depth - y["depth"][0, 4:]).mean())
    assert predicted.get_xlabel() == f"RMSE {rmse:.2g}"
    assert figure.axes[12].get_xlabel() == "no label"
    alone = plot_predictions(model, x)
    assert len(alone.axes) == 3 * 4


def test_correct_is_green_and_wrong_is_red(rng):
    model = mtl_keras.build_cnn(
        (8, 8, 3),
        tasks=mtl_keras.Classification("digit", 3),
        filters=(2,),
        hidden_units=(2,),
    )
    model.run_eagerly = True
    x = rng.random((2, 8, 8, 3), "float32")
    right = model.predict(x, verbose=0)["digit"].argmax(axis=-1)
    y = {"digit": np.array([right[0], (right[1] + 1) % 3])}
    figure = plot_predictions(model, x, y)
    colours = [axes.texts[-1].get_color() for axes in figure.axes]
    assert colours == ["#1a7f37", "#c62828"]


def test_vectors(rng):
    model = mtl_keras.build_mlp(
        (6,),
        [
            mtl_keras.Classification("digit", 3),
            mtl_keras.BinaryClassification("even", activation=None),
            mtl_keras.MultiLabelClassification("flags", 2),
            mtl_keras.Regression("size"),
            mtl_keras.Regression("place", 2),
        ],
        hidden_units=(4,),
    )
    x = rng.normal(size=(20, 6))
    y = {
        "digit": rng.integers(0, 3, 20),
        "even": rng.integers(0, 2, (20, 1)),
        "flags": rng.integers(0, 2, (20, 2)),
        "size": rng.normal(size=20),
        "place": rng.normal(size=(20, 2)),
    }
    figure = plot_predictions(model, x, y)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(y)
    confusion = [int(text.get_text()) for text in panels[0].texts]
    assert len(confusion) == 9 and sum(confusion) == 20
    assert plot_predictions(model, x).axes  # distributions


def test_a_notebook_shows_the_figure_once(segmenter, rng):
    figure = plot_predictions(segmenter, rng.random((1, 8, 8, 1)))
    assert figure._repr_png_().startswith(b"\x89PNG")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    assert not pyplot.get_fignums()  # so pyplot shows it no second time


def test_errors_name_the_argument(segmenter, rng):
    x = rng.random((1, 8, 8, 1))
    with pytest.raises(ValueError, match="num_samples=0"):
        plot_predictions(segmenter, x, num_samples=0)
    with pytest.raises(ValueError, match="Did you mean 'digit'"):
        plot_predictions(segmenter, x, {"digits": np.zeros(1)})
    with pytest.raises(ValueError, match="no sample"):
        plot_predictions(segmenter, x[:0])
    with pytest.raises(TypeError, match="without tasks"):
        plot_predictions(object(), x)


def test_display_and_pyplot_are_not_needed(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    # A module of None makes its import fail.
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert mtl_keras.evaluation.plot_history({"loss": [2.0, 1.0]})._repr_png_()
