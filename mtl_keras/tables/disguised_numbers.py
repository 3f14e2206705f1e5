"""Texts that are numbers, dates or holes in disguise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

# fmt: off
MISSING_WORDS = frozenset((
    "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "missing",
    "unknown", "undefined", "?", "-", "--", ".", "#null!", "#div/0!",
    "#value!", "#ref!",
))
# fmt: on

# So many numbers before one unit are no names of classes, such as 1st or 3a.
FEWEST_WITH_UNIT = 8

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_CURRENCIES = r"[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|CNY"
_BODY = r"[+-]?\d[\d.,' ]*"
_PATTERNS: tuple[tuple[str, re.Pattern, Callable[[str], str]], ...] = (
    (
        "percent (%)",
        re.compile(rf"{_BODY}\s*%"),
        lambda name: "Remove the % sign before saving the file",
    ),
    (
        "amounts with a currency",
        re.compile(
            rf"[+-]?({_CURRENCIES})\s*{_BODY}|{_BODY}\s*({_CURRENCIES})", re.I
        ),
        lambda name: "Remove the currency before saving the file",
    ),
    (
        "dates or times",
        re.compile(
            r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?"
            r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([ T]\d{1,2}:\d{2}.*)?"
            r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[ap]m)?"
            r"|\d{1,2}[ -][a-z]{3,9}[ -]\d{2,4}"
            r"|[a-z]{3,9} \d{1,2},? \d{4}",
            re.I,
        ),
        lambda name: f"Pass parse_dates=[{name!r}] to read seconds",
    ),
    (
        "numbers with thousands separators or a decimal comma",
        re.compile(r"[+-]?\d{1,3}(,\d{3})+"),
        lambda name: "Pass thousands=',' or decimal=',', whichever it is",
    ),
    (
        "numbers with thousands separators",
        re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"),
        lambda name: "Pass thousands=','",
    ),
    (
        "numbers with a decimal comma and thousands separators",
        re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d{1,3}(\.\d{3}){2,}"),
        lambda name: "Pass decimal=',' and thousands='.'",
    ),
    (
        "numbers with a decimal comma",
        re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?"),
        lambda name: "Pass decimal=','",
    ),
    (
        "numbers with thousands separators",
        re.compile(r"[+-]?\d{1,3}([ '\u00a0\u202f\u2019]\d{3})+([.,]\d+)?"),
        lambda name: (
            "Remove the blanks or marks before saving the file, or "
            "pass thousands="
        ),
    ),
    (
        "numbers with signs around them",
        re.compile(
            rf"(?=.*([()%]|-$|{_CURRENCIES}))[(+-]*\s*({_CURRENCIES})?"
            rf"\s*\d[\d.,' ]*\s*(%|{_CURRENCIES})?"
            r"\s*[)-]?",
            re.I,
        ),
        lambda name: "Write plain numbers, with a minus in front",
    ),
)
_WITH_UNIT = re.compile(r"[+-]?\d[\d.,]*\s*([^\W\d_][^\d,;]{0,7}|[°\"'])")


def find_disguise(
    name: str,
    texts: Iterable[str],
    read_number: Callable[[str], float] | None = None,
) -> tuple[str, str, str] | None:
    """Finds numbers, dates or holes that are written as texts.

    Args:
        name: String, name of the column, for the way out.
        texts: Distinct texts of the column, without missing ones.
        read_number: Function that reads a number as the caller writes them,
            NaN if it is none. Defaults to `None`: with a decimal point.

    Returns:
        `None` for texts and for plain numbers; otherwise what was found, the
        first text that shows it, and the way out.

    Example:

    >>> from mtl_keras.tables.disguised_numbers import find_disguise
    >>> find_disguise("price", ["1,5", "2,25", "3"])
    ('numbers with a decimal comma', '1,5', "Pass decimal=','")
    """
    texts = list(texts)
    if read_number is not None:
        unread = [
            text
            for text in texts
            if math.isnan(read_number(text)) and _NUMBER.fullmatch(text)
        ]
        if unread:
            return (
                "numbers in another form than `decimal` and `thousands` say",
                unread[0],
                "Say how the numbers are written",
            )
        texts = [
            text if math.isnan(read_number(text)) or _is_plain(text) else "0"
            for text in texts
        ]
    others = [text for text in texts if not _NUMBER.fullmatch(text)]
    if not others:
        return None
    words = [text for text in others if text.lower() in MISSING_WORDS]
    rest = [text for text in others if text.lower() not in MISSING_WORDS]
    if rest:
        points = any("." in text for text in texts if text not in others)
        found = _find_pattern(name, rest, points) or _find_unit(rest)
        # A word among dates is a hole, not the proof of a text.
        if found is not None:
            return found
    numbers = len(texts) - len(others)
    if words and not rest and numbers:
        return (
            "words for missing values among numbers",
            words[0],
            f"Pass missing_values={tuple(words)!r}",
        )
    return None


def _is_plain(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _find_pattern(
    name: str, rest: list[str], points: bool
) -> tuple[str, str, str] | None:
    for what, pattern, way_out in _PATTERNS:
        if points and "decimal comma" in what:
            continue  # beside numbers with a point, it may be either
        fitting = [text for text in rest if pattern.fullmatch(text)]
        most = len(rest) > 10 and len(fitting) >= 0.9 * len(rest)
        if len(fitting) == len(rest) or most:
            return what, fitting[0], way_out(name)
    return None


def _find_unit(rest: list[str]) -> tuple[str, str, str] | None:
    found = [_WITH_UNIT.fullmatch(text) for text in rest]
    units = {match[1].strip() for match in found if match}
    if len(rest) < FEWEST_WITH_UNIT or not all(found) or len(units) > 1:
        return None
    return (
        f"numbers with a unit ({units.pop()})",
        rest[0],
        "Remove the unit before saving the file",
    )
