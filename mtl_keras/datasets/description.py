"""Statistics of the labels of a data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.datasets.description_text import (
    class_table,
    labels_text,
    whole_text,
)
from mtl_keras.datasets.group_sizes import GroupSizes


@dataclasses.dataclass(frozen=True)
class TaskDescription:
    """Statistics of the labels of one task.

    It prints as a list of all classes.

    Args:
        name: String, name of the task.
        kind: String, kind of the task, or `"classes"` or `"numbers"`.
        samples: Integer, number of samples.
        labelled: Integer, number of samples with at least one label (for a
            mask, one labelled pixel).
        elements: Integer, number of pixels of masks, of steps of sequences
            without padding, of columns of several labels or numbers, or of
            samples. A sequence without labels counts with the mean length of
            the others.
        labelled_elements: Integer, number of elements with a label.
        class_counts: Dict from class (its name or index) to its number of
            elements, or `None` for a regression.
        minimum: Float, minimum of a regression, or `None`.
        mean: Float, mean of a regression, or `None`.
        maximum: Float, the greatest number of a regression, or `None`.
        is_multi_label: Boolean, whether each class is a separate label.
            Defaults to `False`.
        title: String that people read in place of the name. Defaults to
            `None`: the name.
    """

    name: str
    kind: str
    samples: int
    labelled: int
    elements: int
    labelled_elements: int
    class_counts: Mapping[str, int] | None = None
    minimum: float | None = None
    mean: float | None = None
    maximum: float | None = None
    is_multi_label: bool = False
    title: str | None = None

    @property
    def display_name(self) -> str:
        """The title, or the name if there is none."""
        return self.name if self.title is None else self.title

    @property
    def missing(self) -> float:
        """Fraction of the elements without a label, in [0, 1]."""
        return 1 - self.labelled_elements / max(self.elements, 1)

    @property
    def class_shares(self) -> dict[str, float]:
        """Dict from class to its fraction of the labels, in [0, 1]."""
        counts = self.class_counts or {}
        whole = self.labelled_elements
        if self.is_multi_label:
            # Each label is there or not by itself.
            whole = whole / max(len(counts), 1)
        return {name: n / max(whole, 1) for name, n in counts.items()}

    def labels(self, width: int = 80) -> str:
        """Summarizes the labels in one line.

        Args:
            width: Integer, number of characters. If not all classes fit, only
                the rarest and the most common are shown. Defaults to 80.

        Returns:
            The line.
        """
        return labels_text(self, width)

    def __str__(self):
        return class_table(self)


@dataclasses.dataclass(frozen=True, eq=False)
class Description:
    """Statistics of the labels of a data set.

    It prints as a table. With many tasks, it prints those with the fewest and
    the most labels.

    Args:
        samples: Integer, number of samples.
        tasks: Dict from task name to `TaskDescription`.
        together: Integer array of shape `(tasks, tasks)`, number of samples
            with a label for both tasks of a pair, and for one task on the
            diagonal.
        parts: Dict from the name of a part to its `Description`. Defaults to
            `{}`: the data have one part.
        groups: `GroupSizes` of the samples. Defaults to `None`: there are no
            groups.
    """

    samples: int
    tasks: Mapping[str, TaskDescription]
    together: np.ndarray
    parts: Mapping[str, Description] = dataclasses.field(default_factory=dict)
    groups: GroupSizes | None = None

    def to_dict(self) -> dict:
        """Returns the statistics as a dict for JSON."""
        return {
            "samples": self.samples,
            "groups": self.groups and dataclasses.asdict(self.groups),
            "tasks": {
                name: {**dataclasses.asdict(task), "missing": task.missing}
                for name, task in self.tasks.items()
            },
            "together": self.together.tolist(),
            "parts": {n: part.to_dict() for n, part in self.parts.items()},
        }

    def __str__(self):
        return whole_text(self)


def merge(parts: Mapping[str, Description]) -> Description:
    """Merges the descriptions of parts.

    Args:
        parts: Dict from name to the `Description` of a part, with the same
            tasks.

    Returns:
        The `Description` of all parts together.
    """
    first, *_ = parts.values()
    return Description(
        samples=sum(part.samples for part in parts.values()),
        tasks={
            name: _merge_tasks([part.tasks[name] for part in parts.values()])
            for name in first.tasks
        },
        together=sum(part.together for part in parts.values()),
        parts=parts,
    )


def _merge_tasks(parts: Sequence[TaskDescription]) -> TaskDescription:
    whole = {
        field: sum(getattr(part, field) for part in parts)
        for field in ("samples", "labelled", "elements", "labelled_elements")
    }
    numbers = [part for part in parts if part.mean is not None]
    if numbers:
        count = sum(part.labelled_elements for part in numbers)
        total = sum(part.mean * part.labelled_elements for part in numbers)
        whole["minimum"] = min(part.minimum for part in numbers)
        whole["maximum"] = max(part.maximum for part in numbers)
        whole["mean"] = total / count
    if parts[0].class_counts is not None:
        names = dict.fromkeys(n for part in parts for n in part.class_counts)
        whole["class_counts"] = {
            name: sum(part.class_counts.get(name, 0) for part in parts)
            for name in names
        }
    return dataclasses.replace(parts[0], **whole)
