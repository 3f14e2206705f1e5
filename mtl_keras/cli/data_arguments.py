"""Parses arguments of a data set from the command line."""

from __future__ import annotations

import re
import tomllib
from typing import Any

# A value that needs no quotes: the name of a column or a folder.
_WORD = re.compile(r"[\w./ -]*[A-Za-z_/][\w./ -]*")


def data_arguments(settings: list[str]) -> dict[str, Any]:
    """Parses settings such as `inputs=["age"]`.

    Args:
        settings: List of `NAME=VALUE`, with values as in TOML. Words need no
            quotes.

    Returns:
        Dict from name to value.

    Raises:
        ValueError: If a setting has another form.

    Example:

    >>> data_arguments(["group=patient", "test=0.25", 'tasks=["stage"]'])
    {'group': 'patient', 'test': 0.25, 'tasks': ['stage']}
    """
    return dict(map(_read, settings))


def _read(setting: str) -> tuple[str, Any]:
    name, equals, text = setting.partition("=")
    try:
        if not (equals and name.strip().isidentifier()):
            raise ValueError("no name")
        return name.strip(), tomllib.loads(f"value = {text}")["value"]
    except ValueError as error:
        is_word = equals and _WORD.fullmatch(text)
        if name.strip().isidentifier() and is_word:
            return name.strip(), text.strip()
        raise ValueError(
            f"--data-argument {setting!r}: expected NAME=VALUE with a value "
            'as in TOML, such as \'inputs=["age", "sex"]\' or test=0.25.'
        ) from error
