"""Other files read by the codes of a run, without its model."""

import numpy as np
import pytest
from PIL import Image

from mtl_keras import datasets
from mtl_keras.zoo.evaluation import first_samples
from mtl_keras.zoo.run_file import RunCodes, read_run_file


def read(reader, folder, arguments, other, **extra):
    """Reads the data of a run, and another file by its codes."""
    data = datasets.get(reader).read(**arguments)
    codes = RunCodes(
        folder, data.tasks, True, arguments, arguments.get("tasks")
    )
    part = read_run_file(reader, other, codes, extra)
    return data, first_samples(part, None)


@pytest.mark.parametrize(
    ("labels", "others", "expected"),
    [
        ([False, True] * 10, [True, True], [1, 1]),
        ([False, True] * 10, [1, 1], [1, 1]),
        (["no", "yes"] * 10, ["yes"], [1]),
        ([5, 7, 9, 5] * 5, [9, -1, 7], [2, -1, 1]),
        ([0.0, 1.0, 2.0, np.nan] * 5, [2.0, np.nan], [2, -1]),
        ([[0, 1], [1, 0]] * 10, [[1, 1], [0, -1]], [[1, 1], [0, -1]]),
        (np.linspace(0, 1, 20), [0, 1], [0, 1]),
        ([[[0, 1, 2]] * 3] * 20, [[[1, 1, 0]] * 3], [[[[1], [1], [0]]] * 3]),
        ([[[0, 255]] * 2] * 20, [[[0, 255]] * 2], [[[[0], [1]]] * 2]),
        ([[[0, 255]] * 2] * 20, [[[0, 1]] * 2], [[[[0], [1]]] * 2]),
    ],
)
def test_arrays(tmp_path, labels, others, expected):
    files = [tmp_path / "own.npz", tmp_path / "other.npz"]
    for file, y in zip(files, (labels, others), strict=True):
        np.savez(file, x=np.zeros((len(y), 4)), y=np.array(y))
    arguments = {"path": files[0], "tasks": ["y"]}
    _, (x, y) = read("from_npz", tmp_path, arguments, files[1])
    assert len(x) == len(others)
    np.testing.assert_array_equal(y["y"], expected)


def test_keys_of_arrays_that_the_recipe_names(tmp_path):
    own, other = tmp_path / "own.npz", tmp_path / "other.npz"
    np.savez(own, x=np.zeros((20, 2)), a=[3, 4] * 10, b=[1.5, 2.5] * 10)
    np.savez(other, x=np.zeros((2, 2)), a=[4, 4])
    tasks = {"first": ["a"], "second": {"kind": "Regression", "columns": ["b"]}}
    arguments = {"path": own, "tasks": tasks, "group": "a", "validation": 0}
    _, (_, y) = read("from_npz", tmp_path, arguments, other)
    assert list(y) == ["first"]
    np.testing.assert_array_equal(y["first"], [1, 1])


def write_folder(root, masks=(), labels="", suffix=""):
    for name in ("images", *masks):
        (root / name).mkdir(parents=True, exist_ok=True)
    for number in range(12):
        Image.new("RGB", (4, 4)).save(root / "images" / f"{number}.png")
        for name in masks:
            pixels = np.zeros((4, 4), "uint8")
            pixels[0, 0] = number % 3
            Image.fromarray(pixels).save(root / name / f"{number}{suffix}.png")
    if labels:
        (root / "labels.csv").write_text(labels)
    return root


TABLE = "image,w %,tags\n" + "".join(
    f"{n},{('lo', 'hi')[n % 2]},{('p', 'p;q')[n % 2]}\n" for n in range(12)
)


def test_a_folder_with_some_of_the_labels(tmp_path):
    own = write_folder(tmp_path / "own", ["tissue", "cells"], TABLE)
    other = write_folder(tmp_path / "other", ["cells"])
    (other / "labels.csv").write_text("image,w %\n0,lo\n3,lo\n")
    arguments = {
        "path": own,
        "masks": {"tissue": "tissue", "cells": "cells"},
        "missing_pixel": {"tissue": 9},
        "labels": "labels.csv",
    }
    data, (_, y) = read("from_folder", tmp_path, arguments, other)
    names = [task.name for task in data.tasks]
    (width,) = set(names) - {"tissue", "cells", "tags"}
    assert list(y) == ["cells", width]
    assert y["cells"].max() == 2
    assert sorted(y[width].tolist()) == [-1] * 10 + [1] * 2


