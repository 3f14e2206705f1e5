"""Categories of an input column, by their texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.columns.column_values import MISSING_TEXT
from mtl_keras.datasets.reading.column import BOOLEAN_WORDS, Column
from mtl_keras.datasets.reading.number_text import CODE, number_text


def read_categories(column: Column, known: Mapping[str, str] | None = None):
    """Reads a column of categories.

    A number has one text, 2.50 that of 2.5, unless the column holds both, or
    codes such as 01; True, TRUE and true are one category, and so are yes and
    Yes. A spelling of `known` becomes its category, and so does another
    spelling of the number of one.

    Args:
        column: The column.
        known: Dict from spelling to category of data that were read before.
            Defaults to `None`.

    Returns:
        A `pandas.Categorical` of shape `(n,)`, of texts.

    Raises:
        ValueError: If a number is one of several known categories.
    """
    import pandas  # takes half a second to load

    names = _categories(column, known or {})
    distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
    codes = np.array([*map(distinct.get, names), -1], int)
    return pandas.Categorical.from_codes(codes[column.codes], list(distinct))


def read_spellings(
    column: Column, missing_values: Sequence[str]
) -> dict[str, str]:
    """Finds the spellings of the categories of a column.

    Args:
        column: The column.
        missing_values: Texts that stand for a missing value.

    Returns:
        Dict from a spelling to its category, for those that differ: the texts
        of the column, three spellings of true, false, yes and no, and the
        texts for a missing value.
    """
    categories = _categories(column, {})
    found = {}
    for text, category in zip(
        map(str, column.distinct.tolist()), categories, strict=True
    ):
        found[text] = category
        if _is_word(column, category):
            word = category.lower()
            for spelling in (word, word.upper(), word.capitalize()):
                found.setdefault(spelling, category)
    found |= dict.fromkeys(missing_values, MISSING_TEXT)
    return {text: name for text, name in found.items() if text != name}


def _categories(column: Column, known: Mapping[str, str]) -> list[str]:
    """The category of each distinct value of a column."""
    numbers = defaultdict(list)
    for text in sorted(set(known.values())):
        # A number of a DataFrame has lost the zeros of a code.
        is_code = not column.is_text and CODE.fullmatch(text)
        plain = str(int(text)) if is_code else number_text(text)
        numbers[plain].append(text)
    numbers.pop(None, None)
    return [
        _category(column, value, known, numbers)
        for value in column.distinct.tolist()
    ]


def _category(column: Column, value, known, numbers) -> str:
    is_text = isinstance(value, str)
    if is_text and value in known:
        return known[value]
    name = _one_spelling(column, value)
    if name in known:
        return known[name]
    text = value if is_text else name
    marks = column.marks if is_text else ()
    same = numbers.get(number_text(text, *marks), ())
    if len(same) > 1 or (same and CODE.fullmatch(same[0])):
        row = column.first_row(value)
        raise ValueError(
            f"`inputs`: found {text!r} in {column.where(row)}, which may be "
            f"the category {' or '.join(map(repr, same))} of the data of "
            "`like`: both are the same number. Write the cells as texts, as "
            "they are there."
        )
    return same[0] if same else name


def _one_spelling(column: Column, value) -> str:
    if not isinstance(value, str):
        return column.format_value(value)
    word = value.lower()
    if word in ("true", "false"):
        # As pandas writes them, which reads a column of them as booleans.
        return word.capitalize()
    return word if column.is_boolean else column.number_name(value)


def _is_word(column: Column, category: str) -> bool:
    """Returns whether a category is true, false, yes or no, in any spelling."""
    return category in ("True", "False") or (
        column.is_boolean and category in BOOLEAN_WORDS
    )
