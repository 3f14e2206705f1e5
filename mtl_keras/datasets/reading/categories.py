"""Categories of an input column, by their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.datasets.reading.number_text import CODE, number_text


def read_categories(column: Column, known: Collection[str] = ()):
    """Reads a column of categories.

    A number has one text, 2.50 that of 2.5, unless the column holds both, or
    codes such as 01. A category of `known` keeps its text; another spelling of
    the number of one becomes it.

    Args:
        column: The column.
        known: Categories of data that were read before. Defaults to none.

    Returns:
        A `pandas.Categorical` of shape `(n,)`, of texts.

    Raises:
        ValueError: If a number is one of several known categories.
    """
    import pandas  # takes half a second to load

    known = frozenset(known)
    spellings = defaultdict(list)
    for text in sorted(known):
        # A number of a DataFrame has lost the zeros of a code.
        is_code = not column.is_text and CODE.fullmatch(text)
        plain = str(int(text)) if is_code else number_text(text)
        spellings[plain].append(text)
    spellings.pop(None, None)
    names = [
        _category(column, value, known, spellings)
        for value in column.distinct.tolist()
    ]
    distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
    codes = np.array([*map(distinct.get, names), -1], int)
    return pandas.Categorical.from_codes(codes[column.codes], list(distinct))


def _category(column: Column, value, known, spellings) -> str:
    name = column.format_value(value)
    text = value if isinstance(value, str) else name
    # pandas reads these as booleans where no cell is empty.
    if text.lower() in ("true", "false"):
        return text.capitalize()
    if isinstance(value, str):
        if text in known:
            return text
        name = column.number_name(text)
    if not spellings:
        return name
    marks = column.marks if isinstance(value, str) else ()
    same = spellings.get(number_text(text, *marks), ())
    if len(same) > 1 or (same and CODE.fullmatch(same[0])):
        row = int(np.argmax(~column.missing & (column.values == value)))
        raise ValueError(
            f"`inputs`: found {text!r} in {column.where(row)}, which may be "
            f"the category {' or '.join(map(repr, same))} of the data of "
            "`like`: both are the same number. Write the cells as texts, as "
            "they are there."
        )
    return same[0] if same else name
