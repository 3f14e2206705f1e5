"""Words for missing values: those that the caller names, and the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mtl_keras.columns.missing_words import is_missing_word
from mtl_keras.datasets.reading.column import Column
from mtl_keras.spelling import did_you_mean

MissingValues = Sequence[str] | Mapping[str, Sequence[str]]


def check_missing_values(
    missing_values: MissingValues, names: Collection[str] | None = None
) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Checks the argument `missing_values`.

    Args:
        missing_values: List of strings, or a dict from the name of a column to
            such a list.
        names: Names of the columns that a dict may have. Defaults to `None`:
            any.

    Returns:
        A tuple of strings, or a dict of them.

    Raises:
        TypeError: If it is anything else.
        ValueError: If a dict names a column that does not exist.
    """
    if not isinstance(missing_values, Mapping):
        return _check_texts("missing_values", missing_values)
    for name in missing_values:
        if names is not None and name not in names:
            raise ValueError(
                f"`missing_values` names the column {name!r}, which does not "
                f"exist. {did_you_mean(name, names)}"
            )
    return {
        name: _check_texts(f"missing_values[{name!r}]", texts)
        for name, texts in missing_values.items()
    }


def _check_texts(argument: str, texts) -> tuple[str, ...]:
    is_list = isinstance(texts, Sequence) and not isinstance(texts, str)
    if not is_list or not all(isinstance(text, str) for text in texts):
        raise TypeError(
            f"`{argument}` must be a list of strings, found {texts!r}."
        )
    return tuple(texts)


def missing_values_for(
    missing_values: MissingValues, name: str
) -> tuple[str, ...]:
    """Returns the texts that stand for a missing value in a column.

    Args:
        missing_values: See `check_missing_values`.
        name: String, name of the column.
    """
    if isinstance(missing_values, Mapping):
        return tuple(missing_values.get(name, ()))
    return tuple(missing_values)


def find_missing_words(column: Column) -> list[str]:
    """Finds texts of a column that may stand for missing values.

    Args:
        column: The column.

    Returns:
        The texts, such as `["NA", "?"]`; none if the caller names the missing
        values of the column.
    """
    if column.keeps_words or not column.is_text:
        return []
    return [t for t in map(str, column.distinct.tolist()) if is_missing_word(t)]


def check_class_names(
    task: str,
    class_names: Sequence[str] | None,
    columns: Sequence[str],
    missing_values: MissingValues,
) -> None:
    """Checks that no class is a missing value.

    Args:
        task: String, name of the task.
        class_names: Names of its classes, or `None`.
        columns: Names of its columns.
        missing_values: See `check_missing_values`.

    Raises:
        ValueError: If a text is both.
    """
    for column in columns:
        for text in missing_values_for(missing_values, column):
            if text in (class_names or ()):
                raise ValueError(
                    f"Task {task!r}: {text!r} is one of its class_names and of "
                    "`missing_values`. Leave it out of one of them; a dict "
                    "names missing values by column: "
                    f"missing_values={{'other_column': [{text!r}]}}."
                )
