"""The arguments of the functions that read tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.datasets.reading.missing_values import check_missing_values
from mtl_keras.datasets.reading.table import check_texts
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.splits import Splits
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.spelling import did_you_mean

# Arguments of `fit_feature_space`.
_ENCODING = ("numbers", "num_bins", "categories", "embed", "min_count")
# Arguments that another file is read by, with their defaults.
_READING = {
    "missing_values": (),
    "delimiter": ",",
    "decimal": ".",
    "thousands": None,
    "parse_dates": (),
    "day_first": None,
    "task_column": None,
    "missing_inputs": "encode",
}


@dataclasses.dataclass(frozen=True)
class TableArguments:
    """The arguments that `from_csv` and `from_dataframe` share.

    Args:
        tasks: See `from_csv`, as all fields but the last two.
        inputs: Names of the input columns, or `None`.
        exclude: Names of columns that are not inputs.
        validation: Share of the samples for validation.
        test: Share of the samples for the test.
        split: Name of the column of the parts, or `None`.
        group: Name of the column of the groups, or `None`.
        like: `TableEncoding` of data that were read before, or `None`.
        labels: Boolean, whether there are labels.
        batch_size: Integer, samples per batch.
        seed: Integer, seed of the parts and of the order.
        encoding: Dict of the arguments of
            `mtl_keras.tables.fit_feature_space`.
        reading: Dict of the arguments that another file is read by as well.
    """

    tasks: Any
    inputs: Sequence[str] | None
    exclude: Sequence[str]
    validation: float
    test: float
    split: str | None
    group: str | None
    like: TableEncoding | None
    labels: bool
    batch_size: int
    seed: int
    encoding: Mapping[str, Any]
    reading: Mapping[str, Any]

    @property
    def task_column(self) -> str | None:
        """Name of the column that names the task of a row, or `None`."""
        return self.reading["task_column"]

    def target_specs(self) -> list[TargetSpec]:
        """Returns the specs of the tasks: the caller's, or those of `like`.

        Raises:
            TypeError: If `tasks` is missing.
            ValueError: If `like` is missing, or does not have a task.
        """
        if self.like is None:
            if not self.labels:
                raise ValueError(
                    "`labels=False` reads rows to predict; pass the data that "
                    "the model was trained on as `like`."
                )
            if self.tasks is None:
                raise TypeError(
                    "`tasks` must name the columns to predict, found None."
                )
            return read_target_specs(self.tasks)
        specs = self.like.specs()
        if self.tasks is None:
            return specs
        known = {spec.name: spec for spec in specs}
        named = [spec.name for spec in read_target_specs(self.tasks)]
        for name in named:
            if name not in known:
                raise ValueError(
                    f"`tasks` names {name!r}, which the data of `like` do not "
                    f"have. {did_you_mean(name, known)}"
                )
        return [known[name] for name in named]


def table_arguments(like: Any, **passed) -> TableArguments:
    """Makes the `TableArguments` of a call.

    Args:
        like: The argument `like`.
        **passed: The other arguments of `from_csv` or `from_dataframe`, but
            for those of the source itself.

    Returns:
        The `TableArguments`. Cells are read as the caller asks, otherwise as
        those of `like`.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If `like` has no encoding.
    """
    like = _encoding(like)
    before = {} if like is None else like.reading
    reading, encoding, others = {}, {}, {}
    for name, value in passed.items():
        if name in _ENCODING:
            encoding[name] = value
        elif name in _READING:
            reading[name] = _read_by(name, value, before)
        else:
            others[name] = value
    return TableArguments(
        like=like, encoding=encoding, reading=reading, **others
    )


def _check_day_first(value) -> None:
    if value is not None and not isinstance(value, bool):
        raise TypeError(
            f"`day_first` must be True, False or None, found {value!r}."
        )


def _read_by(name: str, value, before: Mapping[str, Any]):
    """The value of an argument: the caller's, that of `like`, or a default."""
    if name == "missing_values":
        value = check_missing_values(value) or None
    elif name == "parse_dates":
        value = check_texts(name, value) or None
    elif name == "day_first":
        _check_day_first(value)
    if value is None:
        value = before.get(name)
    if value is None:
        value = _READING[name]
    if name == "thousands" and value == "":
        return None  # none, where `like` has one
    return list(value) if isinstance(value, tuple) else value


def _encoding(like) -> TableEncoding | None:
    if isinstance(like, Splits):
        like = like.encoding
        if like is None:
            raise ValueError(
                "`like` must come from a table, as from_csv and from_dataframe "
                "read it; these data have no encoding."
            )
    if like is None or isinstance(like, TableEncoding):
        return like
    raise TypeError(
        f"`like` must be data of from_csv or from_dataframe, or their encoding,"
        f" found a {type(like).__name__}."
    )
