"""from_dataframe: data for several tasks from a table of pandas."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.columns.plain_column import find_categorical_columns
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.table_arguments import table_arguments
from mtl_keras.datasets.reading.table_splits import table_splits
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.tasks import Task


def from_dataframe(
    frame: Any,
    tasks: Sequence[str | Task] | Mapping[str, object] | None = None,
    inputs: Sequence[str] | None = None,
    *,
    exclude: Sequence[str] = (),
    validation: float = 0.1,
    test: float = 0.2,
    split: str | None = None,
    group: str | None = None,
    task_column: str | None = None,
    like: Splits | TableEncoding | None = None,
    labels: bool = True,
    numbers: str = "float_normalized",
    num_bins: int = 32,
    categories: Sequence[str] = (),
    embed: Sequence[str] = (),
    min_count: int = 2,
    missing_inputs: str | None = None,
    parse_dates: Sequence[str] = (),
    missing_values: Sequence[str] = (),
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads a pandas DataFrame as data for several tasks.

    The arguments are those of `from_csv`, which describes them. `None`, NaN
    and `pandas.NA` are missing values. A column of the dtype `category` holds
    categories, or classes, even if these are numbers. The index is not read.

    Args:
        frame: A `pandas.DataFrame` whose columns have texts as names, or a
            dict from name to an array of shape `(n,)`.
        tasks: The columns to predict. For details of this and the following
            arguments, see `from_csv`.
        inputs: Columns to predict from. Defaults to all without another use.
        exclude: Columns that are not inputs.
        validation: Share of the samples for validation. Defaults to 0.1.
        test: Share of the samples for the test. Defaults to 0.2.
        split: Column that names the part of a row.
        group: Column whose equal values stay in one part.
        task_column: Column that names the task of a row's label.
        like: Data, or their encoding, whose codes are used.
        labels: Whether the frame has labels. Defaults to `True`.
        numbers: Encoding of numbers. Defaults to `"float_normalized"`.
        num_bins: Bins or waves of the encoding. Defaults to 32.
        categories: Columns whose numbers are categories.
        embed: Columns of categories that stay numbers.
        min_count: Occurrences that a category needs. Defaults to 2.
        missing_inputs: `"encode"` or `"error"`.
        parse_dates: Columns of dates or times, which become seconds.
        missing_values: Texts that stand for a missing value.
        batch_size: Samples per batch. Defaults to 32.
        seed: Seed of the parts and of the order. Defaults to 0.

    Returns:
        `Splits`, as `from_csv`.

    Raises:
        TypeError: If `frame` is not a table.
        ValueError: See `from_csv`.

    Example:

    >>> import pandas
    >>> frame = pandas.DataFrame(
    ...     {"age": np.arange(40.0), "stage": ["I", "II"] * 20}
    ... )
    >>> data = mtl_keras.datasets.from_dataframe(frame, tasks=["stage"])
    >>> data.tasks[0].class_names, data.input_shape
    (('I', 'II'), (1,))
    """
    arguments = table_arguments(
        like,
        tasks=tasks,
        inputs=inputs,
        exclude=exclude,
        validation=validation,
        test=test,
        split=split,
        group=group,
        task_column=task_column,
        labels=labels,
        numbers=numbers,
        num_bins=num_bins,
        categories=categories,
        embed=embed,
        min_count=min_count,
        missing_inputs=missing_inputs,
        parse_dates=parse_dates,
        missing_values=missing_values,
        batch_size=batch_size,
        seed=seed,
    )
    missing = tuple(arguments.reading["missing_values"])
    return table_splits(_Frame(_frame(frame), missing), arguments)


def _frame(frame):
    import pandas  # takes half a second to load

    if isinstance(frame, Mapping):
        frame = pandas.DataFrame(dict(frame))
    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(
            f"`frame` is a {type(frame).__name__}; expected a "
            "pandas.DataFrame. Convert it: pandas.DataFrame(array, "
            "columns=[...])."
        )
    if not len(frame):
        raise ValueError("`frame` holds no rows.")
    wrong = [name for name in frame.columns if not isinstance(name, str)]
    if wrong:
        raise TypeError(
            f"`frame` has a column named {wrong[0]!r}; expected texts. Rename "
            "it: frame.rename(columns=str)."
        )
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise ValueError(f"`frame` has two columns named {twice[0]!r}.")
    return frame.reset_index(drop=True)


@dataclasses.dataclass(eq=False)
class _Frame:
    """Reads a DataFrame as a table."""

    frame: Any
    missing_values: tuple[str, ...]
    parts: None = None
    source: str = "the DataFrame"

    @property
    def names(self) -> list[str]:
        return list(self.frame.columns)

    @property
    def categories(self) -> list[str]:
        return find_categorical_columns(self.frame)

    def read(self, columns: Sequence[str], numbers: Sequence[str]) -> Table:
        """Reads columns by their dtypes."""
        return Table(
            self.frame[list(dict.fromkeys(columns))],
            self.source,
            lambda row: (f"row {row}", self.source),
            self.missing_values,
        )
