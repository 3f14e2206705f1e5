"""Reads and formats TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def read_toml(path: Path) -> dict:
    """Reads a TOML file.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the file is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is not a TOML file: {error}.") from error


def toml_text(table: Mapping) -> str:
    """Formats a dict as TOML.

    Args:
        table: Dict of strings, numbers, booleans, lists of these and dicts.
            `None` is omitted, since TOML cannot represent it.

    Example:

    >>> from mtl_keras.zoo.toml_text import toml_text
    >>> print(toml_text({"fit": {"batch_size": 32}}), end="")
    [fit]
    batch_size = 32
    """
    text = "\n".join(_lines(table, "")).strip()
    return text + "\n" if text else ""


def _lines(table: Mapping, prefix: str) -> list[str]:
    table = {k: v for k, v in table.items() if v is not None}
    lines = [
        f"{_key(key)} = {_value(value)}"
        for key, value in table.items()
        if not _is_table(value)
    ]
    for key, value in table.items():
        if not _is_table(value):
            continue
        name = f"{prefix}{_key(key)}"
        if isinstance(value, Mapping):
            lines += _named(value, name)
        else:
            for item in value:
                inner = _lines(item, f"{name}.")
                lines += ["", f"[[{name}]]", *inner]
    return lines


def _named(table: Mapping, name: str) -> list[str]:
    inner = _lines(table, f"{name}.")
    if inner and all(map(_is_table, table.values())):
        return inner  # the nested tables repeat its name
    return ["", f"[{name}]", *inner]


def _key(key: str) -> str:
    # A column may have any name, which needs quotes in TOML.
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key)


def _is_table(value) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(v, Mapping) for v in value)
    return isinstance(value, Mapping)


def _value(value) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(k)} = {_value(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, float):
        # Also for numpy floats; TOML has inf and nan.
        return float.__repr__(value)
    # Strings, integers and booleans are the same in JSON.
    return json.dumps(value, ensure_ascii=False)
