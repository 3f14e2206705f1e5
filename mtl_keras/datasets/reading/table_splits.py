"""Makes data for several tasks of a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mtl_keras import tables
from mtl_keras.datasets.reading.array_source import ArraySource
from mtl_keras.datasets.reading.dates import read_seconds
from mtl_keras.datasets.reading.groups import check_groups_apart, read_groups
from mtl_keras.datasets.reading.input_columns import (
    check_inputs,
    check_same_kinds,
    choose_inputs,
    read_inputs,
)
from mtl_keras.datasets.reading.leaks import warn_of_leaks
from mtl_keras.datasets.reading.partition import partition
from mtl_keras.datasets.reading.split_column import read_split_column
from mtl_keras.datasets.reading.table import Table, check_texts
from mtl_keras.datasets.reading.target_spec import TargetSpec, read_target_specs
from mtl_keras.datasets.reading.targets import make_target
from mtl_keras.datasets.reading.tasks_in_rows import tasks_in_rows
from mtl_keras.datasets.splits import Splits, make_splits
from mtl_keras.datasets.table_encoding import TableEncoding
from mtl_keras.spelling import did_you_mean
from mtl_keras.tables.columns import is_missing


class TableReader(Protocol):
    """Reads a table, when it is known which columns are texts.

    Args:
        names: List of the names of the columns.
        source: String, what holds the table.
        parts: Dict from the name of a part to the number of its rows, in
            their order, where each part has a file; `None` elsewhere. It is
            known once the table is read.
    """

    names: Sequence[str]
    source: str
    parts: Mapping[str, int] | None

    def read(self, columns: Sequence[str], numbers: Sequence[str]) -> Table:
        """Reads columns, some of which become numbers where they are."""


@dataclasses.dataclass(frozen=True)
class TableArguments:
    """What `from_csv` and `from_dataframe` are told of a table.

    The fields are their arguments of the same names; `encoding` holds those of
    `mtl_keras.tables.fit_feature_space`, `reading` those that another file is
    read by as well, see `reading_of`.
    """

    tasks: Any
    inputs: Sequence[str] | None
    exclude: Sequence[str]
    validation: float
    test: float
    split: str | None
    group: str | None
    like: Any
    labels: bool
    batch_size: int
    seed: int
    encoding: Mapping[str, Any]
    reading: Mapping[str, Any]


# What holds where neither the caller nor `like` says how cells are read.
_DEFAULTS = {
    "missing_values": (),
    "delimiter": ",",
    "decimal": ".",
    "thousands": None,
    "parse_dates": (),
    "task_column": None,
    "missing_inputs": "encode",
}


def reading_of(like: Any, **said) -> dict[str, Any]:
    """Returns how cells are read: as the caller says, or as those of `like`.

    Args:
        like: The argument `like`.
        **said: Arguments of `from_csv` that say how cells are read.

    Returns:
        Dict of the arguments.
    """
    encoding = _encoding_of(like)
    before = {} if encoding is None else encoding.reading
    reading = {
        name: value or before.get(name) or _DEFAULTS[name]
        for name, value in said.items()
    }
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in reading.items()
    }


def table_splits(reader: TableReader, said: TableArguments) -> Splits:
    """Reads a table, parts it and encodes it.

    Args:
        reader: What reads the table.
        said: What the caller says.

    Returns:
        The `Splits`, with their `encoding`.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a column does not exist, or a value does not fit.
    """
    like = _encoding_of(said.like)
    specs = _specs(said, like)
    inputs = _inputs(reader, said, specs, like)
    categories = _categories(said, inputs, like)
    table = _read(reader, said, specs, inputs, categories, like)
    if like is not None:
        check_same_kinds(table, like, inputs)
    columns = read_inputs(table, inputs, categories, _texts_of(like))
    parts, groups = _parts(reader, table, said)
    made = []
    if said.labels:
        made = _targets(table, said, specs)
    tasks = tuple(task for task, _ in made)
    y = {task.name: values for task, values in made}
    encoding = like
    if said.reading["missing_inputs"] == "error":
        _check_complete(table, columns)
    if like is None:
        check_inputs(table, columns, categories)
        _check_names_apart(columns, tasks)
        encoding = _fit(table, columns, categories, parts["train"], said)
        encoding = dataclasses.replace(
            encoding,
            tasks=tasks,
            columns={
                task.name: spec.columns
                for task, spec in zip(
                    tasks, _one_each(specs, tasks), strict=True
                )
            },
            separators={
                spec.name: spec.separator for spec in specs if spec.separator
            },
        )
        warn_of_leaks(
            {name: v[parts["train"]] for name, v in columns.items()},
            {name: v[parts["train"]] for name, v in y.items()},
            tasks,
        )
    return make_splits(
        ArraySource(encoding.encode(columns), y),
        tasks or encoding.tasks,
        parts,
        batch_size=said.batch_size,
        seed=said.seed,
        input_names=encoding.input_names,
        groups=groups,
        encoding=encoding,
        # What is predicted belongs to the rows of the table.
        shuffle=said.labels,
    )


def _encoding_of(like) -> TableEncoding | None:
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


def _specs(said: TableArguments, like) -> list[TargetSpec]:
    if like is None:
        if not said.labels:
            raise ValueError(
                "`labels=False` reads rows to predict; pass the data that the "
                "model was trained on as `like`."
            )
        if said.tasks is None:
            raise TypeError("`tasks` must say what to predict, found None.")
        return read_target_specs(said.tasks)
    specs = like.specs()
    if said.tasks is None:
        return specs
    known = {spec.name: spec for spec in specs}
    named = [spec.name for spec in read_target_specs(said.tasks)]
    for name in named:
        if name not in known:
            raise ValueError(
                f"`tasks` names {name!r}, which the data of `like` do not "
                f"have. {did_you_mean(name, known)}"
            )
    return [known[name] for name in named]


def _inputs(reader, said, specs, like) -> list[str]:
    labels = {c: spec.name for spec in specs for c in spec.columns}
    if like is not None:
        if said.inputs is not None or said.exclude:
            raise ValueError(
                "`inputs` and `exclude` come from the data of `like`. Leave "
                "them out."
            )
        for name in like.inputs:
            if name not in reader.names:
                raise ValueError(
                    f"{reader.source} does not have the input column {name!r} "
                    f"of the data of `like`. "
                    f"{did_you_mean(name, reader.names)}"
                )
        return list(like.inputs)
    others = {
        said.split: "split",
        said.group: "group",
        said.reading["task_column"]: "task_column",
    }
    others.pop(None, None)
    return choose_inputs(
        reader.names, said.inputs, said.exclude, labels, others, reader.source
    )


def _categories(said, inputs, like) -> set[str]:
    if like is not None:
        features = like.feature_space.features
        safe = tables.safe_names(like.inputs)
        return {
            name
            for name in inputs
            if not features[safe[name]].dtype.startswith("float")
        }
    categories = {
        *check_texts("categories", said.encoding["categories"]),
        *check_texts("embed", said.encoding["embed"]),
    }
    for name in categories:
        if name not in inputs:
            raise ValueError(
                f"`categories` and `embed` name {name!r}, which is no input. "
                f"{did_you_mean(name, inputs)}"
            )
    return categories


def _texts_of(like) -> set[str]:
    """Input columns that are texts in the data of `like`."""
    if like is None:
        return set()
    features = like.feature_space.features
    safe = tables.safe_names(like.inputs)
    return {n for n in like.inputs if features[safe[n]].dtype == "string"}


def _read(reader, said, specs, inputs, categories, like) -> Table:
    asked = {c: "tasks" for spec in specs for c in spec.columns}
    if not said.labels:
        asked = {}
    uses = {"split": said.split, "group": said.group}
    if said.labels:
        uses["task_column"] = said.reading["task_column"]
    asked |= {name: use for use, name in uses.items() if name is not None}
    for name, argument in asked.items():
        if name not in reader.names:
            raise ValueError(
                f"`{argument}` names the column {name!r}, which "
                f"{reader.source} does not have. "
                f"{did_you_mean(name, reader.names)}"
            )
    dates = said.reading["parse_dates"]
    numbers = [n for n in inputs if n not in categories and n not in dates]
    table = reader.read([*inputs, *asked], numbers)
    for name in dates:
        if name not in inputs and name not in asked:
            if like is not None:
                continue
            raise ValueError(
                f"`parse_dates` names {name!r}, which is no column that is "
                f"read. {did_you_mean(name, [*inputs, *asked])}"
            )
        seconds = read_seconds(table, name)
        table = dataclasses.replace(
            table, frame=table.frame.assign(**{name: seconds})
        )
    return table


def _parts(reader, table: Table, said: TableArguments):
    groups = None
    if said.group is not None:
        groups = read_groups(table.column(said.group, "group"))
    rows = np.arange(len(table))
    parts = {}
    if said.split is not None:
        if reader.parts is not None:
            raise ValueError(
                "`split` names a column and each part has a file of its own. "
                "Leave one of both out."
            )
        parts = read_split_column(table.column(said.split, "split"))
    elif reader.parts is not None:
        ends = np.cumsum(list(reader.parts.values()))[:-1]
        parts = dict(zip(reader.parts, np.split(rows, ends), strict=True))
    if parts and groups is not None:
        check_groups_apart(table.column(said.group, "group"), parts)
    shares = {
        part: share
        for part, share in (
            ("validation", said.validation),
            ("test", said.test),
        )
        if part not in parts
    }
    if said.split is not None or not said.labels:
        shares = {}
    train = parts.get("train", rows)
    drawn = partition(
        len(train),
        validation=shares.get("validation", 0),
        test=shares.get("test", 0),
        seed=said.seed,
        source=reader.source,
        groups=None if groups is None else groups[train],
    )
    parts.update({part: train[chosen] for part, chosen in drawn.items()})
    order = ("train", "validation", "test")
    return {part: parts[part] for part in order if part in parts}, groups


def _targets(table: Table, said: TableArguments, specs) -> list:
    name = said.reading["task_column"]
    if name is not None:
        return tasks_in_rows(table, specs, table.column(name, "task_column"))
    return [
        make_target(spec, [table.column(c, "tasks") for c in spec.columns])
        for spec in specs
    ]


def _fit(table, columns, categories, train, said) -> TableEncoding:
    rows = {name: values[train] for name, values in columns.items()}
    space = tables.fit_feature_space(
        rows,
        **{**said.encoding, "categories": sorted(categories)},
        missing_inputs=said.reading["missing_inputs"],
    )
    return TableEncoding(
        space, tuple(columns), (), {}, reading=dict(said.reading)
    )


def _check_names_apart(columns, tasks) -> None:
    """Raises a `ValueError` if an input and an output have one safe name."""
    outputs = {task.name for task in tasks}
    for name, safe in tables.safe_names(columns).items():
        if safe in outputs:
            raise ValueError(
                f"Column {name!r} and task {safe!r} would both be named "
                f"{safe!r} in the model. Give the task another name: tasks="
                f"{{'a_name': [{safe!r}]}}."
            )


def _check_complete(table: Table, columns) -> None:
    for name, values in columns.items():
        missing = is_missing(values)
        if missing.any():
            row = int(np.argmax(missing))
            raise ValueError(
                f"`inputs` must be complete with missing_inputs='error', found "
                f"no value in {table.where(row, name)} ({int(missing.sum())} "
                f"of {len(missing)} are missing). Fill values in, leave the "
                "column out, or pass missing_inputs='encode'."
            )


def _one_each(specs, tasks):
    """A spec for each task: the one of all that lie in rows."""
    return specs if len(specs) == len(tasks) else [specs[0]] * len(tasks)
