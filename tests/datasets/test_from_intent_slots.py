"""Tests folders of seq.in, seq.out and label."""

import functools

import numpy as np
import pytest
from sentence_files import ROWS, write_sentences

from mtl_keras import BinaryClassification, Classification
from mtl_keras.datasets import from_intent_slots

ALL = {"validation": 0, "test": 0}


@pytest.fixture
def write(tmp_path):
    return functools.partial(write_sentences, tmp_path)


def names_of(task, row):
    return [task.class_names[number] for number in row if number >= 0]


def test_classes_are_those_of_the_training_part(write):
    data = from_intent_slots(write(), unknown_classes="missing")
    intent, slots = data.tasks
    assert intent.class_names == ("PlayMusic", "RateBook")
    assert slots.class_names == ("O", "B-genre", "B-rating_value")
    assert slots.primary_metric == "decoded_span_f1"
    parts = {"train": "train", "validation": "valid", "test": "test"}
    for part, folder in parts.items():
        x, y = data.arrays(part)
        assert y["slots"].shape == (len(ROWS[folder]), 5)
        assert [one.split() for one in x] == [
            row[0].split() for row in ROWS[folder]
        ]
    _, y = data.arrays("train")
    for row, tags, label in zip(
        ROWS["train"], y["slots"], y["intent"], strict=True
    ):
        assert names_of(slots, tags) == row[1].split()
        assert intent.class_names[label] == row[2]
    _, y = data.arrays("validation")
    assert y["intent"].tolist() == [-1]
    assert y["slots"].tolist() == [[0, 0, -1, -1, -1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"'GetWeather' in line 1 of '.*valid/label'.*unknown_classes"),
        (
            {"valid": [("a b", "O B-city", "RateBook")]},
            r"'B-city' in token 2 in line 1 of '.*valid/seq.out'",
        ),
        (
            {"train": [*ROWS["train"], ("a b", "O I-x", "GetWeather")]},
            r"token 2 in line 3 of '.*seq.out'.*'I-x' after 'O'.*'iob1'",
        ),
        (
            {"train": [("a b", "O", "y")]},
            r"Line 1 of '.*train/seq.out' has 1 tags.*2 tokens",
        ),
        (
            {"train": [("a", "O", "y"), (" ", "", "y"), ("a", "O", "y")]},
            r"Line 2 of '.*train/seq.in' is empty",
        ),
        ({"train": [("a", "O", "y")]}, "all labels of the training part are"),
        ({"test": []}, r"test/seq.in' holds no sentence"),
    ],
)
def test_invalid_lines(write, changes, message):
    with pytest.raises(ValueError, match=message):
        from_intent_slots(write(**changes))


def test_empty_lines_are_missing_labels(write):
    rows = [
        ("a b", "", "x"),
        ("c", "B-z", ""),
        ("d", "O", "y"),
        ("e f", "? O", "none"),
    ]
    path = write(train=rows) / "train"
    data = from_intent_slots(path, missing_values=["?", "none"], **ALL)
    _, y = data.arrays()
    assert y["intent"].tolist() == [0, -1, 1, -1]
    assert y["slots"].tolist() == [[-1, -1], [1, -1], [0, -1], [-1, 0]]
    # Empty lines at the end of all files are none.
    for name in ("seq.in", "seq.out", "label"):
        with open(path / name, "a", newline="") as file:
            file.write("\r\n\n")
    again = from_intent_slots(path, missing_values=["?", "none"], **ALL)
    np.testing.assert_array_equal(again.arrays()[1]["slots"], y["slots"])


def test_only_ascii_whitespace_splits_tokens(write):
    rows = [("\u2003 a\u00a0b", "O B-x", "p"), ("\u00a0", "O", "q")]
    path = write(train=rows) / "train"
    data = from_intent_slots(path, **ALL)
    assert data.arrays()[0].tolist() == ["\u2003 a\u00a0b", "\u00a0"]
    text = (path / "seq.in").read_bytes()
    (path / "seq.in").write_bytes(b"\xef\xbb\xbf" + text)
    again = from_intent_slots(path, **ALL)
    assert again.arrays()[0].tolist() == data.arrays()[0].tolist()


