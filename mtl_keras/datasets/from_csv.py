"""from_csv: data for several tasks from csv files."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence

from mtl_keras.datasets.files import existing_file
from mtl_keras.datasets.reading.csv_header import read_header
from mtl_keras.datasets.reading.csv_marks import check_marks
from mtl_keras.datasets.reading.csv_table import read_csv_table
from mtl_keras.datasets.reading.join_tables import join_tables, kinds_differ
from mtl_keras.datasets.reading.table import Table
from mtl_keras.datasets.reading.table_arguments import table_arguments
from mtl_keras.datasets.reading.table_splits import table_splits
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.tasks import Task

Path = str | os.PathLike

# Arguments on the meaning of cells.
_CELLS = ("missing_values", "delimiter", "decimal", "thousands")


def from_csv(
    path: Path | Mapping[str, Path] | None = None,
    tasks: Sequence[str | Task] | Mapping[str, object] | None = None,
    inputs: Sequence[str] | None = None,
    *,
    exclude: Sequence[str] = (),
    train: Path | None = None,
    validation: float | Path = 0.1,
    test: float | Path = 0.2,
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
    day_first: bool | None = None,
    missing_values: Sequence[str] | Mapping[str, Sequence[str]] = (),
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    names: Sequence[str] | None = None,
    batch_size: int = 32,
    seed: int = 0,
) -> Splits:
    """Reads csv files as data for several tasks.

    An empty cell in a column of labels is a missing label: NaN for a
    regression, -1 for classes. Classes that are texts, or integers that do not
    count from 0, are numbered in sorted order, and the task keeps their names.
    Classes and categories differ if their texts do: 01 and 1 are two. Numbers
    have one text: 2.50 is 2.5, unless the column holds both.

    Numbers among the inputs are standardized by the training part, texts are
    one-hot encoded, and missing values are filled and marked, see
    `mtl_keras.tables.fit_feature_space`. The encoding comes with the data, as
    `data.encoding`. `like=data` reads another file by the same codes, and
    `data.serving_model(model)` takes raw columns.

    Args:
        path: String or path of a csv or csv.gz file with a header, in UTF-8;
            or a dict from `"train"`, `"validation"` and `"test"` to such
            files, which then are the parts. With `like`, `"train"` may be
            missing.
        tasks: The columns to predict. A list of column names, whose kinds are
            inferred (texts, and whole numbers of at most 20 values, are
            classes; two classes are binary; other numbers a regression), or of
            tasks that are named after columns; or a dict from task name to a
            kind (`"Regression"`), a task, a list of columns, or a dict with
            `"kind"`, `"columns"` and arguments of the kind. Several columns
            are several labels, or several numbers. With `"separator"`, a cell
            holds several labels: `{"separator": ";"}`. A name that an output
            cannot have is replaced by a safe one.
        inputs: List of the names of the columns to predict from. Defaults to
            `None`: all columns without another use. The index that pandas
            writes (a column without a name, or `"Unnamed: 0"`) is left out
            with a warning.
        exclude: List of columns that are not inputs. Defaults to `()`.
        train: Path of the training part, in place of `path`.
        validation: Float, share of the samples that is held back for
            validation, 0 for none; or the path of a file. Defaults to 0.1.
        test: Float, share of the samples for the test; or the path of a file.
            Defaults to 0.2.
        split: String, name of a column that holds `"train"`, `"validation"` or
            `"test"`, in place of the shares. Defaults to `None`.
        group: String, name of a column, such as the patient that a sample
            comes from. Samples of one group stay in one part, and the shares
            are those of groups. Defaults to `None`: each sample is a group.
        task_column: String, name of a column that holds the task of the label
            of a row, for tables in long form. `tasks` then names the one
            column of labels, and each value of this column is a task.
        like: Data of `from_csv` or `from_dataframe`, or their encoding. The
            file has the same tasks, classes and inputs, by the same codes, and
            its cells are read in the same way unless arguments differ. An
            unknown class is an error, an unknown category is encoded as such.
            Defaults to `None`.
        labels: Boolean, `False` to read rows without labels for `predict`,
            with `like`. All of them are in the part `"train"`, in the order
            of the file. Defaults to `True`.
        numbers: String, the encoding of numbers: `"float_normalized"`
            (default), `"piecewise_linear"`, `"periodic"`,
            `"float_discretized"`, or `"float"`, as they are.
        num_bins: Integer, bins or waves of the encoding. Defaults to 32.
        categories: List of columns whose numbers are categories, such as
            `["hour"]`, or whose texts are, even if they look like numbers.
        embed: List of columns of categories that stay numbers, for
            `mtl_keras.tables.embedding_layer`.
        min_count: Integer, how often a category must occur in the training
            part to have a code. Rarer ones are encoded as unknown. Defaults to
            2.
        missing_inputs: `"encode"` fills missing inputs and marks them,
            `"error"` refuses them. Defaults to that of `like`, or `"encode"`.
        parse_dates: List of columns of dates or times, which become seconds.
        day_first: Boolean, whether 3/4/2020 is in April. Defaults to `None`:
            the dates of a column show it, or those of `like`.
        missing_values: List of strings, cells that stand for a missing value
            besides the empty one; or a dict from column to such a list, whose
            columns keep all other words. Numbers are compared as numbers. A
            word such as NA that is not listed is an error, unless the column
            is in `categories`, or the word in `class_names`.
        delimiter: String of one character between two cells. Defaults to that
            of `like`, or `","`.
        decimal: String between the whole part of a number and its decimals.
            Defaults to that of `like`, or `"."`.
        thousands: String between groups of three digits, `""` for none.
            Defaults to that of `like`, or none.
        names: List of the names of the columns of a file without a header.
        batch_size: Integer, samples per batch. Defaults to 32.
        seed: Integer of at least 0, seed of the parts and of the order of the
            training part. Defaults to 0.

    Returns:
        `Splits`: `train`, `validation` and `test` as `tf.data.Dataset`s of
        `(x, y)`, x float32 of shape `(batch, inputs)`, and the `tasks`.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not a table, a column does not exist, a task
            has no label, or a value does not fit. The error names the line and
            column.

    Warns:
        UserWarning: If an input nearly determines a label, or classes or
            categories occur only outside the training part.

    Example:

    ```python
    data = mtl_keras.datasets.from_csv(
        "patients.csv",
        inputs=["age", "sex", "size"],
        tasks=["stage", "survival_months"],
        group="patient",
    )
    model = mtl_keras.build_mlp(
        input_shape=data.input_shape, tasks=data.tasks
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        shuffle=False,  # the training part is shuffled
        epochs=10,
    )
    data.serving_model(model).export("saved_model")
    ```
    """
    files, shares = _files(path, train, validation, test, like is None)
    arguments = table_arguments(
        like,
        tasks=tasks,
        inputs=inputs,
        exclude=exclude,
        **shares,
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
        day_first=day_first,
        missing_values=missing_values,
        delimiter=delimiter,
        decimal=decimal,
        thousands=thousands,
        batch_size=batch_size,
        seed=seed,
    )
    reader = _CsvFiles(files, arguments.reading, names)
    return table_splits(reader, arguments)


def _files(path, train, validation, test, needs_train):
    """Files by part, and the shares of the other parts."""
    parts = ("train", "validation", "test")
    if isinstance(path, Mapping):
        lacks_train = needs_train and "train" not in path
        if not path or lacks_train or not set(path) <= set(parts):
            raise ValueError(
                "`path` must be a file, or a dict of the files of 'train' "
                "(optional with `like`), 'validation' and 'test' (optional); "
                f"found {list(path)}."
            )
        files = {part: path[part] for part in parts if part in path}
        return files, {"validation": 0, "test": 0}
    files = {"train": path if train is None else train}
    shares = {"validation": validation, "test": test}
    for part, share in shares.items():
        if isinstance(share, str | os.PathLike):
            files[part], shares[part] = share, 0
    nothing = files["train"] is None and (needs_train or len(files) == 1)
    if nothing or (path is not None and train is not None):
        raise TypeError(
            "Either `path` or `train` must name the file; found "
            f"path={path!r}, train={train!r}."
        )
    files = {part: file for part, file in files.items() if file is not None}
    return files, shares


@dataclasses.dataclass(eq=False)
class _CsvFiles:
    """Reads the files of the parts as one table."""

    files: Mapping[str, Path]
    reading: Mapping[str, object]
    header: Sequence[str] | None = None
    parts: Mapping[str, int] | None = None
    categories: tuple[str, ...] = ()

    def __post_init__(self):
        check_marks(
            self.reading["delimiter"],
            self.reading["decimal"],
            self.reading["thousands"],
        )
        headers = {
            part: self._header(file, part) for part, file in self.files.items()
        }
        first = next(iter(headers))
        self.names = headers[first]
        for part, header in headers.items():
            if set(header) != set(self.names):
                other = sorted(set(header) ^ set(self.names))
                raise ValueError(
                    f"The files of the parts must have the same columns, but "
                    f"{other} are only in one of '{self.files[first]}' and "
                    f"'{self.files[part]}'."
                )

    @property
    def source(self) -> str:
        return f"'{os.fspath(next(iter(self.files.values())))}'"

    def _header(self, file, part) -> list[str]:
        file = existing_file(file, "Pass the path of a csv or csv.gz file.")
        return read_header(
            file,
            "path" if part == "train" else part,
            self.reading["delimiter"],
            self.header,
        )

    def read(self, columns: Sequence[str], numbers: Sequence[str]) -> Table:
        """Reads columns, some of which become numbers if all cells are."""
        tables = self._read(columns, numbers)
        mixed = kinds_differ(tables, numbers)
        if mixed:
            # A number in one file and a text in the other are both texts.
            tables = self._read(columns, [n for n in numbers if n not in mixed])
        if len(tables) > 1 or "train" not in self.files:
            self.parts = {
                part: len(table)
                for part, table in zip(self.files, tables, strict=True)
            }
        return join_tables(tables)

    def _read(self, columns, numbers) -> list[Table]:
        return [
            read_csv_table(
                file,
                argument="path" if part == "train" else part,
                columns=set(columns),
                numbers=set(numbers),
                names=self.header,
                **{name: self.reading[name] for name in _CELLS},
            )
            for part, file in self.files.items()
        ]
