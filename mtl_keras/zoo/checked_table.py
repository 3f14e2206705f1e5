"""Checks the values of TOML files, with errors of one line."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import TypeVar

import pydantic

from mtl_keras.spelling import did_you_mean

Checked = TypeVar("Checked", bound=pydantic.BaseModel)


def checked_table(kind: type[Checked], values: Mapping, source: str) -> Checked:
    """Creates a checked table from the values of a TOML file.

    Args:
        kind: Class of the table, such as `Recipe`.
        values: The values.
        source: Origin of the values, for error messages.

    Raises:
        ValueError: If a key is unknown or a value invalid. The message has one
            line.
    """
    try:
        return kind.model_validate(values)
    except pydantic.ValidationError as error:
        # All branches of a union raise errors: the deepest one is the most
        # specific, and an unknown key causes a missing one.
        worst = max(
            error.errors(),
            key=lambda e: (e["type"] == "extra_forbidden", len(e["loc"])),
        )
        raise ValueError(f"{source}: {_explain(kind, worst)}") from error


def _explain(kind: type[pydantic.BaseModel], error: Mapping) -> str:
    """Formats an error of pydantic as one line."""
    # A union adds the name of its branch to the location.
    location = [
        part
        for part in error["loc"]
        if part != "float" and not str(part)[0].isupper()
    ]
    key = ".".join(map(str, location))
    if error["type"] == "extra_forbidden":
        known = _table_keys(kind, location[:-1])
        return f"unknown key {key!r}. {did_you_mean(location[-1], known)}"
    if error["type"] == "missing":
        return f"{key!r} is missing."
    message = error["msg"].removeprefix("Value error, ")
    return f"{key!r} is {error['input']!r}. {message}."


def _table_keys(table: type[pydantic.BaseModel], location: list) -> list[str]:
    for part in location:
        # The name of a mixed data set is not a field.
        if part in table.model_fields:
            table = _table_in(table.model_fields[part].annotation)
    return list(table.model_fields)


def _table_in(annotation) -> type[pydantic.BaseModel]:
    if isinstance(annotation, type) and issubclass(
        annotation, pydantic.BaseModel
    ):
        return annotation
    found = map(_table_in, typing.get_args(annotation))
    return next((table for table in found if table), None)
