"""Categories and classes that are numbers."""

import numpy as np
import pandas as pd
import pytest

from mtl_keras import datasets

WHOLE = {"validation": 0, "test": 0}


@pytest.fixture
def csv(tmp_path):
    """Writes cells, repeated to 30 rows, beside labels; returns the path."""

    def csv(cells, name="t.csv"):
        rows = [f"{cells[i % len(cells)]},{i % 2}" for i in range(30)]
        (tmp_path / name).write_text("\n".join(["size,y", *rows]))
        return tmp_path / name

    return csv


def frame(cells):
    sizes = [cells[i % len(cells)] for i in range(30)]
    return pd.DataFrame({"size": sizes, "y": [0, 1] * 15})


def encoded(data):
    return data.arrays()[0]


@pytest.mark.parametrize(
    ("texts", "numbers", "names"),
    [
        (["2.50", "3.0", "10"], [2.5, 3.0, 10.0], ["10", "2.5", "3"]),
        (["0.10", "1e-1", "2.5"], [0.1, 0.1, 2.5], None),
        (["1.0", "2.00"], [1.0, 2.0], ["1", "2"]),
    ],
)
def test_a_file_and_a_frame_have_the_same_categories(
    csv, texts, numbers, names
):
    say = {"tasks": ["y"], **WHOLE}
    first = datasets.from_csv(csv(texts), categories=["size"], **say)
    other = datasets.from_dataframe(frame(numbers), categories=["size"], **say)
    if names is not None:
        expected = tuple(["size: other", *(f"size={name}" for name in names)])
        assert first.input_names == other.input_names == expected
        np.testing.assert_array_equal(encoded(first), encoded(other))
    if names is None:  # two spellings of a number in one column are names
        assert "size=1e-1" in first.input_names
        with pytest.raises(ValueError, match=r"'0\.10' or '1e-1'"):
            datasets.from_dataframe(frame(numbers), like=first, **say)
        return
    for dtype in ("float64", "float32"):
        again = datasets.from_dataframe(
            frame(numbers).astype({"size": dtype}), like=first, **say
        )
        np.testing.assert_array_equal(encoded(again), encoded(first))
    again = datasets.from_csv(csv(texts, "again.csv"), like=other, **say)
    np.testing.assert_array_equal(encoded(again), encoded(first))


def test_a_text_beside_numbers_changes_no_code(csv):
    first = datasets.from_csv(
        csv(["2.50", "3.5"]), ["y"], categories=["size"], **WHOLE
    )
    path = csv(["2.50", "3.5", "big"], "other.csv")
    other = datasets.from_csv(path, ["y"], like=first, **WHOLE)
    np.testing.assert_array_equal(
        encoded(other)[:3], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    )


def test_a_comma_as_decimal_mark(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{('2,50', '3,5')[i % 2]};{i % 2}" for i in range(30)]
    path.write_text("\n".join(["size;y", *rows]))
    data = datasets.from_csv(
        path, ["y"], categories=["size"], delimiter=";", decimal=",", **WHOLE
    )
    assert data.input_names == ("size: other", "size=2.5", "size=3.5")


def test_codes_that_a_frame_has_lost_are_an_error(csv):
    first = datasets.from_csv(
        csv(["01", "02"]), ["y"], categories=["size"], **WHOLE
    )
    with pytest.raises(ValueError, match=r"'1' in row 0.* category '01'"):
        datasets.from_dataframe(frame([1, 2]), ["y"], like=first, **WHOLE)
    path = csv(["1", "02"], "other.csv")
    other = datasets.from_csv(path, ["y"], like=first, **WHOLE)
    np.testing.assert_array_equal(encoded(other)[:2], [[1, 0, 0], [0, 0, 1]])


def test_long_ids_stay_apart(csv):
    ids = [1234567890123456789, 1234567890123456790]
    data = datasets.from_csv(csv(ids), ["y"], categories=["size"], **WHOLE)
    assert len(np.unique(encoded(data)[:2], axis=0)) == 2
    again = datasets.from_dataframe(frame(ids), ["y"], like=data, **WHOLE)
    np.testing.assert_array_equal(encoded(again), encoded(data))


def test_a_number_among_categories_of_integers_is_named():
    first = datasets.from_dataframe(
        frame([1, 2]), ["y"], categories=["size"], **WHOLE
    )
    with pytest.raises(ValueError, match=r"must be integers.*'2.5' in row 1"):
        datasets.from_dataframe(frame([1, 2.5]), ["y"], like=first, **WHOLE)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([3, 1, 2], ["1", "2", "3"]),
        ([3, None, 2], ["2", "3"]),
        ([1.5, 2, None], ["1.5", "2"]),
        (["1", "2", "10"], ["1", "2", "10"]),
        (["1,5", "2,5"], ["1,5", "2,5"]),
    ],
)
def test_a_column_of_the_dtype_category_is_a_category(cells, names):
    table = frame(cells).assign(size=lambda f: f["size"].astype("category"))
    data = datasets.from_dataframe(table, ["y"], **WHOLE)
    found = [n for n in data.input_names if "=" in n]
    assert found == [f"size={name}" for name in names]
    x = pd.DataFrame(encoded(data), columns=data.input_names)
    for name in names:
        number = name.replace(",", "x")  # as text where it has a comma
        expected = [str(c).replace(",", "x") == number for c in cells]
        np.testing.assert_array_equal(
            x[f"size={name}"][: len(cells)].astype(bool), expected
        )


def test_labels_of_the_dtype_category_are_classes():
    numbers = np.arange(60) % 30
    table = pd.DataFrame({"a": range(60), "y": pd.Categorical(numbers)})
    task = datasets.from_dataframe(table, ["y"], **WHOLE).tasks[0]
    assert task.num_classes == 30
    table["y"] = pd.Categorical(np.arange(60) % 3 / 2)
    data = datasets.from_dataframe(table, ["y"], **WHOLE)
    assert data.tasks[0].class_names == ("0", "0.5", "1")
    np.testing.assert_array_equal(data.arrays()[1]["y"], np.arange(60) % 3)


def test_classes_are_the_same_number_or_an_error(tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{i},{('2.50', '3.0', 'x')[i % 3]}" for i in range(30)]
    path.write_text("\n".join(["a,y", *rows]))
    first = datasets.from_csv(path, {"y": "Classification"}, **WHOLE)
    assert first.tasks[0].class_names == ("2.50", "3.0", "x")
    table = pd.DataFrame({"a": range(4), "y": [3.0, 2.5, 2.5, np.nan]})
    data = datasets.from_dataframe(table, like=first, **WHOLE)
    np.testing.assert_array_equal(data.arrays()[1]["y"], [1, 0, 0, -1])
    spec = {"y": {"kind": "Classification", "class_names": ["1.1", "1.10"]}}
    table = pd.DataFrame({"a": range(4), "y": ["1.10", "1.1"] * 2})
    data = datasets.from_dataframe(table, spec, **WHOLE)
    np.testing.assert_array_equal(data.arrays()[1]["y"], [1, 0, 1, 0])
    with pytest.raises(ValueError, match=r"either of the classes '1\.1' and"):
        datasets.from_dataframe(table.assign(y=1.1), spec, **WHOLE)
