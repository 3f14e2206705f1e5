"""What a description of labels says, and how it reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

MOST_CLASSES_SHOWN = 6


@dataclasses.dataclass(frozen=True)
class TaskDescription:
    """The labels of one task.

    Args:
        name: String, name of the task.
        kind: String, kind of the task, or `"classes"` or `"numbers"`.
        samples: Integer, number of samples.
        labelled: Integer, number of samples with a label (a mask with one
            labelled pixel has one).
        elements: Integer, number of pixels of masks, of columns of several
            labels or numbers, of samples elsewhere.
        labelled_elements: Integer, how many of them have a label.
        class_counts: Dict from class (its name, or its number) to the number
            of elements, or `None` for a regression.
        minimum: Float, the smallest number of a regression, or `None`.
        mean: Float, mean of the numbers of a regression, or `None`.
        maximum: Float, the greatest number of a regression, or `None`.
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

    @property
    def missing(self) -> float:
        """Share of the elements that have no label, from 0 to 1."""
        return 1 - self.labelled_elements / max(self.elements, 1)

    def labels(self) -> str:
        """Says in a line which labels there are, and how many of each."""
        if self.class_counts is None:
            if self.mean is None:
                return "none"
            return (
                f"{self.minimum:.4g} to {self.maximum:.4g}, mean "
                f"{self.mean:.4g}"
            )
        counts = self.class_counts
        whole = self.labelled_elements
        if self.kind == "MultiLabelClassification":
            # Each label is there or not by itself.
            whole = whole / max(len(counts), 1)
        if not whole:
            return "none"
        shares = {name: count / whole for name, count in counts.items()}
        if len(shares) <= MOST_CLASSES_SHOWN:
            return ", ".join(f"{n}: {_percent(s)}" for n, s in shares.items())
        rarest = min(shares, key=shares.get)
        commonest = max(shares, key=shares.get)
        return (
            f"{len(shares)} classes, {rarest}: {_percent(shares[rarest])} to "
            f"{commonest}: {_percent(shares[commonest])}"
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Description:
    """The labels of a data set.

    `str()` of it is a table.

    Args:
        samples: Integer, number of samples.
        tasks: Dict from task name to `TaskDescription`.
        together: Integer array of shape `(tasks, tasks)`: how many samples
            have a label for both tasks of a pair, and for one on the diagonal.
        parts: Dict from the name of a part to its `Description`; empty if the
            data has one part.
    """

    samples: int
    tasks: Mapping[str, TaskDescription]
    together: np.ndarray
    parts: Mapping[str, Description] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict:
        """Returns the numbers as a dict that JSON can hold."""
        return {
            "samples": self.samples,
            "tasks": {
                name: {**dataclasses.asdict(task), "missing": task.missing}
                for name, task in self.tasks.items()
            },
            "together": self.together.tolist(),
            "parts": {n: part.to_dict() for n, part in self.parts.items()},
        }

    def __str__(self):
        head = f"{self.samples:,} samples"
        if self.parts:
            parts = [f"{p.samples:,} {name}" for name, p in self.parts.items()]
            head += f": {', '.join(parts)}"
        blocks = [head, self._labels_table()]
        holes = any(task.missing for task in self.tasks.values())
        if holes and len(self.tasks) > 1:
            blocks.append(self._together_table())
        return "\n\n".join(blocks)

    def _labels_table(self) -> str:
        rows = [["task", "kind", "labelled", *self.parts, "missing", "labels"]]
        for name, task in self.tasks.items():
            parts = [part.tasks[name].labelled for part in self.parts.values()]
            counts = [f"{count:,}" for count in (task.labelled, *parts)]
            missing = _percent(task.missing)
            rows.append([name, task.kind, *counts, missing, task.labels()])
        return _table(rows, left=(0, 1, len(rows[0]) - 1))

    def _together_table(self) -> str:
        rows = [["labelled for both", *self.tasks]]
        for name, counts in zip(self.tasks, self.together, strict=True):
            rows.append([name, *(f"{count:,}" for count in counts.tolist())])
        return _table(rows, left=(0,))


def merge(parts: Mapping[str, Description]) -> Description:
    """Adds the descriptions of parts up.

    Args:
        parts: Dict from name to the `Description` of a part, all of the same
            tasks.

    Returns:
        The `Description` of the whole, which keeps the parts.
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


def _percent(share: float) -> str:
    # Neither a rare class nor a rare hole reads as none at all.
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.1f} %"


def _table(rows: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
