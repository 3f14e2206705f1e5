"""Labels: turns the values of a column into targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.column import Column
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import BinaryClassification, Classification, Regression

# Whole numbers that are classes by themselves have few values, each of which
# comes again.
MOST_NUMBERED_CLASSES = 20

_NO_CLASSES = {"na", "n/a", "nan", "null", "?"}


def check_labelled(task: str, columns: Sequence[Column]) -> None:
    """Raises a `ValueError` if no sample has a label.

    Args:
        task: String, name of the task.
        columns: Its columns.
    """
    if all(column.missing.all() for column in columns):
        names = ", ".join(repr(column.name) for column in columns)
        raise ValueError(
            f"Task {task!r}: no sample has a label, the column {names} is "
            f"empty: {columns[0].where(0)} and on. Fill labels in, or leave "
            "the task out."
        )


def infer_kind(task: str, column: Column) -> type:
    """Tells the kind of task that the values of a column are labels of.

    Args:
        task: String, name of the task, for the error.
        column: The column.

    Returns:
        `Regression` for numbers, `BinaryClassification` for two classes,
        `Classification` for more. Texts are classes; so are whole numbers of
        at most 20 values that come twice on average.

    Raises:
        ValueError: If the values are numbers but for some, or all the same.
    """
    classes = column.without_minus_one()
    labelled = ~classes.missing
    distinct = len(set(classes.values[labelled].tolist()))
    if column.is_whole:
        few = distinct <= MOST_NUMBERED_CLASSES
        if distinct > 2 and not (few and labelled.sum() >= 2 * distinct):
            return Regression
    elif column.is_numeric:
        return Regression
    elif column.no_number.sum() * 2 < labelled.sum():
        raise ValueError(
            f"Task {task!r}: {no_number_found(column)} If the column holds "
            "classes, say so with a Classification."
        )
    if distinct < 2:
        value = classes.texts()[labelled][0]
        raise ValueError(
            f"Task {task!r}: all labels are {value!r} in column "
            f"{column.name!r}, so there is nothing to tell apart. Leave the "
            "task out, or pass a task instead of its name."
        )
    return BinaryClassification if distinct == 2 else Classification


def encode_numbers(task: str, column: Column) -> np.ndarray:
    """Turns the values of a column into numbers.

    Args:
        task: String, name of the task, for the error.
        column: The column.

    Returns:
        float32 array of shape `(n,)`, NaN where a label is missing.

    Raises:
        ValueError: If a value is no finite number.
    """
    if not column.is_numeric:
        raise ValueError(f"Task {task!r}: {no_number_found(column)}")
    return column.numbers.astype("float32")


def no_number_found(column: Column) -> str:
    """Says which value of a column is no number, where, and the way out.

    Args:
        column: A column with such a value.
    """
    index = int(np.argmax(column.no_number))
    value = column.values[index]
    if not isinstance(value, str):
        return (
            f"found {value} in {column.where(index)}, expected finite numbers "
            "(or NaN for a missing label)."
        )
    return (
        f"found {value!r} in {column.where(index)}, expected numbers. If it "
        f"stands for a missing value, pass missing_values=({value!r},)."
    )


def encode_classes(
    task: str,
    column: Column,
    num_classes: int | None,
    class_names: Sequence[str] | None,
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Turns the values of a column into classes.

    Args:
        task: String, name of the task, for errors.
        column: The column.
        num_classes: Integer, how many there must be, or `None` for as many as
            are found.
        class_names: Their names, class 0 first, or `None` for the values that
            are found, sorted.

    Returns:
        int32 array of shape `(n,)`, -1 where a label is missing, and the
        names of the classes; `None` for values that count from 0 themselves.

    Raises:
        ValueError: If a value is none of the classes, or their number does
            not fit.
    """
    column = column.without_minus_one()
    labelled = ~column.missing
    texts = column.texts()
    if class_names is None:
        numbered = column.is_whole
        count = num_classes or len(set(texts[labelled]))
        if numbered and _count_from_zero(column, count):
            return _fill(labelled, column.numbers), None
        _check_values(task, column)
        class_names = _sorted_names(column, texts[labelled])
        if num_classes not in (None, len(class_names)):
            raise ValueError(
                f"Task {task!r}: found {len(class_names)} classes "
                f"{_some(class_names)} in column {column.name!r}, but the task "
                f"has {num_classes}. Pass class_names to the task, or number "
                "the classes from 0."
            )
    elif (
        column.is_whole
        and not set(texts[labelled]) & set(class_names)
        and _count_from_zero(column, len(class_names))
    ):
        return _fill(labelled, column.numbers), tuple(class_names)
    codes = {name: code for code, name in enumerate(class_names)}
    for index in np.flatnonzero(labelled):
        if texts[index] not in codes:
            raise ValueError(
                f"Task {task!r}: found {texts[index]!r} in "
                f"{column.where(int(index))}, which is none of its "
                f"class_names. {did_you_mean(texts[index], class_names)} If "
                "it stands for a missing label, pass missing_values=("
                f"{texts[index]!r},)."
            )
    encoded = np.array([codes.get(text, -1) for text in texts])
    return _fill(labelled, encoded), tuple(class_names)


def _fill(labelled, codes) -> np.ndarray:
    return np.where(labelled, codes, -1).astype("int32")


def _count_from_zero(column: Column, count: int) -> bool:
    numbers = column.numbers[~column.missing]
    return bool(((numbers >= 0) & (numbers < count)).all())


def _check_values(task: str, column: Column) -> None:
    """Raises a `ValueError` at a value that is hardly the name of a class."""
    if column.is_numeric and not column.is_whole:
        part = np.abs(column.numbers - np.rint(column.numbers))
        index = int(np.nanargmax(part))
        raise ValueError(
            f"Task {task!r}: found {column.values[index]} in "
            f"{column.where(index)}, expected classes: texts or integers. For "
            "numbers use Regression."
        )
    for index in np.flatnonzero(~column.missing):
        value = str(column.values[index])
        minus_one = column.is_whole and column.numbers[index] == -1
        if minus_one or value.lower() in _NO_CLASSES:
            raise ValueError(
                f"Task {task!r}: found {value!r} in "
                f"{column.where(int(index))}. If it stands for a missing "
                f"label, pass missing_values=({value!r},); if it is a class, "
                "name it in the class_names of the task."
            )


def _sorted_names(column: Column, texts) -> tuple[str, ...]:
    names = set(texts)
    return tuple(sorted(names, key=int if column.is_whole else str))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return f"({shown}, ...)" if len(names) > 10 else f"({shown})"
