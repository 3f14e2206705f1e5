"""Forms in which tags of tokens say where spans are, and their conversion."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from mtl_keras.spelling import did_you_mean

OUTSIDE = "O"
# What a letter before the type says of a token of a span.
_BEGIN, _INSIDE, _END, _SINGLE = "begin", "inside", "end", "single"
_ROLES = {
    "iob2": {"B": _BEGIN, "I": _INSIDE},
    "iob1": {"B": _BEGIN, "I": _INSIDE},
    "bioes": {"B": _BEGIN, "I": _INSIDE, "E": _END, "S": _SINGLE},
    "bilou": {"B": _BEGIN, "I": _INSIDE, "L": _END, "U": _SINGLE},
    "bmewo": {"B": _BEGIN, "M": _INSIDE, "E": _END, "W": _SINGLE},
}
# Tags that are classes of tokens and no spans.
PLAIN = "plain"
SCHEMES = (*_ROLES, PLAIN)
_ALIASES = {"bio": "iob2", "iobes": "bioes"}
_OPEN, _GOING_ON = {_BEGIN, _INSIDE}, {_INSIDE, _END}
_TAG = re.compile(r"[BILUESMW]-.")
# Tags of spans that are spelt in another way: B_PER, b-per, PER-B, (PER*.
_FOREIGN = re.compile(r"[BILUESMW][-_:/|.+].+|.+[-_][BILUES]|[(*].*|O", re.I)


@dataclasses.dataclass(frozen=True)
class TagFault:
    """A tag that its scheme forbids.

    Args:
        step: Integer, which token of the sentence has it.
        text: String that says what is wrong with it.
    """

    step: int
    text: str


def to_iob2(
    tags: Sequence[str] | Sequence[Sequence[str]], scheme: str
) -> list[str] | list[list[str]]:
    """Converts tags of spans to the IOB2 form, in which each begins with `B-`.

    Args:
        tags: Sequence of rows, one for each sentence: a string of tags apart
            by whitespace, or a sequence of tags.
        scheme: String, the form of the tags:

            - `"iob2"` (or `"bio"`): checked and returned as they are.
            - `"iob1"`: a span begins with `I-`, and with `B-` where it follows
              one of its type. Any `B-` begins a span, and so does an `I-` that
              follows no span of its type, as CoNLL's `conlleval` has it.
            - `"bioes"` (or `"iobes"`): `E-` ends a span, `S-` is one of a
              single token.
            - `"bilou"`: the same with `L-` and `U-`.
            - `"bmewo"`: the same with `M-` for `I-`, `E-` and `W-`.

    Returns:
        List of rows, each a string or a list as it was.

    Raises:
        TypeError: If `tags` is a string.
        ValueError: If there is no such scheme, or it forbids a tag. The error
            names the row.

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
        if isinstance(found, TagFault):
            raise ValueError(
                f"Row {number}, token {found.step}: {found.text}. "
                f"{way_out(rows, scheme)}"
            )
        converted.append(found)
    return [
        " ".join(new) if isinstance(old, str) else new
        for old, new in zip(tags, converted, strict=True)
    ]


def check_scheme(argument: str, scheme: str) -> str:
    """Finds a scheme by its name.

    Args:
        argument: String, the argument that the error names.
        scheme: What the caller passed for it.

    Returns:
        One of `SCHEMES`.

    Raises:
        ValueError: If there is no such scheme.
    """
    name = scheme.lower() if isinstance(scheme, str) else scheme
    name = _ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in SCHEMES:
        raise ValueError(
            f"`{argument}` must name a form of tags, found {scheme!r}. "
            f"{did_you_mean(scheme, [*SCHEMES, *_ALIASES])}"
        )
    return name


def convert(
    tags: Sequence[str], scheme: str, missing: Collection[str] = ()
) -> list[str] | TagFault:
    """Converts the tags of a sentence to the IOB2 form.

    Args:
        tags: Sequence of tags.
        scheme: One of `SCHEMES`.
        missing: Tags that stand for a missing label. They stay as they are,
            and what follows one may go on with a span. Defaults to `()`.

    Returns:
        List of as many tags, or the first fault.
    """
    if scheme == PLAIN:
        return list(tags)
    converted, before = [], _NO_SPAN
    for step, tag in enumerate(tags):
        now = _MISSING if tag in missing else _read(tag, scheme)
        if now is None:
            return TagFault(step, f"found the tag {tag!r}, {_expected(scheme)}")
        text = _contradiction(before, now, scheme)
        if text is not None:
            after = f" after {tags[step - 1]!r}" if step else " first"
            return TagFault(step, f"found the tag {tag!r}{after}, {text}")
        converted.append(_written(tag, before, now))
        before = now
    text = _contradiction(before, _NO_SPAN, scheme)
    if text is not None:
        return TagFault(
            len(tags) - 1, f"found the tag {tags[-1]!r} last, {text}"
        )
    return converted


