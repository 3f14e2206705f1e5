"""Inputs that nearly determine a label."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from mtl_keras.columns.column_values import is_missing, is_text
from mtl_keras.tasks import Task

MOST_ROWS = 10_000
FEWEST_ROWS = 50
# Pairs of an input and a label; each takes some milliseconds.
MOST_PAIRS = 2_000
LIMIT = 0.98
# Leaves of a tree on one column, besides one for each class.
_LEAVES = 8


def warn_about_leaks(
    columns: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    tasks: tuple[Task, ...],
) -> None:
    """Warns once of inputs that nearly determine a label.

    Another task's label or a total among the inputs is the most common leak.
    An input nearly determines a label if their rank correlation exceeds 0.98,
    or the balanced accuracy of a small tree on that column, for rows that the
    tree has not seen.

    Args:
        columns: Dict from the name of an input to an array of shape `(n,)`.
        targets: Dict from task name to an array of shape `(n,)`, or
            `(n, columns)`.
        tasks: The tasks.

    Warns:
        UserWarning: If there are such inputs.
    """
    rows = len(next(iter(targets.values()), ()))
    labels = sum(np.size(y[:1]) for y in targets.values())
    if rows < FEWEST_ROWS or labels * len(columns) > MOST_PAIRS:
        return
    chosen = np.arange(rows)
    if rows > MOST_ROWS:
        rng = np.random.default_rng(0)
        chosen = np.sort(rng.choice(rows, MOST_ROWS, replace=False))
    inputs = {name: _Input(v[chosen]) for name, v in columns.items()}
    found = []
    for task in tasks:
        labels = np.asarray(targets[task.name])[chosen]
        for label in labels.reshape(len(labels), -1).T:
            found += _find_leaks(inputs, task.name, label)
    pairs = list(dict.fromkeys(found))
    if pairs:
        named = "; ".join(
            f"{name!r} of task {task!r}" for name, task in pairs[:5]
        )
        more = f" and {len(pairs) - 5} more" if len(pairs) > 5 else ""
        columns = list(dict.fromkeys(name for name, _ in pairs))
        warnings.warn(
            f"Inputs nearly determine a label: column {named}{more}. Are they "
            "known when the model predicts? If not, leave them out: "
            f"exclude={columns}.",
            stacklevel=5,
        )


class _Input:
    """An input as numbers."""

    def __init__(self, values: np.ndarray):
        import pandas  # takes half a second to load

        self.is_text = is_text(values)
        self.missing = is_missing(values)
        if self.is_text:
            self.numbers = pandas.factorize(values)[0].astype("float64")
        else:
            self.numbers = values.astype("float64")


def _find_leaks(inputs: Mapping[str, _Input], task: str, label) -> list:
    is_class = label.dtype.kind in "iu"
    labelled = label >= 0 if is_class else np.isfinite(label)
    leaks = []
    for name, column in inputs.items():
        there = labelled & ~column.missing
        # An input that is mostly missing determines no label.
        if there.sum() < max(FEWEST_ROWS, labelled.sum() / 2):
            continue
        values, wanted = column.numbers[there], label[there]
        if values.min() == values.max() or wanted.min() == wanted.max():
            continue
        alike = not column.is_text and _correlation(values, wanted) > LIMIT
        if alike or (
            is_class and _tree_score(values, wanted, column.is_text) > LIMIT
        ):
            leaks.append((name, task))
    return leaks


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    ranks = _ranks(x), _ranks(y)
    return abs(float(np.corrcoef(*ranks)[0, 1]))


def _ranks(values: np.ndarray) -> np.ndarray:
    import pandas

    return pandas.Series(values).rank().to_numpy()


def _tree_score(values, labels, is_text: bool) -> float:
    """Balanced accuracy of a tree on one column, for unseen rows."""
    half = np.arange(len(values)) % 2 == 0
    classes, labels = np.unique(labels, return_inverse=True)
    if is_text:
        predicted = _by_category(values, labels, half, len(classes))
    else:
        from sklearn.tree import DecisionTreeClassifier

        tree = DecisionTreeClassifier(
            max_leaf_nodes=len(classes) + _LEAVES, class_weight="balanced"
        )
        predicted = tree.fit(values[half, None], labels[half]).predict(
            values[~half, None]
        )
    wanted = labels[~half]
    recalls = [
        np.mean(predicted[wanted == code] == code) for code in np.unique(wanted)
    ]
    return float(np.mean(recalls)) if len(recalls) > 1 else 0.0


def _by_category(values, labels, half, count) -> np.ndarray:
    """The most frequent class of each category, relative to its share."""
    codes = values.astype(int)
    table = np.zeros((codes.max() + 1, count))
    np.add.at(table, (codes[half], labels[half]), 1)
    table /= np.maximum(table.sum(axis=0), 1)
    return table.argmax(axis=1)[codes[~half]]
