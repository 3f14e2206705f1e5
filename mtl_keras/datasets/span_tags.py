"""Finds out whether tags mark spans, or are classes of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mtl_keras.datasets.tag_schemes import OUTSIDE

_TAG = re.compile(r"[BILUESMW]-.")
# Span tags in another spelling: B_PER, b-per, PER-B, (PER*.
_MISSPELT = re.compile(r"[BILUESMW][-_:/|.+].+|.+[-_][BILUES]|[(*].*|O", re.I)


class AmbiguousTag(ValueError):
    """Error for a tag that may or may not mark a span.

    Args:
        tag: The tag.
        text: What is wrong with it.
    """

    def __init__(self, tag: str, text: str):
        super().__init__(f"found the tag {tag!r}, {text}")
        self.tag = tag


def are_spans(tags: Iterable[str]) -> bool:
    """Returns whether tags mark spans, and are not classes of tokens.

    Args:
        tags: The tags of a data set, or class names.

    Returns:
        Boolean, true if all tags except `O` look like `B-per`.

    Raises:
        AmbiguousTag: If only some of the tags look like this, or if all do in
            another spelling.
    """
    tags = sorted(set(tags) - {OUTSIDE})
    spans = [tag for tag in tags if _TAG.match(tag)]
    others = [tag for tag in tags if not _TAG.match(tag)]
    if not others:
        return bool(spans)
    if spans:
        raise AmbiguousTag(
            others[0],
            f"which does not mark a span as {spans[0]!r} does; expected 'O', "
            "or a letter, a hyphen and a type",
        )
    if all(_MISSPELT.fullmatch(tag) for tag in others):
        raise AmbiguousTag(
            others[0],
            "which looks like a span tag in another spelling; expected 'O', "
            "'B-<type>' or 'I-<type>'",
        )
    return False