class _Read(NamedTuple):
    """What a tag says: its role, and the type of its span."""

    role: str | None
    kind: str | None = None


_NO_SPAN, _MISSING = _Read(None), _Read("missing")


def _read(tag: str, scheme: str) -> _Read | None:
    if tag == OUTSIDE:
        return _NO_SPAN
    letter, dash, kind = tag.partition("-")
    role = _ROLES[scheme].get(letter)
    return _Read(role, kind) if role and dash and kind else None


def _goes_on(before: _Read, now: _Read) -> bool:
    opened = before.role in _OPEN and before.kind == now.kind
    return now.role in _GOING_ON and (opened or before is _MISSING)


def _contradiction(before: _Read, now: _Read, scheme: str) -> str | None:
    """Says what is wrong with a tag after another, or `None`."""
    if scheme == "iob1" or now is _MISSING:
        return None
    goes_on = _goes_on(before, now)
    if now.role in _GOING_ON and not goes_on:
        return (
            f"which goes on with no span; in the {scheme.upper()} form a span "
            "begins with 'B-'"
        )
    has_ends = _END in _ROLES[scheme].values()
    if has_ends and before.role in _OPEN and not goes_on:
        letter = _letter(scheme, _END)
        return (
            f"which leaves the span of {before.kind!r} open; in the "
            f"{scheme.upper()} form it ends with '{letter}-'"
        )
    return None


def _written(tag: str, before: _Read, now: _Read) -> str:
    if now is _NO_SPAN or now is _MISSING:
        return tag
    return f"{'I' if _goes_on(before, now) else 'B'}-{now.kind}"


def _letter(scheme: str, role: str) -> str:
    return next(k for k, found in _ROLES[scheme].items() if found == role)


def _expected(scheme: str) -> str:
    letters = [f"'{letter}-<type>'" for letter in _ROLES[scheme]]
    return f"expected 'O', {', '.join(letters[:-1])} or {letters[-1]}"


class ForeignTag(ValueError):
    """A tag that is of a span and is not, in a way.

    Args:
        tag: String, the tag.
        text: String that says what is wrong with it.
    """

    def __init__(self, tag: str, text: str):
        super().__init__(f"found the tag {tag!r}, {text}")
        self.tag = tag


def are_spans(tags: Iterable[str]) -> bool:
    """Tells whether tags say where spans are, or are classes of tokens.

    Args:
        tags: The tags of a data set, or names of classes.

    Returns:
        Whether all of them but `O` have the form of tags of spans, `B-per`
        and the like.

    Raises:
        ForeignTag: If some of them have and others do not, or if all have but
            in another spelling.
    """
    tags = sorted(set(tags) - {OUTSIDE})
    spans = [tag for tag in tags if _TAG.match(tag)]
    others = [tag for tag in tags if not _TAG.match(tag)]
    if not others:
        return bool(spans)
    if spans:
        raise ForeignTag(
            others[0],
            f"which is none of a span as {spans[0]!r} is; expected 'O', or a "
            "letter, a hyphen and a type",
        )
    if all(_FOREIGN.fullmatch(tag) for tag in others):
        raise ForeignTag(
            others[0],
            "which looks like that of a span in another spelling; expected "
            "'O', 'B-<type>' or 'I-<type>'",
        )
    return False


def way_out(
    rows: Iterable[Sequence[str]],
    scheme: str,
    advice: Callable[[str], str] = "scheme={!r}".format,
    missing: Collection[str] = (),
) -> str:
    """Says which scheme the tags of a data set are of, for an error.

    Args:
        rows: The tags, by sentence.
        scheme: The one that forbids some of them.
        advice: Function of a name that says how to pass it. Defaults to
            `"scheme={!r}".format`.
        missing: Tags that stand for a missing label. Defaults to `()`.

    Returns:
        A sentence.
    """
    rows = list(rows)
    for other in _ROLES:
        if other != scheme and not any(
            isinstance(convert(row, other, missing), TagFault) for row in rows
        ):
            return (
                f"All tags are of the {other.upper()} form: "
                f"{advice(other)} converts them."
            )
    return (
        f"Correct the tags; {advice(PLAIN)} takes them as they are, as "
        "classes of tokens that make no spans."
    )