def test_a_folder_without_parts_is_split_at_random(write):
    rows = [(f"a{i}", "O" if i % 2 else "B-x", "xy"[i % 2]) for i in range(20)]
    data = from_intent_slots(write(train=rows) / "train", seed=1)
    counts = {part: len(data.indices[part]) for part in data.indices}
    assert counts == {"train": 14, "validation": 2, "test": 4}
    found = [one for part in data.indices for one in data.arrays(part)[0]]
    assert sorted(found) == sorted(row[0] for row in rows)


@pytest.mark.parametrize("name", ["dev", "val", "validation"])
def test_folders_of_other_names(write, name):
    path = write()
    (path / "valid").rename(path / name)
    data = from_intent_slots(path, unknown_classes="missing")
    assert list(data.indices) == ["train", "validation", "test"]
    (path / "valid").mkdir()
    with pytest.raises(ValueError, match=rf"\['valid', '{name}'\]"):
        from_intent_slots(path)
    by_part = {"train": path / "train", "validation": path / name}
    data = from_intent_slots(by_part, unknown_classes="missing")
    assert list(data.indices) == ["train", "validation"]


def test_tasks_name_their_files(write):
    path = write(train=[("a", "O", "x"), ("b", "B-c", "y")]) / "train"
    data = from_intent_slots(
        path, {"what": ["label"], "details": ["seq.out"]}, **ALL
    )
    assert data.arrays()[1]["what"].tolist() == [0, 1]
    assert data.arrays()[1]["details"].tolist() == [[0], [1]]
    (only,) = from_intent_slots(path, ["slots"], **ALL).tasks
    assert only.name == "slots"
    task = BinaryClassification("asks", class_names=["y", "x"])
    data = from_intent_slots(path, [task], **ALL)
    assert data.tasks == (task,) and data.arrays()[1]["asks"].tolist() == [1, 0]
    task = Classification("intent", 2, class_names=["x", "z"])
    with pytest.raises(ValueError, match=r"'y' in line 2 .*class_names"):
        from_intent_slots(path, [task], **ALL)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (["intents"], "'intents'.*mean 'intent'.*to choose one"),
        ({"a": ["label", "seq.out"]}, "'a'.*expected one of the files"),
        ({"intent": "SequenceTagging"}, "label of a sentence is one class"),
        ({"intent": "Regression"}, "label of a sentence is one class"),
        ({"slots": "Classification"}, "tag of a token is one class"),
    ],
)
def test_invalid_tasks(write, tasks, message):
    path = write(train=[("a", "O", "x"), ("b", "B-c", "y")]) / "train"
    with pytest.raises(ValueError, match=message):
        from_intent_slots(path, tasks, **ALL)


def test_missing_folders(write, tmp_path):
    with pytest.raises(FileNotFoundError, match="found nothing at"):
        from_intent_slots(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="the folder 'train', or the"):
        from_intent_slots(tmp_path)
    path = write()
    (path / "train" / "label").unlink()
    with pytest.raises(FileNotFoundError, match="'train/label'"):
        from_intent_slots(path)


@pytest.mark.parametrize("scheme", ["bilou", {"slots": "bilou"}])
def test_tags_of_other_schemes(write, scheme):
    rows = [("a b c", "B-x L-x U-x", "p"), ("d", "O", "q")]
    path = write(train=rows) / "train"
    with pytest.raises(ValueError, match="scheme='bilou' converts"):
        from_intent_slots(path, **ALL)
    data = from_intent_slots(path, scheme=scheme, **ALL)
    assert data.arrays()[1]["slots"].tolist() == [[1, 2, 1], [0, -1, -1]]
    np.testing.assert_array_equal(
        data.tasks[1].class_names, ["O", "B-x", "I-x"]
    )
