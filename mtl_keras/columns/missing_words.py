"""Words that programs and people write where a value is missing."""

from __future__ import annotations

# fmt: off
MISSING_WORDS = frozenset((
    "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "nan", "nat", "null",
    "(null)", "<null>", "\\n", "none", "nil", "missing", "unknown",
    "undefined", "?", "-", "--", ".", "#null!", "#div/0!", "#value!", "#ref!",
    "#name?", "#num!",
))
# fmt: on


def is_missing_word(text: str) -> bool:
    """Returns whether a text may stand for a missing value.

    The same words count beside numbers, classes and categories.

    Args:
        text: String.

    Example:

    >>> from mtl_keras.columns.missing_words import is_missing_word
    >>> is_missing_word("#N/A"), is_missing_word("north")
    (True, False)
    """
    return text.lower() in MISSING_WORDS
