"""The marks that the cells of a csv file are read by."""

from __future__ import annotations

from mtl_keras.datasets.reading.frames import to_frame


def check_marks(
    delimiter: str,
    decimal: str = ".",
    thousands: str | None = None,
    argument: str = "path",
) -> None:
    """Checks the marks between cells and within numbers.

    Args:
        delimiter: The argument `delimiter`.
        decimal: The argument `decimal`.
        thousands: The argument `thousands`.
        argument: The argument that names the file. Defaults to `"path"`.

    Raises:
        ValueError: If one is not a single usable character, or two of them
            are the same.
    """
    marks = {
        "delimiter": delimiter,
        "decimal": decimal,
        "thousands": thousands,
    }
    if thousands is None:
        del marks["thousands"]
    for name, mark in marks.items():
        if not isinstance(mark, str) or len(mark) != 1:
            raise ValueError(
                f"`{name}` must be one character, found {mark!r}."
                + _hint(name, mark, argument)
            )
        if mark in "\"'\r\n" and (name, mark) != ("thousands", "'"):
            raise ValueError(
                f"`{name}` must be a character that neither quotes a cell "
                f"nor ends a line, found {mark!r}."
            )
        if mark.isdigit() or (mark in "+-" and name != "delimiter"):
            raise ValueError(
                f"`{name}` must not be part of a number, found {mark!r}."
            )
    if decimal == thousands:
        raise ValueError(
            f"`decimal` and `thousands` are both {decimal!r}; pass both, such "
            "as decimal=',' and thousands='.', or thousands='' for none."
        )


def _hint(name: str, mark, argument: str) -> str:
    if name != "delimiter" or not isinstance(mark, str) or not mark:
        return ""
    if mark in ("\\t", "tab", "TAB"):
        return " Pass delimiter='\\t' for a tab."
    return (
        " Pass pandas.read_csv(..., sep=..., engine='python') "
        f"{to_frame(argument)}."
    )
