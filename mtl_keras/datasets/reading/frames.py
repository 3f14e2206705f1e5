"""Tables of pandas: checks, and where they go in place of a file."""

from __future__ import annotations

from collections.abc import Mapping


def to_frame(argument: str) -> str:
    """Describes where a DataFrame goes in place of a csv file.

    Args:
        argument: String, the argument that names the file.
    """
    return "as `labels`" if argument == "labels" else "to from_dataframe"


def check_frame(frame, argument: str):
    """Checks a DataFrame.

    Args:
        frame: A `pandas.DataFrame`, or a dict from name to an array.
        argument: String, the argument that holds it.

    Returns:
        A `pandas.DataFrame` whose index counts the rows.

    Raises:
        TypeError: If it is not a table, or has a name that is not a text.
        ValueError: If it has no rows, or a name twice.
    """
    import pandas  # takes half a second to load

    if isinstance(frame, Mapping):
        frame = pandas.DataFrame(dict(frame))
    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(
            f"`{argument}` is a {type(frame).__name__}; expected a "
            "pandas.DataFrame. Convert it: pandas.DataFrame(array, "
            "columns=[...])."
        )
    if not len(frame):
        raise ValueError(f"`{argument}` holds no rows.")
    wrong = [name for name in frame.columns if not isinstance(name, str)]
    if wrong:
        raise TypeError(
            f"`{argument}` has a column named {wrong[0]!r}; expected texts. "
            "Rename it: frame.rename(columns=str)."
        )
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"`{argument}` has two columns named {twice[0]!r}.")
    return frame.reset_index(drop=True)
