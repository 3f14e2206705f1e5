"""Changes of the files of a data set."""

import os

import pytest
from image_folder import written

from mtl_keras.zoo.data_files import describe_files, list_changes


def count_changes(name, arguments, change):
    before = describe_files(name, arguments)
    assert list_changes(before, describe_files(name, arguments)) == []
    change()
    return len(list_changes(before, describe_files(name, arguments)))


def test_another_content_of_the_same_size(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,a\n")

    def change():
        times = path.stat()
        path.write_text("x,y\n1,b\n")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert count_changes("from_csv", {"path": str(path)}, change) == 1


def test_files_of_parts(tmp_path):
    files = {part: tmp_path / f"{part}.csv" for part in ("train", "test")}
    for path in files.values():
        path.write_text("x\n1\n")
    for arguments in ({"path": files}, {**files, "validation": 0.1}):
        assert set(describe_files("from_csv", arguments)) == {
            str(path) for path in files.values()
        }
    assert count_changes("from_csv", {"path": files}, files["test"].unlink) == 1


def test_data_sets_without_files():
    assert describe_files("mnist", {}) == {}
    assert describe_files("mnist", {"path": "does/not/exist"}) == {}
    assert describe_files("synthetic_regression", {"num_train": 9}) == {}


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("labels.csv", 1),
        ("images/new.png", 1),
        ("masks/tissue/new.png", 1),
        ("images/notes.txt", 0),
        ("run/model.keras", 0),
        ("masks/other/new.png", 0),
    ],
)
def test_only_files_of_the_folder_that_are_read(tmp_path, file, changes):
    root = written(tmp_path / "folder")
    arguments = {
        "path": str(root),
        "masks": {"tissue": "masks/tissue"},
        "labels": "labels.csv",
    }

    def change():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed")

    assert count_changes("from_folder", arguments, change) == changes


def test_data_sets_of_tensorflow(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    from toy_tfds import make_builder

    found = []
    for count in (9, 12):
        builder = make_builder(tmp_path / str(count), {"train": (0, count)})
        arguments = {"name": builder, "tasks": ["kind"]}
        found.append(describe_files("from_tfds", arguments))
    assert list_changes(found[0], found[0]) == []
    (text,) = list_changes(*found)
    assert "'train': 9" in text and "'train': 12" in text


def test_lines_of_sentences(tmp_path):
    for name in ("seq.in", "seq.out", "label"):
        (tmp_path / name).write_text("a\n")
    arguments = {"path": str(tmp_path)}
    label = tmp_path / "label"
    name = "from_intent_slots"
    assert count_changes(name, arguments, lambda: label.write_text("b\n")) == 1
    notes = tmp_path / "notes"
    assert count_changes(name, arguments, lambda: notes.write_text("b\n")) == 0
