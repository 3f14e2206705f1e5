"""Makes the tasks and targets of sentences: tags of tokens, and classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from mtl_keras.datasets.reading.ragged_rows import MISSING, RaggedRows
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.datasets.tag_schemes import (
    OUTSIDE,
    PLAIN,
    ForeignTag,
    TagFault,
    are_spans,
    check_scheme,
    convert,
    way_out,
)
from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    SequenceTagging,
    Task,
)

UNKNOWN_CLASSES = ("error", "missing")
_SPAN_METRICS = ("decoded_span_f1", "span_f1", "accuracy")


@dataclasses.dataclass(frozen=True)
class TagRules:
    """What holds for the labels of all tasks.

    Args:
        training: Integer array, the sentences that classes are those of.
        unknown: `"error"` or `"missing"`, what a class is that no sentence of
            the training part has.
        missing: Collection of strings that stand for a missing label.
        scheme: The form of tags of spans, or a dict of it by task.
    """

    training: np.ndarray
    unknown: str
    missing: Collection[str]
    scheme: str | Mapping[str, str]

    def scheme_of(self, task: str) -> str:
        """Finds the form of the tags of a task.

        Args:
            task: String, its name.
        """
        if isinstance(self.scheme, Mapping):
            return check_scheme("scheme", self.scheme.get(task, "iob2"))
        return check_scheme("scheme", self.scheme)

    def advice(self, task: str) -> Callable[[str], str]:
        """Returns a function of a scheme that says how to pass it.

        Args:
            task: String, name of the task.
        """
        if isinstance(self.scheme, Mapping):
            return lambda scheme: f"scheme={ {task: scheme} }"
        return "scheme={!r}".format


def check_rules(
    unknown_classes: str,
    missing_values: Sequence[str],
    scheme: str | Mapping[str, str],
    tasks: Collection[str],
) -> None:
    """Checks what a caller says of the labels of all tasks.

    Args:
        unknown_classes: See `from_conll`.
        missing_values: See `from_conll`.
        scheme: See `from_conll`.
        tasks: Names of the tasks.

    Raises:
        TypeError: If `missing_values` is a string.
        ValueError: If an argument is none of its values, or `scheme` names a
            task that does not exist.
    """
    if unknown_classes not in UNKNOWN_CLASSES:
        raise ValueError(
            f"`unknown_classes` must be one of {UNKNOWN_CLASSES}, found "
            f"{unknown_classes!r}."
        )
    if isinstance(missing_values, str):
        raise TypeError(
            "`missing_values` must be a list of strings, found "
            f"{missing_values!r}. Pass [{missing_values!r}]."
        )
    by_task = scheme if isinstance(scheme, Mapping) else {"": scheme}
    for name, of_task in by_task.items():
        check_scheme("scheme", of_task)
        if name and name not in tasks:
            raise ValueError(
                f"`scheme` names the task {name!r}, which is none. "
                f"{did_you_mean(name, tasks)}"
            )


def make_tag_target(
    spec: TargetSpec,
    rows: Sequence[Sequence[str]],
    where: Callable[[int, int], str],
    rules: TagRules,
) -> tuple[Task, RaggedRows]:
    """Makes a task and its targets of the tags of tokens.

    Args:
        spec: What the caller says of the target.
        rows: The tags of each sentence.
        where: Function of a sentence and a token that says where it stands.
        rules: What holds for all tasks.

    Returns:
        The task, and the number of each tag, -1 where it is missing.

    Raises:
        ValueError: If tags do not fit. The error names file and line.
    """
    kind = spec.kind or SequenceTagging
    if not issubclass(kind, SequenceTagging):
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} has one label for a "
            "sentence, and there is one for each token. Use SequenceTagging."
        )
    rows, spans = _in_iob2(spec.name, rows, where, rules)
    names = _said(spec, "class_names")
    found = names or _tags_of_training(spec, rows, rules, spans)
    numbers = {name: number for number, name in enumerate(found)}
    numbers |= dict.fromkeys(rules.missing, MISSING)
    coded = [[numbers.get(tag) for tag in row] for row in rows]
    for sentence, codes in enumerate(coded):
        if None not in codes:
            continue
        step = codes.index(None)
        if rules.unknown == "error":
            raise _unknown(
                spec.name,
                f"the tag {rows[sentence][step]!r} in {where(sentence, step)}",
                rows[sentence][step],
                names,
                found,
            )
        coded[sentence] = _without_unknown(codes, rows[sentence], spans)
    metrics = {"metrics": list(_SPAN_METRICS)} if spans else {}
    task = _make_task(spec, kind, found, metrics)
    return task, RaggedRows.of(coded)


def make_label_target(
    spec: TargetSpec,
    labels: Sequence[str],
    where: Callable[[int], str],
    rules: TagRules,
) -> tuple[Task, np.ndarray]:
    """Makes a task and its targets of the classes of sentences.

    Args:
        spec: What the caller says of the target.
        labels: The class of each sentence; the empty text is a missing label.
        where: Function of a sentence that says where its label stands.
        rules: What holds for all tasks.

    Returns:
        The task, and int32 of shape `(n,)`, -1 where a label is missing.

    Raises:
        ValueError: If labels do not fit. The error names file and line.
    """
    kind = spec.kind or Classification
    known = (Classification, BinaryClassification)
    if not issubclass(kind, known) or issubclass(kind, SequenceTagging):
        raise ValueError(
            f"Task {spec.name!r}: a {kind.__name__} is no class of a sentence. "
            "Use Classification, or BinaryClassification."
        )
    missing = {"", *rules.missing}
    names = _said(spec, "class_names")
    found = names or sorted({labels[i] for i in rules.training} - missing)
    _check_several(spec.name, found)
    numbers = {name: number for number, name in enumerate(found)}
    numbers |= dict.fromkeys(missing, MISSING)
    codes = np.full(len(labels), MISSING, "int32")
    for sentence, label in enumerate(labels):
        if label in numbers:
            codes[sentence] = numbers[label]
        elif rules.unknown == "error":
            at = f"the label {label!r} in {where(sentence)}"
            raise _unknown(spec.name, at, label, names, found)
    return _make_task(spec, kind, found, {}), codes


def _in_iob2(task: str, rows, where, rules) -> tuple[list[list[str]], bool]:
    """The tags in the IOB2 form, and whether they make spans."""
    scheme = rules.scheme_of(task)
    if scheme == PLAIN:
        return list(rows), False
    try:
        spans = are_spans(
            {tag for row in rows for tag in row} - {*rules.missing}
        )
    except ForeignTag as fault:
        sentence, step = _first(rows, fault.tag)
        raise ValueError(
            f"Task {task!r}, {where(sentence, step)}: {fault}. If it stands "
            f"for a missing label, pass missing_values=[{fault.tag!r}]; "
            f"{rules.advice(task)(PLAIN)} takes tags as they are, as "
            "classes of tokens that make no spans."
        ) from None
    if not spans:
        return list(rows), False
    converted = []
    for sentence, row in enumerate(rows):
        found = convert(row, scheme, rules.missing)
        if isinstance(found, TagFault):
            advice = way_out(rows, scheme, rules.advice(task), rules.missing)
            raise ValueError(
                f"Task {task!r}, {where(sentence, found.step)}: {found.text}. "
                f"{advice}"
            )
        converted.append(found)
    return converted, True


def _first(rows, tag: str) -> tuple[int, int]:
    return next(
        (sentence, row.index(tag))
        for sentence, row in enumerate(rows)
        if tag in row
    )


def _tags_of_training(spec, rows, rules, spans: bool) -> list[str]:
    found = {tag for i in rules.training for tag in rows[i]} - {*rules.missing}
    if spans:
        # `O` first, then all that begin, then all that go on.
        found = sorted(found | {OUTSIDE}, key=lambda tag: (tag != "O", tag))
    else:
        found = sorted(found)
    _check_several(spec.name, found)
    return found


def _check_several(task: str, found: Sequence[str]) -> None:
    if not found:
        raise ValueError(
            f"Task {task!r}: no sentence of the training part has a label. "
            "Fill labels in, or leave the task out."
        )
    if len(found) < 2:
        raise ValueError(
            f"Task {task!r}: all labels of the training part are {found[0]!r}, "
            "so there is nothing to tell apart. Leave the task out, or pass a "
            "task with class_names."
        )


def _unknown(task: str, at: str, found: str, names, known) -> ValueError:
    if names:
        return ValueError(
            f"Task {task!r}: found {at}, which is none of its class_names. "
            f"{did_you_mean(found, known)} unknown_classes='missing' takes it "
            "as a missing label."
        )
    return ValueError(
        f"Task {task!r}: found {at}, which no sentence of the training part "
        "has. unknown_classes='missing' takes it as a missing label; or pass a "
        "task with all class_names."
    )


def _without_unknown(codes, tags, spans: bool) -> list[int]:
    """Leaves unknown tags out, with all others of their spans."""
    kept = list(codes)
    for step, code in enumerate(codes):
        if code is not None:
            continue
        first, last = step, step + 1
        if spans:
            while tags[first][:2] == "I-" and first:
                first -= 1
            while last < len(tags) and tags[last][:2] == "I-":
                last += 1
        kept[first:last] = [MISSING] * (last - first)
    return kept


def _said(spec: TargetSpec, argument: str):
    """What the task or the arguments of the kind say, or `None`."""
    return getattr(spec.task, argument, None) or spec.arguments.get(argument)


def _make_task(spec: TargetSpec, kind: type[Task], found, more) -> Task:
    """Makes the task, or adds the names that were found to that of the spec."""
    if spec.task is not None:
        _check_count(spec, found)
        if spec.task.class_names is not None:
            return spec.task
        return dataclasses.replace(spec.task, class_names=tuple(found))
    arguments = {"class_names": tuple(found), **more, **spec.arguments}
    if not issubclass(kind, BinaryClassification):
        arguments = {"num_classes": len(found), **arguments}
    return kind(spec.name, **arguments)


def _check_count(spec: TargetSpec, found) -> None:
    count = getattr(spec.task, "num_classes", len(found))
    if count != len(found):
        raise ValueError(
            f"Task {spec.name!r}: found {len(found)} classes in the training "
            f"part, and the task has num_classes={count}. Pass class_names to "
            f"it, or {len(found)}."
        )
