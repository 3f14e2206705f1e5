"""Makes the task and targets of the classes of sentences."""

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
from mtl_keras.datasets.reading.ragged_rows import MISSING
from mtl_keras.datasets.reading.spec_task import get_argument
from mtl_keras.datasets.reading.target_spec import TargetSpec
from mtl_keras.tasks import Classification, Task


def make_sentence_target(
    spec: TargetSpec,
    labels: Sequence[str],
    where: Callable[[int], str],
    rules: LabelRules,
    training: np.ndarray,
) -> tuple[Task, np.ndarray]:
    """Makes the task and targets of the classes of sentences.

    Args:
        spec: The `TargetSpec`.
        labels: The class of each sentence; an empty string is a missing label.
        where: Function from a sentence to the place of its label in the files,
            for errors.
        rules: Rules that apply to all tasks.
        training: Integer array, the sentences of the training part, whose
            labels are the classes.

    Returns:
        The task, and int32 of shape `(n,)`, -1 where a label is missing.

    Raises:
        ValueError: If labels do not fit. The error names the file and line.
    """
    kind = spec.kind or Classification
    if not has_one_class(kind, "sample"):
        raise ValueError(
            f"Task {spec.name!r}: the label of a sentence is one class, found "
            f"the kind {kind.__name__}. Use Classification, or "
            "BinaryClassification."
        )
    names = get_argument(spec, "class_names")
    classes = names or sorted({labels[i] for i in training} - rules.missing)
    check_several_classes(spec, classes)
    codes_by_label = {name: code for code, name in enumerate(classes)}
    codes_by_label |= dict.fromkeys(rules.missing, MISSING)
    codes = np.full(len(labels), MISSING, "int32")
    for sentence, label in enumerate(labels):
        if label in codes_by_label:
            codes[sentence] = codes_by_label[label]
        elif rules.unknown_classes == "error":
            place = f"the label {label!r} in {where(sentence)}"
            raise unknown_class_error(spec, label, place, names)
    return make_class_task(spec, kind, classes), codes
