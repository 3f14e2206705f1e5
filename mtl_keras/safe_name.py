"""Names for layers and outputs, from the names that people give columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword

# Names of parameters of TensorFlow's own functions.
_TAKEN = ("self", "cls", "args", "kwargs")
_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def safe_name(name: str) -> str:
    """Derives a name that a layer or an output can have.

    Letters of English, digits and the underscore stay. Other letters and
    digits become their Unicode number, everything else an underscore. A name
    that is safe already stays as it is; a keyword of Python gets an underscore.

    Args:
        name: String, such as the name of a column.

    Returns:
        The safe name.

    Raises:
        ValueError: If `name` is not a string, or is empty.

    Example:

    >>> from mtl_keras.safe_name import safe_name
    >>> safe_name("CO(GT)"), safe_name("温度 %"), safe_name("2nd")
    ('CO_GT_', 'u6e29u5ea6__', 'n2nd')
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(
            f"A column is named {name!r}; expected a text with a letter at "
            "least. Rename it."
        )
    if _SAFE.fullmatch(name):
        return f"{name}_" if name in _TAKEN or iskeyword(name) else name
    safe = "".join(map(_safe_character, name.strip()))
    return safe if safe[0].isalpha() else f"n{safe}"


def safe_names(names: Iterable[str], what: str = "Columns") -> dict[str, str]:
    """Derives safe names that differ from each other.

    Args:
        names: The names.
        what: String, what is named, for the error. Defaults to `"Columns"`.

    Returns:
        Dict from each name to its safe name.

    Raises:
        ValueError: If two names become one.
    """
    safe, owners = {}, {}
    for name in names:
        safe[name] = safe_name(name)
        # Signatures of TensorFlow tell no case.
        other = owners.setdefault(safe[name].lower(), name)
        if other != name:
            raise ValueError(
                f"{what} {other!r} and {name!r} would both be named "
                f"{safe[name]!r} in the model. Rename one of them."
            )
    return safe


def _safe_character(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else "_"
    return f"u{ord(character):04x}" if character.isalnum() else "_"
