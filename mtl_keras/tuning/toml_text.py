"""A dict as the text of a TOML file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(table: Mapping, prefix: str = "") -> str:
    """Writes a dict as TOML.

    Args:
        table: Dict of strings, numbers, booleans, lists of these and dicts.
            What is `None` is left out, since TOML has no word for it.
        prefix: Name of the table, for those within it.

    Example:

    >>> from mtl_keras.tuning.toml_text import toml_text
    >>> print(toml_text({"fit": {"batch_size": 32}}), end="")
    [fit]
    batch_size = 32
    """
    lines, tables = [], []
    for name, value in table.items():
        key = name if _BARE_KEY.fullmatch(name) else json.dumps(name)
        if value is None:
            continue
        if isinstance(value, Mapping):
            inner = toml_text(value, f"{prefix}{key}.")
            only_tables = value and all(
                isinstance(v, Mapping) for v in value.values()
            )
            head = "" if only_tables else f"[{prefix}{key}]\n"
            tables.append(head + inner)
        else:
            value = list(value) if isinstance(value, tuple) else value
            # Strings, numbers and lists of JSON are those of TOML.
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
            lines.append(f"{key} = {text}\n")
    return "\n".join(part for part in ("".join(lines), *tables) if part)
