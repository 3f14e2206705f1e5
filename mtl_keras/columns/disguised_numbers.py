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
# Codes of currencies that are not words of a language in capitals.
_CODES = (
    "AED|ARS|AUD|BDT|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|GHS|HKD|"
    "HUF|IDR|ILS|INR|ISK|JPY|KES|KRW|KZT|LKR|MAD|MXN|MYR|NGN|NOK|NZD|PEN|PHP|"
    "PKR|PLN|QAR|RMB|RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|UYU|VND|ZAR"
)
# fmt: on

# So many numbers before one unit are not names of classes, as 1st or 3a are.
FEWEST_WITH_UNIT = 8

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# The minus sign, dashes and hyphens that stand for it.
_MINUS = "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"
_TO_HYPHEN = str.maketrans(dict.fromkeys(_MINUS, "-"))
# Signs, with the letters of a country before them (R$, US$, NZ$).
_SIGN = r"[A-Z]{0,3}[$¢£¤¥฿₠-⃀\ufdfc\uff04\uffe1\uffe5\uffe6]"
_CURRENCIES = (
    rf"{_SIGN}|\b(?:USD|EUR|GBP|CHF|JPY|CNY)\b|(?-i:\b(?:{_CODES})\b)"
    r"|(?-i:\b(?:kr|Kr|Rs|Rp|Fr|Ft|RM)\b\.?|zł|Kč|\u043b\u0432|\u0440\u0443\u0431\.?)"
)
_BODY = r"[+-]?\d[\d.,' ]*"
_DIGITS = r"\d+(?:[.,]\d+)?"
_PATTERNS: tuple[tuple[str, re.Pattern, Callable[[str], str]], ...] = (
    (
        "percent (%)",
        re.compile(rf"{_BODY}\s*%"),
        lambda name: "Remove the % sign before saving the file",
    ),
    (
        "amounts with a currency",
        re.compile(
            rf"[+-]?\s*({_CURRENCIES})\s*{_BODY}|{_BODY}\s*({_CURRENCIES})",
            re.I,
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
# Patterns that names of classes fit too, such as 5N or 3M, unless they are
# many, one has decimals, or there are thousands and millions.
_AMBIGUOUS: tuple[tuple[str, re.Pattern, str], ...] = (
    (
        "coordinates with a direction",
        re.compile(
            rf"[+-]?{_DIGITS}\s*°?\s*({_DIGITS}\s*['\u2032\u2019]\s*)?"
            rf"({_DIGITS}\s*(\"|\u2033|\u201d|'')\s*)?[NSEW]"
            r"|[NSEW]\s*\d+([.,]\d+\s*°?|\s*°)"
        ),
        "Write signed degrees before saving the file, negative for south and "
        "west",
    ),
    (
        "numbers with a suffix for thousands or millions",
        re.compile(
            rf"[+-]?{_DIGITS}\s*(k|m|mm|b|bn|mn|mln|mio|mrd|t|tn|thousand"
            r"|million|billion|trillion)\.?",
            re.I,
        ),
        "Write the numbers out before saving the file, 5000 for 5k",
    ),
)
_MARKED = re.compile(r"\d[.,]\d|°")
_WITH_UNIT = re.compile(
    r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?\s*"
    r"([^\W\d_][^\d,;]{0,7}(?:\^?-?[23])?|°\s*[^\W\d_]?|[\"'\u2032\u2033])"
)


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
            NaN for other texts. Defaults to `None`: with a decimal point.

    Returns:
        `None` for texts and for plain numbers; otherwise a description of the
        finding, the first text that shows it, and the way out.

    Example:

    >>> from mtl_keras.columns.disguised_numbers import find_disguise
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
                "numbers in another form than that of `decimal` and "
                "`thousands`",
                unread[0],
                "Pass the marks that the numbers have",
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
        found = (
            _find_minus(rest)
            or _find_pattern(name, rest, points)
            or _find_ambiguous(rest)
            or _find_unit(rest)
        )
        # A word among dates is a hole, and does not make them texts.
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


def _find_frequent_match(
    rest: list[str], fits: Callable[[str], object]
) -> str | None:
    """Returns the first text that fits, if all or most of many texts do."""
    fitting = [text for text in rest if fits(text)]
    most = len(rest) > 10 and len(fitting) >= 0.9 * len(rest)
    return fitting[0] if len(fitting) == len(rest) or most else None


def _find_minus(rest: list[str]) -> tuple[str, str, str] | None:
    """Finds numbers whose minus is another character than the hyphen."""
    text = _find_frequent_match(
        rest,
        lambda text: (
            text[:1] in _MINUS
            and _NUMBER.fullmatch(text.translate(_TO_HYPHEN).replace(" ", ""))
        ),
    )
    return text and (
        f"numbers with another minus sign (U+{ord(text[0]):04X})",
        text,
        "Replace the sign by a hyphen (-) before saving the file",
    )


def _find_pattern(
    name: str, rest: list[str], points: bool
) -> tuple[str, str, str] | None:
    for what, pattern, way_out in _PATTERNS:
        if points and "decimal comma" in what:
            continue  # beside numbers with a point, it may be either
        text = _find_frequent_match(
            rest,
            lambda text, pattern=pattern: pattern.fullmatch(
                text.translate(_TO_HYPHEN)
            ),
        )
        if text is not None:
            return what, text, way_out(name)
    return None


def _find_ambiguous(rest: list[str]) -> tuple[str, str, str] | None:
    endings = {text[-1:].lower() for text in rest}
    several = "k" in endings and not endings.isdisjoint("mb")
    marked = several or any(map(_MARKED.search, rest))
    if len(rest) < FEWEST_WITH_UNIT and not marked:
        return None
    for what, pattern, way_out in _AMBIGUOUS:
        text = _find_frequent_match(
            rest,
            lambda text, pattern=pattern: pattern.fullmatch(
                text.translate(_TO_HYPHEN)
            ),
        )
        if text is not None:
            return what, text, way_out
    return None


def _find_unit(rest: list[str]) -> tuple[str, str, str] | None:
    found = [_WITH_UNIT.fullmatch(text.translate(_TO_HYPHEN)) for text in rest]
    units = {match[1].strip() for match in found if match}
    if len(rest) < FEWEST_WITH_UNIT or not all(found) or len(units) > 1:
        return None
    return (
        f"numbers with a unit ({units.pop()})",
        rest[0],
        "Remove the unit before saving the file",
    )
