"""Headers, empty columns, and lines that are neither."""

import numpy as np
import pytest

from mtl_keras import datasets
from mtl_keras.datasets.reading.csv_header import read_header

ALL = {"validation": 0, "test": 0}
ROWS = [
    f"{20 + n};{'mf'[n % 2]};{n % 7}.5;{'I' * (1 + n % 3)}" for n in range(30)
]
HEADER = "age;sex;size;stage"


@pytest.fixture
def write(tmp_path):
    def write(header, rows=ROWS, name="t.csv"):
        path = tmp_path / name
        path.write_text("\n".join([*header.split("\n"), *rows]) + "\n")
        return path

    return write


def read(path, **arguments):
    arguments = {"delimiter": ";", **ALL, **arguments}
    data = datasets.from_csv(path, ["stage"], **arguments)
    return data.arrays()


@pytest.mark.parametrize(
    ("header", "tail"),
    [
        (HEADER + ";;", ";;"),
        (HEADER + ";", ";"),
        (HEADER, ";;"),
        (HEADER + ";;", ""),
        ("age;sex;;size;stage", None),
        ("sep=;\n" + HEADER, ""),
        ("SEP=;\n" + HEADER + ";", ";"),
        ("sep=;\n" + HEADER, ";;;"),
    ],
)
@pytest.mark.filterwarnings("error:Column")
def test_columns_that_hold_nothing_do_not_count(write, header, tail):
    expected = read(write(HEADER, name="plain.csv"))
    rows = [f"{row}{tail or ''}" for row in ROWS]
    if tail is None:
        rows = [row.replace(";", ";;", 2).replace(";;", ";", 1) for row in ROWS]
    x, y = read(write(header, rows))
    np.testing.assert_array_equal(x, expected[0])
    np.testing.assert_array_equal(y["stage"], expected[1]["stage"])


def test_only_some_rows_have_empty_cells_behind_them(write):
    rows = [row + ";" * (n % 3) for n, row in enumerate(ROWS)]
    expected = read(write(HEADER, name="plain.csv"))
    np.testing.assert_array_equal(read(write(HEADER, rows))[0], expected[0])


def test_lines_are_counted_behind_the_mark_of_excel(write):
    rows = [*ROWS[:5], "x;m;1.5;I", *ROWS[5:]]
    with pytest.raises(ValueError, match="'x' in line 8, column 'age'"):
        read(write("sep=;\n" + HEADER, rows))
    with pytest.raises(ValueError, match=r"found 3 in line 8 .*quotes"):
        read(write("sep=;\n" + HEADER, [*ROWS[:5], "1;m;2", *ROWS[5:]]))


def test_another_mark_of_excel_names_the_delimiter(write):
    with pytest.raises(ValueError, match=r"'sep=;'. Pass delimiter=';'"):
        read(write("sep=;\n" + HEADER), delimiter=",")


def test_a_cell_behind_the_columns_is_refused(write):
    rows = [*ROWS[:5], ROWS[5] + ";;new", *ROWS[6:]]
    with pytest.raises(ValueError, match=r"4 cells .* found 6 in line 7"):
        read(write(HEADER, rows))


def test_a_column_without_a_name_that_holds_values_is_named(write):
    rows = [f"{row};{n}" for n, row in enumerate(ROWS)]
    with pytest.raises(ValueError, match=r"4 cell.* 5 in line 2.*add it"):
        read(write(HEADER + ";", rows))
    rows = [f"{n};{row}" for n, row in enumerate(ROWS)]
    path = write("number;;sex;size;stage", rows)
    with pytest.warns(
        UserWarning, match=r"'Unnamed: 1' .* has no name.*exclude"
    ):
        x, _ = read(path)
    assert x.shape == (30, 5)  # number, sex, size
    x, _ = read(path, inputs=["Unnamed: 1", "number"])
    assert x.shape == (30, 2)


@pytest.mark.parametrize(
    "title", ["Report of 2020;;;", "Report of 2020", "# written by x", "a;b"]
)
def test_lines_before_the_header_are_named(write, title):
    message = r"line 1 .*and 4 in line 2.*skiprows=1\) to from_dataframe"
    with pytest.raises(ValueError, match=message):
        read(write(f"{title}\n{HEADER}"))


@pytest.mark.parametrize(
    ("start", "kind", "way_out"),
    [
        ("<!DOCTYPE html><table>", "HTML", "read_html"),
        ('{"a": 1}', "JSON", "read_json"),
        ('\n[{"a": 1}]', "JSON", "read_json"),
        ("@RELATION iris", "ARFF", "loadarff"),
    ],
)
def test_files_of_other_programs_are_named(write, start, kind, way_out):
    with pytest.raises(ValueError, match=f"found .*{kind}.*{way_out}"):
        read(write(start))


@pytest.mark.parametrize(
    "rows",
    [
        ["71; m; 4.74; I", *ROWS],
        ["Ann;m;4.74;I", *(f"Ben{n};{row[3:]}" for n, row in enumerate(ROWS))],
        [*(f"{'xyz'[n % 3]};m;red;I" for n in range(9))],
        ["71;-1;m;blue", *(f"{n};-{n};{'mf'[n % 2]};x" for n in range(9))],
    ],
)
def test_a_first_line_of_data_is_named(write, rows):
    path = write(rows[0], rows[1:])
    message = r"line 1 of .*No header\? Pass the names of its 4 .*names="
    with pytest.raises(ValueError, match=message):
        read_header(path, "path", ";")
    names = ["a", "b", "c", "d"]
    assert read_header(path, "path", ";", names) == names


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("country;2019", "x;1.5"),
        ("label;7", "a;0.5"),
        ("none;other;y", "none;1;0"),
        ("a", "b"),
        ("yes;no", "1;0"),
        ("1st;2nd", "x;y"),
    ],
)
def test_names_that_are_numbers_or_occur_below_are_names(write, header, row):
    path = write(header, [row, row.replace("x", "z")] * 4)
    assert read_header(path, "path", ";") == header.split(";")


def test_names_leave_out_empty_columns_of_a_file_without_a_header(write):
    path = write("sep=;", [row + ";;" for row in ROWS])
    x, _ = read(path, names=["age", "sex", "size", "stage"])
    np.testing.assert_array_equal(x, read(write(HEADER, name="p.csv"))[0])
    with pytest.raises(ValueError, match="must name the 6 columns"):
        read(path, names=["age", "sex"])


@pytest.mark.parametrize(
    ("cell", "escaped"),
    [
        (r'"u\"x"', True),
        (r'"\"u\" x"', True),
        (r'"C:\dir\"', False),
        (r'"a ""b"" \ c"', False),
        (r'"{""a"": ""x\""y""}"', False),
        (r"5\" pipe", False),
    ],
)
def test_quotes_behind_a_backslash_are_refused(write, cell, escaped):
    path = write("a,c,y", [f"{n % 5},{cell},{n % 2}" for n in range(30)])
    if escaped:
        with pytest.raises(ValueError, match=r"found .* line 2 .*escapechar"):
            datasets.from_csv(path, ["y"])
    else:
        names = datasets.from_csv(path, ["y"]).input_names
        plain = cell.strip('"').replace('""', '"')
        assert f"c={plain}" in names
