"""Specifications of targets: their task or kind, and their columns."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mtl_keras.safe_name import safe_name
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import KINDS, Regression, Task

_SPEC_KEYS = ("kind", "columns", "separator")

_EXPECTED = (
    "A task's name stands for its column; a task for the column of its name; "
    "a dict maps names to a kind, to a list of columns, to a task, or to a "
    "dict with 'kind', 'columns' and arguments of the kind"
)


@dataclasses.dataclass(frozen=True)
class TargetSpec:
    """The specification of one target.

    Args:
        name: String, name of the task.
        columns: Tuple of strings, the columns of its labels.
        kind: Class of the task, or `None` to infer it from the labels.
        arguments: Dict of arguments of the kind.
        task: The task itself, or `None` to make one.
        separator: String between several labels in one cell, or `None`.
        same_classes: Boolean, whether labels must be names of the task's
            classes, as in data that were read before.
    """

    name: str
    columns: tuple[str, ...]
    kind: type[Task] | None = None
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    task: Task | None = None
    separator: str | None = None
    same_classes: bool = False


def read_target_specs(tasks: Any) -> list[TargetSpec]:
    """Reads the `tasks` argument of the functions that read files.

    Args:
        tasks: See `from_csv`.

    Returns:
        A `TargetSpec` for each task, in their order.

    Raises:
        TypeError: If it is neither a list nor a dict, or holds something
            other than tasks, names and kinds.
        ValueError: If it is empty, or a name or kind does not exist.
    """
    is_list = isinstance(tasks, Sequence) and not isinstance(tasks, str)
    if not isinstance(tasks, Mapping) and not is_list:
        raise TypeError(
            f"`tasks` must be a list or dict, found {tasks!r}. {_EXPECTED}."
        )
    if not tasks:
        raise ValueError(
            "`tasks` must name at least one task, found none. "
            + _EXPECTED
            + "."
        )
    if isinstance(tasks, Mapping):
        specs = [_named_spec(name, value) for name, value in tasks.items()]
    else:
        specs = [_spec(value) for value in tasks]
    owners: dict[str, str] = {}
    for spec in specs:
        title = spec.arguments.get("title", spec.name)
        other = owners.get(spec.name)
        if other == title:
            raise ValueError(
                f"`tasks` names {title!r} twice; expected each task once."
            )
        if other is not None:
            raise ValueError(
                f"`tasks` names {other!r} and {title!r}, which would both be "
                f"named {spec.name!r} in the model. Name one of them yourself: "
                f"tasks={{'a_name': [{title!r}]}}."
            )
        owners[spec.name] = title
    return specs


def _spec(value) -> TargetSpec:
    if isinstance(value, Task):
        return _task_spec(value.name, value)
    if isinstance(value, str):
        safe = _task_name(value)
        return TargetSpec(safe, (value,), arguments=_title(value, safe))
    raise TypeError(
        f"`tasks` holds {value!r} of type {type(value).__name__}. {_EXPECTED}."
    )


def _named_spec(name: str, value) -> TargetSpec:
    safe = _task_name(name)
    if isinstance(value, Task):
        if value.name not in (name, safe):
            raise ValueError(
                f"`tasks` has a task named {value.name!r} under {name!r}. Use "
                "one name for both."
            )
        return _task_spec(name, value)
    if isinstance(value, Mapping):
        return _table_spec(name, {**_title(name, safe), **value})
    if isinstance(value, Sequence) and not isinstance(value, str):
        columns, arguments = _columns(name, value), _title(name, safe)
        return TargetSpec(safe, columns, arguments=arguments)
    kind = _kind(name, value)
    return TargetSpec(safe, (name,), kind, _title(name, safe))


def _task_name(name: str) -> str:
    """Returns the name if a task can have it, otherwise a safe one."""
    try:
        return Regression(name).name
    except (TypeError, ValueError):
        return safe_name(name)


def _title(name: str, safe: str) -> dict[str, str]:
    """Returns the title of a task whose name is derived from another one."""
    return {} if name == safe else {"title": name}


def _task_spec(name: str, task: Task) -> TargetSpec:
    columns = (name,)
    if task.columns and task.class_names:
        columns = task.class_names
    return TargetSpec(task.name, columns, type(task), task=task)


def _table_spec(name: str, table: dict) -> TargetSpec:
    columns = _columns(name, table.pop("columns", (name,)))
    kind = table.pop("kind", None)
    separator = table.pop("separator", None)
    if separator is not None:
        kind = _separated_kind(name, kind, columns, separator)
    given = sorted(table.keys() - {"title"})
    if kind is None and given:
        raise ValueError(
            f"`tasks` has {given} for {name!r} but no 'kind'. Known "
            f"kinds: {', '.join(map(repr, sorted(KINDS)))}."
        )
    kind = None if kind is None else _kind(name, kind)
    if kind is not None:
        known = [*inspect.signature(kind).parameters][1:]
        for argument in table:
            if argument not in known:
                raise ValueError(
                    f"`tasks` has {argument!r} for {name!r}, which is not an "
                    f"argument of {kind.__name__}. "
                    f"{did_you_mean(argument, [*known, *_SPEC_KEYS])}"
                )
    return TargetSpec(_task_name(name), columns, kind, table, None, separator)


def _separated_kind(name: str, kind, columns, separator):
    """Returns the kind of a task whose cells hold several labels."""
    if not isinstance(separator, str) or not separator:
        raise TypeError(
            f"`tasks` has separator={separator!r} for {name!r}, expected a "
            "string such as ';'."
        )
    kind = "MultiLabelClassification" if kind is None else kind
    found = _kind(name, kind)
    if found.target_kind != "binary" or not found.columns:
        raise ValueError(
            f"`tasks` has a separator for {name!r}, so that a cell holds "
            "several labels: expected the kind 'MultiLabelClassification', "
            f"found {kind!r}."
        )
    if len(columns) > 1:
        raise ValueError(
            f"`tasks` has a separator and the columns {list(columns)} for "
            f"{name!r}; expected one column, whose cells hold several labels."
        )
    return kind


def _columns(name: str, columns) -> tuple[str, ...]:
    if isinstance(columns, str):
        return (columns,)
    columns = tuple(columns)
    if not columns or not all(isinstance(c, str) for c in columns):
        raise TypeError(
            f"`tasks` has the columns {list(columns)!r} for {name!r}, expected "
            "one or several strings."
        )
    return columns


def _kind(name: str, kind) -> type[Task]:
    if inspect.isclass(kind) and issubclass(kind, Task):
        return kind
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind]
    raise ValueError(
        f"`tasks` has the kind {kind!r} for {name!r}, which does not exist. "
        f"{did_you_mean(kind, KINDS)} The name of a column goes into a list."
    )