def test_several_labels_in_a_cell_and_masks_beside_images(tmp_path):
    own = write_folder(tmp_path / "own", ["images"], TABLE, "_mask")
    arguments = {
        "path": own,
        "mask_suffix": {"cells": "_mask"},
        "labels": "labels.csv",
        "tasks": {
            "labels": {
                "kind": "MultiLabelClassification",
                "columns": ["tags"],
                "separator": ";",
            }
        },
    }
    other = write_folder(tmp_path / "other", ["images"], suffix="_mask")
    (other / "labels.csv").write_text("image,tags\n0,q\n")
    _, (_, y) = read("from_folder", tmp_path, arguments, other)
    assert sorted(y) == ["cells", "labels"]
    assert y["labels"][0].tolist() == [0, 1]
    bare = write_folder(tmp_path / "bare")
    _, (x, y) = read("from_folder", tmp_path, arguments, bare)
    assert len(x) == 12 and y == {}


def write_requests(folder, files):
    folder.mkdir(parents=True)
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


OWN = {
    "seq.in": ["to Rome", "play it"] * 10,
    "seq.out": ["O B-city", "O O"] * 10,
    "label": ["fly", "play"] * 10,
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"label": ["play"], "seq.out": ["O O"]}, {"intent": [1]}),
        ({"label": ["play"]}, {"intent": [1]}),
        ({"seq.out": ["O B-city"]}, {}),
        ({}, {}),
    ],
)
def test_requests_with_some_of_the_labels(tmp_path, files, expected):
    own = write_requests(tmp_path / "own", OWN)
    other = write_requests(tmp_path / "other", {"seq.in": ["to Li"], **files})
    arguments = {"path": own, "scheme": {"slots": "iob2"}}
    data, (x, y) = read("from_intent_slots", tmp_path, arguments, other)
    assert x.tolist() == ["to Li"]
    assert ("slots" in y) == ("seq.out" in files)
    if "slots" in y:
        (slots,) = (task for task in data.tasks if task.name == "slots")
        tags = [slots.class_names[code] for code in y.pop("slots")[0]]
        assert tags == files["seq.out"][0].split()
    assert {name: values.tolist() for name, values in y.items()} == expected


def test_all_parts_of_a_folder_are_read(tmp_path):
    own = write_requests(tmp_path / "own", OWN)
    for part in ("train", "test"):
        write_requests(tmp_path / "other" / part, OWN)
    arguments = {"path": own}
    _, (x, y) = read(
        "from_intent_slots", tmp_path, arguments, tmp_path / "other"
    )
    assert len(x) == len(y["intent"]) == 40


def test_a_function_that_reads_no_file(tmp_path):
    codes = RunCodes(tmp_path, [], True)
    with pytest.raises(ValueError, match="from_tfds reads no file"):
        read_run_file("from_tfds", tmp_path, codes, {})


def test_tables_without_a_header(tmp_path):
    own, other = tmp_path / "own.csv", tmp_path / "other.csv"
    own.write_text("".join(f"{n % 7},{'pqr'[n % 3]}\n" for n in range(30)))
    other.write_text("3,r\n100,q\n")
    arguments = {"path": own, "tasks": ["y"], "names": ["x", "y"]}
    data = datasets.from_csv(**arguments)
    data.encoding.save(tmp_path)
    _, (x, y) = read("from_csv", tmp_path, arguments, other)
    assert y["y"].tolist() == [2, 1]
    np.testing.assert_array_equal(x, data.encoding.encode({"x": [3.0, 100.0]}))
    other.write_text("3;r\n100;q\n")
    _, (again, _) = read("from_csv", tmp_path, arguments, other, delimiter=";")
    np.testing.assert_array_equal(again, x)
