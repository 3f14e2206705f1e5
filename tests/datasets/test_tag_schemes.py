"""Tests tagging schemes: conversion, round trips and invalid tags."""

import numpy as np
import pytest

from mtl_keras.datasets import to_iob2
from mtl_keras.datasets.span_tags import AmbiguousTag, are_spans
from mtl_keras.datasets.tag_schemes import (
    SCHEMES,
    check_scheme,
    convert,
)

LETTERS = {
    "iob2": "BIIB",
    "bioes": "BIES",
    "bilou": "BILU",
    "bmewo": "BMEW",
}


def random_spans(rng, length):
    """Spans as (first, last, type), apart or touching."""
    spans, step = [], 0
    while step < length:
        step += int(rng.integers(2))
        last = step + int(rng.integers(3))
        if last < length:
            spans.append((step, last, str(rng.choice(["per", "loc-x"]))))
        step = last + 1
    return spans


def written(spans, length, scheme):
    """Writes spans as tags, from the definition of a scheme."""
    tags = ["O"] * length
    if scheme == "iob1":
        for number, (first, last, kind) in enumerate(spans):
            tags[first : last + 1] = [f"I-{kind}"] * (last + 1 - first)
            before = spans[number - 1] if number else None
            if before and before[1] == first - 1 and before[2] == kind:
                tags[first] = f"B-{kind}"
        return tags
    begin, inside, end, single = LETTERS[scheme]
    for first, last, kind in spans:
        tags[first : last + 1] = [f"{inside}-{kind}"] * (last + 1 - first)
        tags[last], tags[first] = f"{end}-{kind}", f"{begin}-{kind}"
        if first == last:
            tags[first] = f"{single}-{kind}"
    return tags


@pytest.mark.parametrize("scheme", [*LETTERS, "iob1"])
def test_random_spans_of_every_scheme_become_iob2(rng, scheme):
    rows = []
    for _ in range(200):
        length = int(rng.integers(1, 12))
        rows.append((random_spans(rng, length), length))
    found = to_iob2([written(*row, scheme) for row in rows], scheme)
    assert found == [written(*row, "iob2") for row in rows]
    # What is in the IOB2 form is so in that of conlleval's reading of IOB1.
    assert to_iob2(found, "iob2") == to_iob2(found, "iob1") == found


def test_rows_keep_their_type():
    rows = ["I-a  I-a\tO I-b B-b", ["I-a"]]
    expected = ["B-a I-a O B-b B-b", ["B-a"]]
    assert to_iob2(rows, "IOB1") == expected
    assert to_iob2([np.array(["B-a", "E-a"])], "iobes") == [["B-a", "I-a"]]
    assert to_iob2([], "bio") == []


@pytest.mark.parametrize(
    ("row", "scheme", "message"),
    [
        ("O I-a", "iob2", "token 1: found the tag 'I-a' after 'O'.*'iob1'"),
        ("I-a", "iob2", "token 0: found the tag 'I-a' first"),
        (
            "B-a I-b",
            "iob2",
            "'I-b' after 'B-a', which does not continue a span",
        ),
        ("B-a L-a", "iob2", "the tag 'L-a', expected 'O', 'B-<.*'bilou'"),
        ("B-a E-a S-b", "iob2", "'E-a'.*scheme='bioes'"),
        ("B-a E-a S-b", "bilou", "'E-a', expected.*'U-<type>'.*'bioes'"),
        ("B-a O", "bilou", "'O' after 'B-a', which leaves the span of 'a' op"),
        ("B-a I-a", "bilou", "'I-a' last, which leaves the span of 'a' open"),
        (
            "B-a L-b",
            "bilou",
            "'L-b' after 'B-a', which does not continue a span",
        ),
        ("B-a U-a", "bilou", "'U-a' after 'B-a', which leaves the span"),
        ("I-a L-a", "bilou", "'I-a' first, which does not continue a span"),
        ("B-a M-a", "bmewo", "'M-a' last.*ends with 'E-'"),
        ("L-a O", "iob1", "'L-a', expected 'O', 'B-<type>' or 'I-<type>'"),
        ("B- O", "iob2", "'B-'.*Correct the tags; scheme='plain'"),
        ("b-a", "iob2", "'b-a'"),
        ("B_a", "bilou", "'B_a'"),
    ],
)
def test_tags_that_are_invalid_in_a_scheme(row, scheme, message):
    with pytest.raises(ValueError, match=rf"Row 1, .*{message}"):
        to_iob2(["O", row], scheme)


def test_a_missing_tag_may_begin_a_span():
    assert convert(["?", "I-a", "?"], "iob2", {"?"}) == ["?", "I-a", "?"]
    assert convert(["?", "L-a"], "bilou", {"?"}) == ["?", "I-a"]
    assert convert(["B-a", "?"], "bilou", {"?"}) == ["B-a", "?"]


def test_plain_tags_are_kept():
    assert to_iob2(["NN I-x B_y"], "plain") == ["NN I-x B_y"]


def test_a_misspelt_scheme_gets_a_suggestion():
    with pytest.raises(ValueError, match=r"`scheme`.*'bilu'.*mean 'bilou'"):
        to_iob2(["O"], "bilu")
    with pytest.raises(ValueError, match="found None"):
        to_iob2(["O"], None)
    with pytest.raises(TypeError, match=r"Pass \[tags\]"):
        to_iob2("O O", "iob2")
    assert {check_scheme("scheme", name) for name in SCHEMES} == set(SCHEMES)


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O", "B-a", "I-a"], True),
        (["S-a", "U-b"], True),
        (["NN", "-LRB-", "PRP$", "O"], False),
        (["B", "I", "O"], False),
        (["B", "M", "E", "S"], False),
        (["O"], False),
        ([], False),
    ],
)
def test_span_tags_are_distinguished_from_classes(tags, spans):
    assert are_spans(tags) == spans


@pytest.mark.parametrize(
    ("tags", "odd"),
    [
        (["O", "B-a", "x"], "x"),
        (["O", "B_PER", "I_PER"], "B_PER"),
        (["o", "b-per"], "b-per"),
        (["O", "PER-B", "PER-I"], "PER-B"),
        (["(ORG*", "*", "*)", "(X)"], "(ORG*"),
        (["O", "B-a", "O-b"], "O-b"),
    ],
)
def test_other_spellings_of_span_tags_are_an_error(tags, odd):
    with pytest.raises(AmbiguousTag) as error:
        are_spans(tags)
    assert error.value.tag == odd
