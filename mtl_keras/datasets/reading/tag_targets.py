"""Makes the task and targets of the tags of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mtl_keras.datasets.reading.class_task import (
    check_several_classes,
    make_class_task,
    unknown_class_error,
)
from mtl_keras.datasets.reading.kind_labels import has_one_class
from mtl_keras.datasets.reading.label_rules import LabelRules
from mtl_keras.datasets.reading.ragged_rows import MISSING, RaggedRows
from mtl_keras.datasets.reading.spec_task import get_argument
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.span_tags import AmbiguousTag, are_spans
from mtl_keras.datasets.tag_schemes import (
    OUTSIDE,
    PLAIN,
    InvalidTag,
    convert,
    suggest_scheme,
)
from mtl_keras.tasks import SequenceTagging, Task

_SPAN_METRICS = ("decoded_span_f1", "span_f1", "accuracy")


def make_tag_target(
    spec: TargetSpec,
    rows: Sequence[Sequence[str]],
    where: Callable[[int, int], str],
    rules: LabelRules,
    training: np.ndarray,
) -> tuple[Task, RaggedRows]:
    """Makes the task and targets of the tags of tokens.

    Args:
        spec: The `TargetSpec`.
        rows: The tags of each sentence.
        where: Function from a sentence and a token to its place in the files,
            for errors.
        rules: Rules that apply to all tasks.
        training: Integer array, the sentences of the training part, whose
            tags are the classes.

    Returns:
        The task, and the class of each tag, -1 where it is missing.

    Raises:
        ValueError: If tags do not fit. The error names the file and line.
    """
    kind = spec.kind or SequenceTagging
    if not has_one_class(kind, "step"):
        raise ValueError(
            f"Task {spec.name!r}: the tag of a token is one class, found the "
            f"kind {kind.__name__}. Use SequenceTagging."
        )
    rows, spans = _convert_to_iob2(spec.name, rows, where, rules)
    names = get_argument(spec, "class_names")
    classes = names or _training_tags(spec, rows, rules, spans, training)
    codes_by_tag = {name: code for code, name in enumerate(classes)}
    codes_by_tag |= dict.fromkeys(rules.missing, MISSING)
    encoded = [[codes_by_tag.get(tag) for tag in row] for row in rows]
    for sentence, codes in enumerate(encoded):
        if None not in codes:
            continue
        step = codes.index(None)
        if rules.unknown_classes == "error":
            tag = rows[sentence][step]
            place = f"the tag {tag!r} in {where(sentence, step)}"
            raise unknown_class_error(spec, tag, place, names)
        encoded[sentence] = _mask_unknown(codes, rows[sentence], spans)
    metrics = {"metrics": list(_SPAN_METRICS)} if spans else {}
    task = make_class_task(spec, kind, classes, **metrics)
    return task, RaggedRows.pack(encoded)


def _convert_to_iob2(
    task: str, rows, where, rules: LabelRules
) -> tuple[list[list[str]], bool]:
    """Returns the tags in the IOB2 scheme, and whether they mark spans."""
    scheme, advice = rules.get_scheme(task), rules.scheme_advice(task)
    if scheme == PLAIN:
        return list(rows), False
    try:
        spans = are_spans({tag for row in rows for tag in row} - rules.missing)
    except AmbiguousTag as error:
        sentence, step = _find_first(rows, error.tag)
        raise ValueError(
            f"Task {task!r}, {where(sentence, step)}: {error}. If it stands "
            f"for a missing label, pass missing_values=[{error.tag!r}]; "
            f"{advice(PLAIN)} keeps tags as they are, as classes of tokens."
        ) from None
    if not spans:
        return list(rows), False
    converted = []
    for sentence, row in enumerate(rows):
        tags = convert(row, scheme, rules.missing)
        if isinstance(tags, InvalidTag):
            raise ValueError(
                f"Task {task!r}, {where(sentence, tags.step)}: {tags.text}. "
                f"{suggest_scheme(rows, scheme, advice, rules.missing)}"
            )
        converted.append(tags)
    return converted, True


def _find_first(rows, tag: str) -> tuple[int, int]:
    return next(
        (sentence, row.index(tag))
        for sentence, row in enumerate(rows)
        if tag in row
    )


def _training_tags(spec, rows, rules, spans: bool, training) -> list[str]:
    tags = {tag for i in training for tag in rows[i]} - rules.missing
    if spans:
        # `O` first, then all `B-`, then all `I-`.
        tags = sorted(tags | {OUTSIDE}, key=lambda tag: (tag != OUTSIDE, tag))
    else:
        tags = sorted(tags)
    check_several_classes(spec, tags)
    return tags


def _mask_unknown(codes, tags, spans: bool) -> list[int]:
    """Marks unknown tags as missing, and all other tags of their spans."""
    masked = list(codes)
    for step, code in enumerate(codes):
        if code is not None:
            continue
        first, last = step, step + 1
        if spans:
            while tags[first][:2] == "I-" and first:
                first -= 1
            while last < len(tags) and tags[last][:2] == "I-":
                last += 1
        masked[first:last] = [MISSING] * (last - first)
    return masked
