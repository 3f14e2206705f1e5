"""Tests tables that name images."""

import numpy as np
import pandas as pd
import pytest
from image_folder import save, whole

from mtl_keras import datasets


def write(root, names, table):
    for number, name in enumerate(names):
        save(root / "images" / name, np.full((4, 4, 3), number * 10))
    if isinstance(table, str):
        (root / "labels.csv").write_text(table, encoding="utf-8")
    else:
        table(root / "labels.csv")


def labels(root, **arguments):
    _, x, y = whole(root, {"y": "Regression"}, labels="labels.csv", **arguments)
    numbers = np.rint(x[:, 0, 0, 0] / 10).astype(int)
    return dict(zip(numbers.tolist(), y["y"].tolist(), strict=True))


COUNT = 6
NUMBERED = [f"{number}.png" for number in range(COUNT)]


@pytest.fixture
def frame():
    """Returns labels of ten times the image's number, in another order."""
    rows = np.array([3, 0, 5, 1, 4, 2])
    return pd.DataFrame({"image": rows, "y": rows * 10.0})


EXPECTED = {number: number * 10.0 for number in range(COUNT)}


@pytest.mark.parametrize("times", [0, 1, 2])
def test_the_index_of_pandas_is_ignored(tmp_path, frame, times):
    path = tmp_path / "labels.csv"
    frame.to_csv(path, index=times > 0)
    if times == 2:
        pd.read_csv(path).to_csv(path)
    write(tmp_path, NUMBERED, path.read_text())
    assert labels(tmp_path) == EXPECTED
    splits = datasets.from_folder(tmp_path, labels="labels.csv")
    assert [task.name for task in splits.tasks] == ["y"]


def test_an_index_that_holds_the_names_must_have_one(tmp_path, frame):
    indexed = frame.set_index("image").rename_axis(None)
    write(tmp_path, NUMBERED, lambda path: indexed.to_csv(path))
    with pytest.raises(ValueError, match="index_label='image'"):
        labels(tmp_path)
    indexed.to_csv(tmp_path / "labels.csv", index_label="image")
    assert labels(tmp_path) == EXPECTED


def test_a_named_index_beside_names_is_ambiguous(tmp_path, frame):
    write(
        tmp_path,
        NUMBERED,
        lambda path: frame.reset_index().to_csv(path, index=False),
    )
    with pytest.raises(ValueError, match=r"two .*image_column='image'"):
        labels(tmp_path)
    assert labels(tmp_path, image_column="image") == EXPECTED


def test_classes_that_are_numbers_do_not_name_images(tmp_path):
    write(tmp_path, NUMBERED, "image,y\n0,1\n1,0\n2,1\n3,3\n4,0\n5,1\n")
    assert labels(tmp_path) == {0: 1, 1: 0, 2: 1, 3: 3, 4: 0, 5: 1}


def test_names_in_another_column_are_found(tmp_path, frame):
    write(
        tmp_path,
        NUMBERED,
        lambda path: frame[["y", "image"]].to_csv(path, index=False),
    )
    with pytest.raises(ValueError, match="image_column='image'"):
        labels(tmp_path)
    assert labels(tmp_path, image_column="image") == EXPECTED
    with pytest.raises(ValueError, match=r"`image_column` .*'image'"):
        labels(tmp_path, image_column="imag")


def test_names_are_compared_as_strings(tmp_path):
    names = ["1.png", "01.png", "1.0.png", "1e0.png", "NA.png"]
    table = "image,y\n01,10\n1,0\n1.0,20\n1e0.png,30\nNA,40\n"
    write(tmp_path, names, table)
    expected = {number: number * 10.0 for number in range(5)}
    assert labels(tmp_path, missing_values=["NA"]) == expected


def test_numbers_that_a_program_shortened_are_an_error(tmp_path):
    write(tmp_path, ["001.png", "002.png"], "image,y\n1,3\n2,4\n")
    with pytest.raises(ValueError, match=r"'1' in line 2.*'001'"):
        labels(tmp_path)


def test_names_of_19_digits_stay_apart(tmp_path):
    ids = ["1234567890123456789", "1234567890123456790"]
    table = f"image,y\n{ids[1]},10\n{ids[0]},0\n"
    write(tmp_path, [f"{name}.png" for name in ids], table)
    assert labels(tmp_path) == {0: 0.0, 1: 10.0}


def test_accents_are_the_same_in_both_forms(tmp_path):
    table = "image,y\nre\u0301al,10\n\u56fe\u50cf,20\n"
    write(tmp_path, ["r\u00e9al.png", "\u56fe\u50cf.png"], table)
    assert labels(tmp_path) == {0: 10.0, 1: 20.0}


def test_a_table_with_only_an_index(tmp_path):
    write(tmp_path, ["0.png"], ",Unnamed: 0\n0,0\n")
    with pytest.raises(ValueError, match="only columns without a name"):
        labels(tmp_path)


def test_a_line_without_a_name(tmp_path):
    write(tmp_path, ["0.png"], "image,y\n0,1\n,2\n")
    with pytest.raises(ValueError, match=r"names '' in line 3"):
        labels(tmp_path)


@pytest.mark.parametrize("argument", ["group", "image_column"])
def test_columns_without_a_table(tmp_path, argument):
    save(tmp_path / "images" / "0.png", np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match=f"`{argument}` .*there is no table"):
        datasets.from_folder(tmp_path, **{argument: "a"})
