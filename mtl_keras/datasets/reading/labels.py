"""Targets from the values of a column of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtl_keras.datasets.reading.class_codes import class_codes
from mtl_keras.datasets.reading.column import (
    Column,
    parse_number,
    too_large_found,
)
from mtl_keras.datasets.reading.disguise import describe_disguise
from mtl_keras.tasks import BinaryClassification, Classification, Regression

# Whole numbers that are classes have few values, each of which is repeated.
MOST_NUMBERED_CLASSES = 20

# So many texts are classes even if few of them are repeated.
FEW_TEXTS = 20

# Float32 has 24 bits.
_LARGEST_RATIO = 2.0**14

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
    """Infers the kind of task from a column of labels.

    Args:
        task: String, name of the task, for the error.
        column: The column.

    Returns:
        `Regression` for numbers, `BinaryClassification` for two classes,
        `Classification` for more. Texts are classes; so are whole numbers of
        at most 20 values that come twice on average, and categories of
        pandas.

    Raises:
        ValueError: If only some values are numbers, or all are the same.
    """
    classes = column.without_minus_one()
    labelled = ~classes.missing
    distinct = len(set(map(classes.format_value, classes.distinct.tolist())))
    if column.is_category:
        pass  # classes, by the dtype of the frame
    elif column.is_whole:
        few = distinct <= MOST_NUMBERED_CLASSES
        if distinct > 2 and not (few and labelled.sum() >= 2 * distinct):
            return Regression
    elif column.is_numeric and not column.has_codes:
        return Regression
    else:
        _check_disguise(task, column)
        _check_range(task, column)
        if 0 < column.no_number.sum() * 2 < labelled.sum():
            raise ValueError(
                f"Task {task!r}: {no_number_found(column)} If the column holds "
                f"classes, pass tasks={{{task!r}: 'Classification'}}."
            )
        _check_distinct(task, column)
    if distinct < 2:
        value = classes.names[labelled][0]
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
        ValueError: If a value is not a finite number.
    """
    if not column.is_numeric:
        _check_disguise(task, column)
        _check_range(task, column)
        raise ValueError(f"Task {task!r}: {no_number_found(column)}")
    numbers = column.numbers
    there = numbers[~column.missing]
    labels = numbers.astype("float32")
    if np.abs(there).max() > _LARGEST_RATIO * max(float(there.std()), 1e-300):
        lost = len(np.unique(there)) > len(np.unique(there.astype("float32")))
        if lost:
            raise ValueError(
                f"Task {task!r}: found labels such as {there[0]} in column "
                f"{column.name!r}, which float32 cannot tell apart. Subtract a "
                "constant, or choose another unit."
            )
    return labels


def _check_disguise(task: str, column: Column) -> None:
    """Raises a `ValueError` for numbers, dates or holes written as texts."""
    found = describe_disguise(column)
    if found is not None:
        what, way_out = found
        raise ValueError(
            f"Task {task!r}: found {what}, expected numbers or classes. "
            f"{way_out}, or declare them classes: tasks={{{task!r}: "
            "'Classification'}."
        )


def _check_range(task: str, column: Column) -> None:
    """Raises a `ValueError` for a number beyond float32."""
    if column.too_large.any():
        raise ValueError(f"Task {task!r}: {too_large_found(column)}")


def _check_distinct(task: str, column: Column) -> None:
    """Raises a `ValueError` for texts that hardly name classes."""
    labelled = int((~column.missing).sum())
    distinct = len(column.distinct)
    if distinct > FEW_TEXTS and distinct > labelled / 2:
        raise ValueError(
            f"Task {task!r}: found {distinct} different texts in {labelled} "
            f"labels of column {column.name!r}, such as "
            f"{column.distinct[0]!r}; expected classes, which are repeated. If "
            f"each is a class, pass tasks={{{task!r}: 'Classification'}}."
        )


def no_number_found(column: Column) -> str:
    """Describes the first value that is not a number, and the way out.

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
    numbered: bool = True,
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Turns the values of a column into classes.

    Args:
        task: String, name of the task, for errors.
        column: The column.
        num_classes: Integer, how many there must be, or `None` for as many as
            are found.
        class_names: Their names, class 0 first, or `None` for the values that
            are found, sorted.
        numbered: Boolean, whether the values may be the numbers of these
            classes, if no name is a number. Defaults to `True`.

    Returns:
        int32 array of shape `(n,)`, -1 where a label is missing, and the
        names of the classes; `None` for values that count from 0.

    Raises:
        ValueError: If a value is not one of the classes, or their number does
            not fit.
    """
    column = column.without_minus_one()
    labelled = ~column.missing
    found = sorted(set(map(column.format_value, column.distinct.tolist())))
    if class_names is None:
        count = num_classes or len(found)
        if column.is_whole and _count_from_zero(column, count):
            return _fill(labelled, column.numbers), None
        _check_values(task, column)
        class_names = _sorted_names(column, found)
        if num_classes not in (None, len(class_names)):
            raise ValueError(
                f"Task {task!r}: found {len(class_names)} classes "
                f"{_some(class_names)} in column {column.name!r}, but the task "
                f"has {num_classes}. Pass class_names to the task, or number "
                "the classes from 0."
            )
    elif (
        numbered
        and column.is_whole
        and not any(np.isfinite(parse_number(name)) for name in class_names)
        and not set(found) & set(class_names)
        and _count_from_zero(column, len(class_names))
    ):
        return _fill(labelled, column.numbers), tuple(class_names)
    return class_codes(task, column, class_names), tuple(class_names)


def _fill(labelled, codes) -> np.ndarray:
    return np.where(labelled, codes, -1).astype("int32")


def _count_from_zero(column: Column, count: int) -> bool:
    numbers = column.numbers[~column.missing]
    return bool(((numbers >= 0) & (numbers < count)).all())


def _check_values(task: str, column: Column) -> None:
    """Raises a `ValueError` at a value that hardly names a class."""
    is_class = column.is_whole or column.has_codes or column.is_category
    if column.is_numeric and not is_class:
        part = np.abs(column.numbers - np.rint(column.numbers))
        index = int(np.nanargmax(part))
        raise ValueError(
            f"Task {task!r}: found {column.values[index]} in "
            f"{column.where(index)}, expected classes: texts or integers. For "
            "numbers use Regression."
        )
    for value in column.distinct.tolist():
        minus_one = column.is_whole and str(value) in ("-1", "-1.0")
        if minus_one or str(value).lower() in _NO_CLASSES:
            row = int(np.argmax(~column.missing & (column.values == value)))
            raise ValueError(
                f"Task {task!r}: found {str(value)!r} in {column.where(row)}. "
                "If it stands for a missing label, pass missing_values=("
                f"{str(value)!r},); if it is a class, name it in the "
                "class_names of the task."
            )


def _sorted_names(column: Column, texts) -> tuple[str, ...]:
    names = set(texts)
    return tuple(sorted(names, key=int if column.is_whole else str))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return f"({shown}, ...)" if len(names) > 10 else f"({shown})"
