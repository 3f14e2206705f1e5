"""Counts the labels of one task, batch by batch."""

from __future__ import annotations

import numpy as np

from mtl_keras.datasets.description import TaskDescription
from mtl_keras.tasks import (
    Classification,
    MultiLabelClassification,
    Regression,
    Segmentation,
    Task,
)


class LabelCounts:
    """Counts of the labels of one task.

    Args:
        name: String, name of the task.
        task: The task, or `None` if its labels must say themselves whether
            they are classes: integers and masks are, floats are not.
    """

    def __init__(self, name: str, task: Task | None):
        self.name = name
        self.task = task
        self.samples = self.labelled = 0
        self.elements = self.labelled_elements = 0
        self.classes: np.ndarray | None = None
        self.low, self.high, self.sum = np.inf, -np.inf, 0.0
        self.by_label = isinstance(task, MultiLabelClassification)
        self.is_number = isinstance(task, Regression) if task else None

    def update(self, targets, count: int) -> np.ndarray:
        """Counts the labels of a batch.

        Args:
            targets: Array of targets, batch axis first, or `None` if no
                sample of the batch has a label.
            count: Integer, number of samples.

        Returns:
            Boolean array of shape `(count,)`, true where a sample has a label.
        """
        self.samples += count
        if targets is None:
            self.elements += count
            return np.zeros(count, bool)
        targets = np.asarray(targets)
        if self.is_number is None:
            self.is_number = targets.dtype.kind == "f" and targets.ndim < 3
        values = targets.astype("float64")
        if not self.is_number:
            values = self._class_indices(values)
        there = ~np.isnan(values)
        if not self.is_number:
            there &= values != -1
        self.elements += values.size
        self.labelled_elements += int(there.sum())
        flags = there.reshape(count, -1).any(axis=1)
        self.labelled += int(flags.sum())
        self._count(values, there)
        return flags

    def _class_indices(self, values):
        """One value per class becomes the class, -1 where one is missing."""
        task = self.task
        if not isinstance(task, Classification | Segmentation):
            return values
        one_hot = (
            task.num_classes > 1
            and values.ndim == task.feature_rank
            and values.shape[-1] == task.num_classes
        )
        if not one_hot:
            return values
        missing = (np.isnan(values) | (values == -1)).any(axis=-1)
        return np.where(missing, -1, np.nan_to_num(values).argmax(axis=-1))

    def _count(self, values, there) -> None:
        if self.is_number:
            if there.any():
                found = values[there]
                self.low = min(self.low, float(found.min()))
                self.high = max(self.high, float(found.max()))
                self.sum += float(found.sum())
            return
        if self.by_label:
            found = ((values == 1) & there).sum(axis=0).astype(int)
        else:
            found = values[there].astype(int)
            if (found < 0).any():
                raise ValueError(
                    f"Task {self.name!r}: found label {found.min()}, expected "
                    "classes from 0 (or -1 or NaN for a missing label)."
                )
            found = np.bincount(found)
        size = max(len(found), 0 if self.classes is None else len(self.classes))
        total = np.zeros(size, int)
        total[: len(found)] += found
        if self.classes is not None:
            total[: len(self.classes)] += self.classes
        self.classes = total

    def describe(self) -> TaskDescription:
        """Returns the counts."""
        numbers = self.is_number and self.labelled_elements
        mean = self.sum / self.labelled_elements if numbers else None
        return TaskDescription(
            name=self.name,
            kind=self._kind(),
            samples=self.samples,
            labelled=self.labelled,
            elements=self.elements,
            labelled_elements=self.labelled_elements,
            class_counts=None if self.is_number else self._class_counts(),
            minimum=self.low if numbers else None,
            mean=mean,
            maximum=self.high if numbers else None,
        )

    def _kind(self) -> str:
        if self.task is not None:
            return type(self.task).__name__
        return "numbers" if self.is_number else "classes"

    def _class_counts(self) -> dict[str, int]:
        found = [] if self.classes is None else self.classes.tolist()
        size = max(len(found), _num_classes(self.task))
        names = getattr(self.task, "class_names", None) or ()
        found += [0] * (size - len(found))
        return {
            names[code] if code < len(names) else str(code): count
            for code, count in enumerate(found)
        }


def _num_classes(task: Task | None) -> int:
    if task is None:
        return 0
    labels = getattr(task, "num_labels", 0)
    return labels or max(2, getattr(task, "num_classes", 2))
