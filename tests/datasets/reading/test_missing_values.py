"""Words for missing values beside numbers, classes and categories."""

import pandas as pd
import pytest

from mtl_keras import datasets
from mtl_keras.columns.missing_words import MISSING_WORDS

ALL = {"validation": 0, "test": 0}
WORDS = [
    "NA",
    "n/a",
    "#N/A",
    "<NA>",
    "\\N",
    "NULL",
    "None",
    "nan",
    "?",
    "-",
    ".",
]


def table(**columns):
    """Thirty rows; the cells of a column are repeated."""
    columns = {"a": range(30), **columns, "y": columns.get("y", [0, 1])}
    return {
        name: [str(list(cells)[n % len(cells)]) for n in range(30)]
        for name, cells in columns.items()
    }


@pytest.fixture(params=["csv", "frame"])
def read(request, tmp_path):
    def read(columns, tasks=("y",), **arguments):
        frame = pd.DataFrame(columns)
        tasks = tasks if isinstance(tasks, dict) else list(tasks)
        if request.param == "frame":
            return datasets.from_dataframe(frame, tasks, **ALL, **arguments)
        frame.to_csv(tmp_path / "t.csv", index=False)
        path = tmp_path / "t.csv"
        return datasets.from_csv(path, tasks, **ALL, **arguments)

    return read


@pytest.mark.parametrize("word", WORDS)
def test_words_are_refused_wherever_they_are(read, word):
    assert word.lower() in MISSING_WORDS
    for columns in (
        table(c=["u", "v", word]),
        table(c=["1.5", "2", word]),
        table(y=["I", "II", word]),
        table(y=["0", "1", word]),
    ):
        with pytest.raises(ValueError, match="missing_values=") as error:
            read(columns)
        assert repr(word) in str(error.value)
    with pytest.raises(ValueError, match="missing_values="):
        read(table(y=["x|y", "y", word]), {"y": {"separator": "|"}})


@pytest.mark.parametrize("word", WORDS)
def test_named_words_are_missing(read, word):
    data = read(
        table(c=["u", "v", word], y=["I", "II", word]), missing_values=[word]
    )
    assert data.input_names == ("a", "c: other", "c: missing", "c=u", "c=v")


def test_a_category_is_kept_by_one_argument(read):
    columns = table(country=["DE", "NA"], wall=["brick", "None", "-"])
    with pytest.raises(
        ValueError, match=r"'NA' .*in \['wall'\].*=\['country', 'wall'\]"
    ) as error:
        read(columns)
    assert "missing_values=('NA', 'None', '-')" in str(error.value)
    names = read(columns, categories=["country", "wall"]).input_names
    assert {"country=NA", "wall=None", "wall=-"} <= set(names)


def test_a_dict_names_missing_values_by_column(read):
    columns = table(country=["DE", "NA"], size=["1.5", "2", "NA"])
    names = read(columns, missing_values={"size": ["NA"], "country": []})
    assert names.input_names == (
        "a",
        "country: other",
        "country=DE",
        "country=NA",
        "size",
        "size: missing",
    )
    with pytest.raises(ValueError, match=r"'NA' .*column 'country'"):
        read(columns, missing_values={"size": ["NA"]})
    with pytest.raises(ValueError, match=r"names the column 'siz'.*'size'"):
        read(columns, missing_values={"siz": ["NA"]})
    with pytest.raises(TypeError, match=r"missing_values\['size'\]"):
        read(columns, missing_values={"size": "NA"})


def test_a_word_among_categories_that_are_numbers_is_refused(read):
    columns = table(hour=["0", "1", "NA"])
    with pytest.raises(
        ValueError, match=r"'NA'.*missing_values=\{'hour': \[\]"
    ):
        read(columns, categories=["hour"])
    names = read(columns, categories=["hour"], missing_values=["NA"])
    assert "hour: missing" in names.input_names
    names = read(columns, categories=["hour"], missing_values={"hour": []})
    assert "hour=NA" in names.input_names


def test_a_class_is_kept_by_its_name(read):
    columns = table(y=["DE", "NA"])
    task = {"kind": "Classification", "class_names": ["DE", "NA"]}
    with pytest.raises(ValueError, match=r"'class_names': \['DE', 'NA'\]"):
        read(columns)
    assert read(columns, {"y": task}).arrays()[1]["y"][:2].tolist() == [0, 1]
    kept = read(columns, missing_values={"y": []})
    assert kept.tasks[0].class_names == ("DE", "NA")
    with pytest.raises(ValueError, match=r"'NA' is one of its class_names"):
        read(columns, {"y": task}, missing_values=["NA"])


def test_a_label_among_several_is_kept_by_its_name(read):
    columns = table(y=["x|y", "y", "None"])
    task = {"separator": "|", "class_names": ["None", "x", "y"]}
    found = read(columns, {"y": task}).arrays()[1]["y"]
    assert found[:3].tolist() == [[0, 1, 1], [0, 0, 1], [1, 0, 0]]
    found = read(columns, {"y": {"separator": "|"}}, missing_values=["None"])
    assert found.arrays()[1]["y"][2].tolist() == [-1, -1]


def test_a_category_by_its_dtype_is_looked_at():
    frame = pd.DataFrame(table(c=["u", "v", "NA"])).astype({"c": "category"})
    with pytest.raises(ValueError, match=r"'NA' .*categories=\['c'\]"):
        datasets.from_dataframe(frame, ["y"], **ALL)


def test_like_refuses_a_word_that_it_does_not_know(read):
    first = read(table(c=["u", "v"]))
    with pytest.raises(ValueError, match=r"'NA'.*not a category .*`like`"):
        read(table(c=["u", "NA"]), like=first)
    known = read(table(c=["u", "NA"]), categories=["c"])
    again = read(table(c=["NA", "u"]), like=known)
    assert again.arrays()[0][:2, 1:].tolist() == [[0, 1, 0], [0, 0, 1]]
