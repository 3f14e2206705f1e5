"""Plots of losses and metrics, with a row per task."""

import keras
import pytest

from mtl_keras.evaluation import plot_history

HISTORY = {
    "loss": [3.0, 2.0],
    "mask_loss": [1.0, 0.5],
    "mask_iou": [0.1, 0.2],
    "mask_edge_loss": [2.0, 1.5],
    "mask_edge_iou": [0.3, 0.4],
    "val_loss": [3.5, 2.5],
    "val_mask_iou": [0.1, 0.15],
}
TITLES = [
    "total loss",
    "",
    "mask: loss",
    "mask: iou",
    "mask_edge: loss",
    "mask_edge: iou",
]


def titles(figure):
    """Returns the titles of the panels."""
    return [axes.get_title() for axes in figure.axes]


def test_a_row_per_task():
    figure = plot_history(HISTORY)
    assert titles(figure) == TITLES
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels == ["training", "validation"]
    assert list(figure.axes[0].lines[0].get_xdata()) == [1, 2]


def test_keras_history():
    history = keras.callbacks.History()
    history.history = HISTORY
    assert titles(plot_history(history)) == TITLES


def test_csv(tmp_path):
    path = tmp_path / "history.csv"
    rows = zip(*HISTORY.values(), strict=True)
    lines = [",".join(["epoch", *HISTORY])] + [
        ",".join(map(str, [epoch, *row])) for epoch, row in enumerate(rows, 1)
    ]
    path.write_text("\n".join(lines))
    assert titles(plot_history(path)) == TITLES


def test_wide_ranges_are_logarithmic():
    scales = [
        plot_history({"loss": losses}).axes[0].get_yscale()
        for losses in ([100.0, 1.0], [2.0, 1.0], [100.0, 0.0])
    ]
    assert scales == ["log", "linear", "linear"]


def test_errors(tmp_path):
    with pytest.raises(ValueError, match="no epoch"):
        plot_history({"loss": []})
    with pytest.raises(TypeError, match="history is a int"):
        plot_history(3)
    with pytest.raises(FileNotFoundError, match=r"history\.csv"):
        plot_history(tmp_path / "history.csv")
    damaged = tmp_path / "damaged.csv"
    damaged.write_text("epoch,loss\n1,much\n")
    with pytest.raises(ValueError, match="is not a history"):
        plot_history(damaged)
