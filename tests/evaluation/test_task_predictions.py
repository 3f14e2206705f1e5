"""Predictions of models, decoded to labels."""

import csv

import numpy as np
import pytest

import mtl_keras
from mtl_keras.evaluation import read_predictions, write_predictions
from mtl_keras.evaluation.plot_tables import plot_tables


class FixedModel:
    """Predicts a fixed output."""

    def __init__(self, task, output):
        self.tasks = (task,)
        self.output = {task.name: np.asarray(output, "float32")}

    def predict(self, x, **kwargs):
        """Returns the output."""
        return self.output


def read(task, output, target=None):
    """Decodes one output."""
    y = None if target is None else {task.name: np.asarray(target)}
    return read_predictions(FixedModel(task, output), None, y)[0]


@pytest.mark.parametrize("target", [[1, 0], [[1], [0]], [[0, 1], [1, 0]]])
def test_classes(target):
    task = mtl_keras.Classification("c", 2)
    prediction = read(task, [[0.2, 0.8], [0.4, 0.6]], target)
    assert prediction.predicted.tolist() == [1, 1]
    assert prediction.true.tolist() == [1, 0]
    np.testing.assert_allclose(prediction.confidence, [0.8, 0.6])


def test_class_logits():
    task = mtl_keras.Classification("c", 2, activation=None)
    prediction = read(task, np.log([[1, 3]]))
    assert prediction.predicted.tolist() == [1]
    np.testing.assert_allclose(prediction.confidence, [0.75], rtol=1e-6)


@pytest.mark.parametrize(
    ("activation", "output"),
    [("sigmoid", [[0.75], [0.25]]), (None, np.log([[3], [1 / 3]]))],
)
def test_binary(activation, output):
    task = mtl_keras.BinaryClassification("b", activation=activation)
    prediction = read(task, output, [1, 1])
    assert prediction.predicted.tolist() == [1, 0]
    np.testing.assert_allclose(prediction.confidence, [0.75, 0.75], rtol=1e-6)


def test_masks():
    task = mtl_keras.Segmentation("m", 1, activation=None)
    prediction = read(task, [[[[-1.0], [2.0]]]], [[[0, 1]]])
    assert prediction.predicted.tolist() == [[[0, 1]]]
    assert prediction.true.tolist() == [[[0, 1]]]


class OddPanel(mtl_keras.Regression):
    """A kind with a panel that does not exist."""

    panel = "pie"


def test_an_unknown_panel_is_an_error():
    prediction = read(OddPanel("r"), [[1.0], [2.0]], [1.0, 2.0])
    with pytest.raises(ValueError, match="panel='pie'; expected one of"):
        plot_tables([prediction])


def test_csv(tmp_path):
    number = read(mtl_keras.Regression("r"), [[1.5], [2.5]], [1.0, 2.0])
    digit = read(mtl_keras.Classification("c", 2), [[0.2, 0.8], [0.5, 0.5]])
    mask = read(mtl_keras.Segmentation("m", 1), np.zeros((2, 4, 4, 1)))
    write_predictions([number, digit, mask], tmp_path / "p.csv")
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["sample", "r_predicted", "r_true", "c_predicted", "c_confidence"],
        ["0", "1.5", "1", "1", "0.8"],
        ["1", "2.5", "2", "0", "0.5"],
    ]
