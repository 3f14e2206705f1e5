"""Names of tags that make spans, and whether spans can be made of them."""

from __future__ import annotations

from collections.abc import Sequence


def check_bio(class_names) -> tuple[str, ...]:
    """Checks that names of classes are tags of spans in BIO form.

    Args:
        class_names: Sequence of strings, or what should be one.

    Returns:
        The names as a tuple.

    Raises:
        TypeError: If they are no sequence of strings.
        ValueError: If `O` is not among them, or one is neither `O` nor
            `B-<type>` nor `I-<type>`.
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
                "converts tags of the BIOES and the BILOU form."
            )
    if "O" not in class_names:
        raise ValueError(
            f"class_names={list(class_names)} lacks 'O', the tag of steps in "
            "no span."
        )
    return tuple(class_names)


def check_iob2(class_names) -> tuple[str, ...]:
    """Checks that names of classes are those of the IOB2 form.

    There, each span begins with `B-`. In the IOB1 form it begins with `I-`
    unless it touches another one of its type, so that most types have no
    `B-`.

    Args:
        class_names: Sequence of strings, or what should be one.

    Returns:
        The names as a tuple.

    Raises:
        TypeError: See `check_bio`.
        ValueError: See `check_bio`; or if an `I-<type>` is among the names
            and `B-<type>` is not.
    """
    names = check_bio(class_names)
    for tag in names:
        begin = f"B-{tag[2:]}"
        if tag[:2] == "I-" and begin not in names:
            raise ValueError(
                f"class_names holds {tag!r} and not {begin!r}; expected tags "
                "of the IOB2 form, in which each span begins with 'B-'. Those "
                "of the IOB1 form are converted by mtl_keras.datasets.to_iob2("
                "tags, 'iob1'), and by from_conll(..., scheme='iob1')."
            )
    return names
