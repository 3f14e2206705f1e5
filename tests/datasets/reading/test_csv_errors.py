"""Files that are not UTF-8."""

import gzip

import pytest

from mtl_keras.datasets.reading.csv_table import read_csv_table


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("row", [0, 20_000])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_other_bytes_are_named(tmp_path, row, start, packed):
    rows = [b'%d,"a, b",Rome,1' % number for number in range(row + 3)]
    rows[row] = rows[row].replace(b"Rome", "Zürich".encode("latin-1"))
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    opener = gzip.open if packed else open
    with opener(path, "wb") as file:
        file.write(start + b"\n".join([b"row,text,city,y", *rows]))
    with pytest.raises(ValueError, match="UTF-8") as error:
        read_csv_table(path)
    for part in (
        repr("ü".encode("latin-1")),
        f"line {row + 2}, column 3 of '{path}'",
        "encoding='cp1252'",
        "from_dataframe",
    ):
        assert part in str(error.value)


def test_utf_16_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-16")
    with pytest.raises(ValueError, match=r"found UTF-16 in .*'utf-16'"):
        read_csv_table(path)
