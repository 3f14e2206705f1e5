"""Predictions in a csv file, in the words of the tasks."""

import csv

import numpy as np

import mtl_keras
from mtl_keras.evaluation import TaskPrediction, write_predictions


def written(tmp_path, *predictions):
    """Returns the columns of the file, by name."""
    path = tmp_path / "predictions.csv"
    write_predictions(predictions, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_classes_are_written_by_their_names(tmp_path):
    task = mtl_keras.Classification("stage", 3, class_names=["I", "II", "III"])
    found = written(
        tmp_path,
        TaskPrediction(
            task,
            np.array([2, 0]),
            np.array([0.75, 0.5], "float32"),
            np.array([1, -1]),
        ),
    )
    assert found == {
        "sample": ["0", "1"],
        "stage_predicted": ["III", "I"],
        "stage_confidence": ["0.75", "0.5"],
        "stage_true": ["II", ""],
    }


def test_two_classes_and_tags_have_names_too(tmp_path):
    clicked = mtl_keras.BinaryClassification("c", class_names=["no", "yes"])
    tags = mtl_keras.SequenceTagging("t", 2, class_names=["O", "B-x"])
    found = written(
        tmp_path,
        TaskPrediction(clicked, np.array([1, 0]), None, None),
        TaskPrediction(tags, np.array([[0, 1], [1, 0]]), None, None),
    )
    assert found["c_predicted"] == ["yes", "no"]
    assert found["t_predicted_1"] == ["B-x", "O"]


def test_several_labels_have_a_column_each(tmp_path):
    task = mtl_keras.MultiLabelClassification("s", 2, class_names=["a", "b"])
    predicted = np.array([[1, 0], [0, 1]])
    true = np.array([[1, -1], [0, 0]])
    found = written(tmp_path, TaskPrediction(task, predicted, None, true))
    assert found["s_predicted_a"] == ["1", "0"]
    assert found["s_true_b"] == ["", "0"]


def test_a_missing_number_is_an_empty_cell_and_titles_are_headers(tmp_path):
    task = mtl_keras.Regression("w___", title="w %")
    values = np.array([[1.5], [2.0]], "float32")
    true = np.array([[np.nan], [2.0]])
    found = written(tmp_path, TaskPrediction(task, values, None, true))
    assert found["w %_predicted"] == ["1.5", "2"]
    assert found["w %_true"] == ["", "2"]
