"""The marks that cells are read by."""

import pytest

from mtl_keras import datasets
from mtl_keras.datasets.reading.csv_marks import check_marks


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ({"delimiter": "||"}, r"`delimiter` must be one .*'\|\|'.*sep="),
        ({"delimiter": "\\t"}, r"Pass delimiter='\\t' for a tab"),
        ({"delimiter": ""}, "`delimiter` must be one character"),
        ({"delimiter": 3}, "`delimiter` must be one character, found 3"),
        ({"delimiter": b","}, "`delimiter` must be one character"),
        ({"delimiter": '"'}, "neither quotes"),
        ({"delimiter": "\n"}, "nor ends a line"),
        ({"delimiter": "1"}, "part of a number"),
        ({"decimal": ["."]}, "`decimal` must be one character"),
        ({"decimal": "-"}, "part of a number"),
        ({"thousands": "  "}, "`thousands` must be one character"),
        ({"thousands": "."}, r"both '\.'"),
    ],
)
def test_marks_are_checked_before_the_file_is_read(tmp_path, marks, message):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "1,0\n2,1\n" * 5)
    with pytest.raises(ValueError, match=message):
        datasets.from_csv(path, ["y"], **marks)


def test_usual_marks_pass():
    for delimiter in ",;\t| ":
        check_marks(delimiter)
    check_marks(",", ",")  # numbers with a comma within quotes
    for thousands in ",' \u2019":
        check_marks(";", ".", thousands)
