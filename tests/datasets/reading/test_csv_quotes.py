"""Quotes that are opened and never closed."""

import gzip

import numpy as np
import pytest

from mtl_keras.datasets.reading.csv_table import read_csv_table

ROWS = 30


def text(changes, header="row,city,size", ends="\n"):
    """Rows of a number, a text and a number, some of them changed."""
    rows = [f"{i},city{i % 3},{i / 2}" for i in range(ROWS)]
    for row, line in changes.items():
        rows[row] = line
    return ends.join([header, *rows]) + ends


@pytest.fixture
def read(tmp_path):
    """Writes a text as a file and reads it as a table."""

    def read(text, name="t.csv", **arguments):
        opener = gzip.open if name.endswith(".gz") else open
        with opener(tmp_path / name, "wt", newline="") as file:
            file.write(text)
        return read_csv_table(tmp_path / name, **arguments)

    return read


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({3: '3,"Rome,1'}, ROWS + 1),
        ({3: '3,"Rome,1', 9: '9,"Oslo,2'}, 11),
        ({3: '3,"Rome,1', 4: '4,"Oslo,2'}, 6),
        ({3: '3,",1', 9: '9,",2'}, 11),  # an inch
        ({3: '3,",1', 4: '4,",2'}, 6),
        ({3: '3,"Rome,1', 9: '9,"Oslo, NO",2'}, 11),
        ({3: '3,"Rome,1', 9: '"9,Oslo,2'}, 11),
        ({3: '3,"two\nlines",1', 5: '5,"Rome,1', 9: '9,"Oslo,2'}, 11),
    ],
)
def test_rows_that_a_quote_merges_are_an_error(read, changes, last, ends):
    changes = {row: line.replace("\n", ends) for row, line in changes.items()}
    row = min(row for row in changes if "two" not in changes[row])
    more = sum(line.count(ends) for line in changes.values())
    with pytest.raises(ValueError, match="must close each quote") as error:
        read(text(changes, ends=ends))
    assert f"in line {row + 2 + more} of '" in str(error.value)
    assert f"to line {last + more} " in str(error.value)
    assert "t.csv" in str(error.value)
    assert "quoting=csv.QUOTE_NONE" in str(error.value)


def test_rows_are_found_in_a_packed_file_and_with_another_delimiter(read):
    changes = {3: '3,",1', 9: '9,",2'}
    with pytest.raises(ValueError, match=r"in line 5 of '.*t\.csv\.gz'"):
        read(text(changes), "t.csv.gz")
    with pytest.raises(ValueError, match="in line 5 of"):
        read(text(changes).replace(",", ";"), delimiter=";")


def test_texts_alone_are_rows_if_they_are_known(read):
    rows = [f"{'fm'[i % 2]},{'xyz'[i % 3]}" for i in range(ROWS)]
    rows[3], rows[9] = 'f,"', 'm,"'
    with pytest.raises(ValueError, match="in line 5"):
        read("\n".join(["sex,kind", *rows]))


def test_a_cell_beyond_the_limit_of_python_is_named(read):
    rows = [f"{i},city{i % 3},{i / 2}" for i in range(20_000)]
    for row in (5, 19_000):
        rows[row] = rows[row].replace("city", '"city')
    with pytest.raises(ValueError, match="in line 7 of"):
        read("\n".join(["row,city,size", *rows]))


@pytest.mark.parametrize(
    "cell",
    [
        "two\nlines",
        "with, commas\n\nand, blank, lines",
        'he said "yes"\nand, "no"',
        "hello\nyes, really, so",
        "a,b\nc,d\ne,f",
        "1\n2",
        "\n",
    ],
)
@pytest.mark.parametrize("column", [1, 2])
def test_texts_of_several_lines_stay(read, cell, column):
    cells = ["4", "city1", "text"]
    cells[column] = '"' + cell.replace('"', '""') + '"'
    rows = [f"{i},city{i % 3},text{i % 4}" for i in range(ROWS)]
    rows[4] = ",".join(cells)
    rows[7] = rows[7] + " "
    table = read("\n".join(["row,city,text", *rows]))
    assert len(table) == ROWS
    name = ("city", "text")[column - 1]
    found = table.column(name, "inputs").values
    assert found[4] == cell.strip()
    np.testing.assert_array_equal(found[[0, 29]], table.frame[name][[0, 29]])


def test_a_blank_after_a_quote_is_no_fault(read):
    table = read(text({4: '4,"two\nlines" ,1'}))
    assert len(table) == ROWS
