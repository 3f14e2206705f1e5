"""Codes of the classes of a task, by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import BOOLEAN_WORDS, Column
from mtl_keras.datasets.reading.number_text import number_text
from mtl_keras.spelling import did_you_mean


def class_codes(
    task: str, column: Column, class_names: Sequence[str]
) -> np.ndarray:
    """Finds the class of each value of a column.

    A value is the class of the same text; otherwise that of the same number,
    so that 2.50 is the class 2.5, or the same word, true that of TRUE.

    Args:
        task: String, name of the task, for errors.
        column: The column.
        class_names: Names of the classes, class 0 first.

    Returns:
        int32 array of shape `(n,)`, -1 where a label is missing.

    Raises:
        ValueError: If a value is not a class, or a number may be several.
    """
    codes = {name: code for code, name in enumerate(class_names)}
    spellings = defaultdict(list)
    for name in class_names:
        spellings[number_text(name)].append(name)
        if name.lower() in BOOLEAN_WORDS:
            codes.setdefault(name.lower(), codes[name])
    spellings.pop(None, None)

    def code(value) -> int:
        if isinstance(value, str) and value in codes:
            return codes[value]
        name = column.format_value(value)
        marks = column.marks if isinstance(value, str) else ()
        number = number_text(value if marks else name, *marks)
        same = spellings.get(number, ())
        if len(same) > 1:
            raise ValueError(
                f"Task {task!r}: found {name!r} in {_where(column, value)}, "
                "which may be either of the classes "
                f"{' and '.join(map(repr, same))}: they are the same number. "
                "Write the labels as texts, as in class_names."
            )
        if same:
            return codes[same[0]]
        if name in codes:
            return codes[name]
        shown = value if isinstance(value, str) else name
        raise ValueError(
            f"Task {task!r}: found {shown!r} in {_where(column, value)}, which "
            f"is not in its class_names. {did_you_mean(shown, class_names)} If "
            "it stands for a missing label, pass missing_values="
            f"({shown!r},)."
        )

    return column.by_value(code, -1, "int32")


def _where(column: Column, value) -> str:
    there = ~column.missing & (column.values == value)
    return column.where(int(np.argmax(there)))
