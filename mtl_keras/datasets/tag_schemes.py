"""Tagging schemes of spans, and their conversion to IOB2."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from mtl_keras.spelling import did_you_mean

OUTSIDE = "O"
# The role in its span of a token whose tag has this letter.
_BEGIN, _INSIDE, _END, _SINGLE = "begin", "inside", "end", "single"
_ROLES = {
    "iob2": {"B": _BEGIN, "I": _INSIDE},
    "iob1": {"B": _BEGIN, "I": _INSIDE},
    "bioes": {"B": _BEGIN, "I": _INSIDE, "E": _END, "S": _SINGLE},
    "bilou": {"B": _BEGIN, "I": _INSIDE, "L": _END, "U": _SINGLE},
    "bmewo": {"B": _BEGIN, "M": _INSIDE, "E": _END, "W": _SINGLE},
}
# Tags are classes of tokens and mark no spans.
PLAIN = "plain"
SCHEMES = (*_ROLES, PLAIN)
_ALIASES = {"bio": "iob2", "iobes": "bioes"}
_OPENING, _CONTINUING = {_BEGIN, _INSIDE}, {_INSIDE, _END}


@dataclasses.dataclass(frozen=True)
class InvalidTag:
    """Tag that is invalid in its scheme.

    Args:
        step: Integer, index of the token.
        text: What is wrong with the tag.
    """

    step: int
    text: str


def to_iob2(
    tags: Sequence[str] | Sequence[Sequence[str]], scheme: str
) -> list[str] | list[list[str]]:
    """Converts span tags to the IOB2 scheme, in which spans begin with `B-`.

    Args:
        tags: Sequence of rows, one per sentence: a string of tags separated by
            whitespace, or a sequence of tags.
        scheme: String, the scheme of the tags:

            - `"iob2"` (or `"bio"`): checked and returned unchanged.
            - `"iob1"`: a span begins with `I-`, or with `B-` directly after a
              span of the same type. As in CoNLL's `conlleval`, any `B-` begins
              a span, and so does an `I-` that does not follow a span of its
              type.
            - `"bioes"` (or `"iobes"`): `E-` ends a span, `S-` marks a span of
              a single token.
            - `"bilou"`: the same with `L-` and `U-`.
            - `"bmewo"`: the same with `M-` for `I-`, `E-` and `W-`.

    Returns:
        List of rows, strings or lists as in `tags`.

    Raises:
        TypeError: If `tags` is a string.
        ValueError: If the scheme does not exist, or a tag is invalid in it.
            The error names the row.

    Example:

    >>> mtl_keras.datasets.to_iob2(["I-per I-per O I-loc B-loc"], "iob1")
    ['B-per I-per O B-loc B-loc']
    >>> mtl_keras.datasets.to_iob2([["B-per", "L-per", "U-loc"]], "bilou")
    [['B-per', 'I-per', 'B-loc']]
    """
    scheme = check_scheme("scheme", scheme)
    if isinstance(tags, str):
        raise TypeError(
            f"`tags` must be a sequence of rows, found the string {tags!r}. "
            "Pass [tags]."
        )
    rows = [row.split() if isinstance(row, str) else list(row) for row in tags]
    converted = []
    for number, row in enumerate(rows):
        found = convert(row, scheme)
        if isinstance(found, InvalidTag):
            raise ValueError(
                f"Row {number}, token {found.step}: {found.text}. "
                f"{suggest_scheme(rows, scheme)}"
            )
        converted.append(found)
    return [
        " ".join(new) if isinstance(old, str) else new
        for old, new in zip(tags, converted, strict=True)
    ]


def check_scheme(argument: str, scheme: str) -> str:
    """Returns the name of a scheme in lower case, without aliases.

    Args:
        argument: Name of the argument, for the error.
        scheme: Value of the argument.

    Returns:
        One of `SCHEMES`.

    Raises:
        ValueError: If the scheme does not exist.
    """
    name = scheme.lower() if isinstance(scheme, str) else scheme
    name = _ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in SCHEMES:
        raise ValueError(
            f"`{argument}` must name a tagging scheme, found {scheme!r}. "
            f"{did_you_mean(scheme, [*SCHEMES, *_ALIASES])}"
        )
    return name


def convert(
    tags: Sequence[str], scheme: str, missing: Collection[str] = ()
) -> list[str] | InvalidTag:
    """Converts the tags of a sentence to the IOB2 scheme.

    Args:
        tags: Sequence of tags.
        scheme: One of `SCHEMES`.
        missing: Tags that stand for a missing label. They are kept, and the
            tag after one may continue a span. Defaults to `()`.

    Returns:
        List of the converted tags, or the first `InvalidTag`.
    """
    if scheme == PLAIN:
        return list(tags)
    converted, before = [], _NO_SPAN
    for step, tag in enumerate(tags):
        now = _MISSING if tag in missing else _parse(tag, scheme)
        if now is None:
            text = f"found the tag {tag!r}, {_expected(scheme)}"
            return InvalidTag(step, text)
        text = _find_conflict(before, now, scheme)
        if text is not None:
            after = f" after {tags[step - 1]!r}" if step else " first"
            return InvalidTag(step, f"found the tag {tag!r}{after}, {text}")
        converted.append(_write(tag, before, now))
        before = now
    text = _find_conflict(before, _NO_SPAN, scheme)
    if text is not None:
        return InvalidTag(
            len(tags) - 1, f"found the tag {tags[-1]!r} last, {text}"
        )
    return converted


class _ParsedTag(NamedTuple):
    """Role of a token in its span, and the type of the span."""

    role: str | None
    kind: str | None = None


_NO_SPAN, _MISSING = _ParsedTag(None), _ParsedTag("missing")


def _parse(tag: str, scheme: str) -> _ParsedTag | None:
    if tag == OUTSIDE:
        return _NO_SPAN
    letter, dash, kind = tag.partition("-")
    role = _ROLES[scheme].get(letter)
    return _ParsedTag(role, kind) if role and dash and kind else None


def _continues(before: _ParsedTag, now: _ParsedTag) -> bool:
    opened = before.role in _OPENING and before.kind == now.kind
    return now.role in _CONTINUING and (opened or before is _MISSING)


def _find_conflict(
    before: _ParsedTag, now: _ParsedTag, scheme: str
) -> str | None:
    """Returns why a tag cannot follow another, or `None`."""
    if scheme == "iob1" or now is _MISSING:
        return None
    continues = _continues(before, now)
    if now.role in _CONTINUING and not continues:
        return (
            "which does not continue a span; in the "
            f"{scheme.upper()} scheme, a span begins with 'B-'"
        )
    has_ends = _END in _ROLES[scheme].values()
    if has_ends and before.role in _OPENING and not continues:
        letter = _letter(scheme, _END)
        return (
            f"which leaves the span of {before.kind!r} open; in the "
            f"{scheme.upper()} scheme, it ends with '{letter}-'"
        )
    return None


def _write(tag: str, before: _ParsedTag, now: _ParsedTag) -> str:
    if now is _NO_SPAN or now is _MISSING:
        return tag
    return f"{'I' if _continues(before, now) else 'B'}-{now.kind}"


def _letter(scheme: str, role: str) -> str:
    return next(k for k, found in _ROLES[scheme].items() if found == role)


def _expected(scheme: str) -> str:
    letters = [f"'{letter}-<type>'" for letter in _ROLES[scheme]]
    return f"expected 'O', {', '.join(letters[:-1])} or {letters[-1]}"


def suggest_scheme(
    rows: Iterable[Sequence[str]],
    scheme: str,
    advice: Callable[[str], str] = "scheme={!r}".format,
    missing: Collection[str] = (),
) -> str:
    """Suggests the scheme of the tags of a data set, for an error.

    Args:
        rows: The tags of each sentence.
        scheme: The scheme in which some of them are invalid.
        advice: Function from a scheme to the text that shows how to pass it.
            Defaults to `"scheme={!r}".format`.
        missing: Tags that stand for a missing label. Defaults to `()`.

    Returns:
        A sentence.
    """
    rows = list(rows)
    for other in _ROLES:
        if other != scheme and not any(
            isinstance(convert(row, other, missing), InvalidTag) for row in rows
        ):
            return (
                f"All tags are valid in the {other.upper()} scheme: "
                f"{advice(other)} converts them."
            )
    return (
        f"Correct the tags; {advice(PLAIN)} keeps them as they are, as "
        "classes of tokens."
    )
