"""Counts the labels of one task, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from mtl_keras.datasets.description import TaskDescription
from mtl_keras.tasks import Task

# Labels below are counted in an array of this length.
_FEW = 2**16


class LabelCounts:
    """Counts of the labels of one task.

    Args:
        name: String, name of the task.
        task: The task, or `None` to infer what its labels are: integers and
            masks are classes, floats are numbers.
    """

    def __init__(self, name: str, task: Task | None):
        self.name = name
        self.task = task
        self.samples = self.labelled = 0
        self.elements = self.labelled_elements = 0
        self.low, self.high, self.sum = np.inf, -np.inf, 0.0
        self.is_number = task.num_label_classes is None if task else None
        # Several labels of yes and no are counted by column.
        self.by_label = bool(task and task.columns and not self.is_number)
        self._classes: Counter[int] = Counter()
        self._steps = _Steps()

    def update(self, targets, count: int) -> np.ndarray:
        """Counts the labels of a batch.

        Args:
            targets: Array of targets, batch axis first, or `None` if no
                sample of the batch has a label.
            count: Integer, number of samples.

        Returns:
            Boolean array of shape `(count,)`, true where a sample has a label.

        Raises:
            ValueError: If they are not numbers, their number differs from
                `count`, or they are not valid classes.
        """
        self.samples += count
        if targets is None:
            self.elements += count
            self._steps.unlabelled += count
            return np.zeros(count, bool)
        values = self._numbers(targets, count)
        if self.is_number is None:
            self.is_number = values.dtype.kind == "f" and values.ndim < 3
        if not self.is_number:
            values = self._class_indices(values)
        there = self._labelled(values)
        flags = there.reshape(count, -1).any(axis=1)
        self.elements += values.size
        self.labelled_elements += int(there.sum())
        self.labelled += int(flags.sum())
        if self.is_number:
            self._count_numbers(values[there])
        elif self.by_label:
            # Labels of 0.5 and more count as 1, as in metrics.
            found = ((values >= 0.5) & there).sum(axis=0).ravel()
            self._classes.update(dict(enumerate(found.tolist())))
        else:
            self._count_classes(values[there])
            if self._may_be_sequence(values):
                self._steps.update(there.reshape(count, -1), flags)
        return flags

    def _numbers(self, targets, count: int) -> np.ndarray:
        values = np.asarray(targets)
        if values.dtype.kind == "O":
            # Nullable columns of pandas contain pd.NA, others None.
            values = np.array(
                [np.nan if _is_gone(v) else v for v in values.ravel()]
            ).reshape(values.shape)
        if values.dtype.kind == "V":
            values = values.astype("float32")
        if values.dtype.kind not in "biuf":
            raise ValueError(
                f"Task {self.name!r}: found labels of dtype {values.dtype}, "
                "expected numbers. Encode the classes as integers from 0, and "
                "pass their names as class_names of the task."
            )
        if values.shape[:1] != (count,):
            raise ValueError(
                f"Task {self.name!r}: found targets of shape {values.shape}, "
                f"expected one per sample, {count}."
            )
        return values

    def _class_indices(self, values):
        """Converts a value per class to the class, -1 where one is missing."""
        if self.task is None or not self.task.is_one_hot(values.shape):
            return values
        missing = ~self._labelled(values).all(axis=-1)
        return np.where(missing, -1, np.nan_to_num(values).argmax(axis=-1))

    def _labelled(self, values) -> np.ndarray:
        there = np.ones(values.shape, bool)
        if values.dtype.kind == "f":
            there &= ~np.isnan(values)
        if not self.is_number and values.dtype.kind in "fi":
            there &= values != -1
        return there

    def _count_numbers(self, found: np.ndarray) -> None:
        if found.size:
            found = found.astype("float64")
            self.low = min(self.low, float(found.min()))
            self.high = max(self.high, float(found.max()))
            self.sum += float(found.sum())

    def _count_classes(self, found: np.ndarray) -> None:
        if not found.size:
            return
        low, high = found.min(), found.max()
        if low < 0 or not np.isfinite(high):
            bad = low if low < 0 else high
            raise ValueError(
                f"Task {self.name!r}: found label {bad}, expected classes "
                "from 0 (or -1 or NaN for a missing label)."
            )
        if found.dtype.kind == "f":
            found = np.floor(found + 0.5)
        if high < _FEW:
            counts = np.bincount(found.astype("int32"))
            labels = counts.nonzero()[0]
            counts = counts[labels]
        else:
            labels, counts = np.unique(found, return_counts=True)
        pairs = zip(map(int, labels.tolist()), counts.tolist(), strict=True)
        self._classes.update(dict(pairs))

    def _may_be_sequence(self, values) -> bool:
        if self.task is None:
            return values.ndim == 2 and values.shape[1] > 1
        return self.task.labels_per == "step"

    def describe(self) -> TaskDescription:
        """Returns the counts."""
        numbers = self.is_number and self.labelled_elements
        mean = self.sum / self.labelled_elements if numbers else None
        return TaskDescription(
            name=self.name,
            kind=self._kind(),
            samples=self.samples,
            labelled=self.labelled,
            elements=self._elements(),
            labelled_elements=self.labelled_elements,
            class_counts=None if self.is_number else self._class_counts(),
            is_multi_label=self.by_label,
            minimum=self.low if numbers else None,
            mean=mean,
            maximum=self.high if numbers else None,
            title=None if self.task is None else self.task.title,
        )

    def _kind(self) -> str:
        if self.task is not None:
            return type(self.task).__name__
        return "numbers" if self.is_number else "classes"

    def _elements(self) -> int:
        steps = self._steps
        if self.task is not None and self.task.labels_per == "step":
            return steps.elements(self.samples)
        # Without a task, holes at the ends of rows alone are those of padded
        # sequences. Several labels of yes and no may have them by chance.
        padded = steps.padding and not steps.holes
        if self.task is None and padded and max(self._classes) > 1:
            return steps.elements(self.samples)
        return self.elements

    def _class_counts(self) -> dict[str, int]:
        names = getattr(self.task, "class_names", None) or ()
        return {
            names[code] if code < len(names) else str(code): self._classes[code]
            for code in self._codes()
        }

    def _codes(self) -> Iterator[int]:
        """Numbers of the classes: all of the task's, and what was found."""
        if self.task is None:
            # Where half of the numbers up to the greatest are there, all are.
            counted = 1 + max(self._classes, default=-1)
            counted = counted if counted <= 2 * len(self._classes) else 0
        else:
            counted = self.task.num_categories
            counted = counted if counted <= _FEW else 0
        yield from range(counted)
        yield from sorted(code for code in self._classes if code >= counted)


class _Steps:
    """Counts of steps of sequences: labelled, missing, and padding."""

    def __init__(self):
        self.sequences = self.unlabelled = 0
        self.steps = self.holes = self.padding = 0

    def update(self, there: np.ndarray, flags: np.ndarray) -> None:
        labelled = there[flags]
        ends = labelled.shape[1] - labelled[:, ::-1].argmax(axis=1)
        steps = int(ends.sum())
        self.sequences += len(labelled)
        self.unlabelled += len(there) - len(labelled)
        self.steps += steps
        self.holes += steps - int(labelled.sum())
        self.padding += labelled.size - steps

    def elements(self, samples: int) -> int:
        """Returns the number of steps without padding.

        Sequences without labels count with the mean length of the others.
        """
        if not self.sequences:
            return samples
        return self.steps + round(self.unlabelled * self.steps / self.sequences)


def _is_gone(value) -> bool:
    # pd.NA compares with nothing.
    return value is None or type(value).__name__ == "NAType" or value != value
