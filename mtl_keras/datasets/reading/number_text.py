"""Numbers as texts, in one form for each number."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

# Codes such as 01 are names and not numbers: 1 is another one.
CODE = re.compile(r"[+-]?0\d+")
_PLAIN = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
# More digits than a float64 can have.
_MOST_DIGITS = 400


def number_text(
    text: str, decimal: str = ".", thousands: str | None = None
) -> str | None:
    """Writes a number in the one form that all its spellings share.

    2.50, 2.5 and 25e-1 are all `"2.5"`. Nothing is rounded, so that long ids
    stay apart.

    Args:
        text: String.
        decimal: String between the whole part and the decimals. Defaults to
            `"."`.
        thousands: String between groups of three digits. Defaults to `None`.

    Returns:
        The number with a decimal point, without exponent, plus sign and zeros
        at its end; `None` for a text that is not a number, or a code such as
        01.

    Example:

    >>> number_text("2.50"), number_text("7e-1"), number_text("01")
    ('2.5', '0.7', None)
    """
    if thousands:
        text = text.replace(thousands, "")
    if decimal != ".":
        text = text.replace(".", "?").replace(decimal, ".")
    if not _PLAIN.fullmatch(text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number:
        return "0"
    _, digits, exponent = number.as_tuple()
    if len(digits) + abs(exponent) > _MOST_DIGITS:
        return None
    shown = f"{number:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
