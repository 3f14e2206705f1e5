"""Checks of the names of tags that mark spans."""

from __future__ import annotations

from collections.abc import Sequence


def check_bio(class_names) -> tuple[str, ...]:
    """Checks that names of classes are tags in BIO form.

    Args:
        class_names: The names.

    Returns:
        The names as a tuple.

    Raises:
        TypeError: If they are not a sequence of strings.
        ValueError: If `O` is missing, or a name is none of `O`, `B-<type>`
            and `I-<type>`.
    """
    is_list = isinstance(class_names, Sequence)
    if isinstance(class_names, str) or not is_list:
        raise TypeError(
            f"class_names={class_names!r}; expected a list of tags, such as "
            "['O', 'B-artist', 'I-artist']."
        )
    for tag in class_names:
        if not isinstance(tag, str):
            raise TypeError(f"class_names holds {tag!r}; expected strings.")
        if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:]):
            raise ValueError(
                f"class_names holds {tag!r}; expected 'O', or 'B-' or 'I-' "
                "and a type, such as 'B-artist'. mtl_keras.datasets.to_iob2 "
                "converts tags from the BIOES or BILOU form."
            )
    if "O" not in class_names:
        raise ValueError(
            f"class_names={list(class_names)} lacks 'O', the tag of steps "
            "outside of spans."
        )
    return tuple(class_names)


def check_iob2(class_names) -> tuple[str, ...]:
    """Checks that names of classes are tags in IOB2 form.

    In this form each span begins with `B-`. In the IOB1 form a span begins
    with `I-` unless it follows another one of its type directly, so that most
    types have no `B-`.

    Args:
        class_names: The names.

    Returns:
        The names as a tuple.

    Raises:
        TypeError: See `check_bio`.
        ValueError: See `check_bio`; or if there is an `I-<type>` without its
            `B-<type>`.
    """
    names = check_bio(class_names)
    for tag in names:
        begin = f"B-{tag[2:]}"
        if tag[:2] == "I-" and begin not in names:
            raise ValueError(
                f"class_names holds {tag!r} but not {begin!r}; expected tags "
                "in IOB2 form, where each span begins with 'B-'. To convert "
                "tags from the IOB1 form, use mtl_keras.datasets.to_iob2("
                "tags, 'iob1') or from_conll(..., scheme='iob1')."
            )
    return names
