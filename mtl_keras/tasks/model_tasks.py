"""The tasks of a model, as a tuple that prints as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mtl_keras.tasks.task import Task
from mtl_keras.tasks.task_table import TaskRow, html_table, text_table


class ModelTasks(tuple):
    """A tuple of tasks that prints as a table.

    `model.tasks` returns one. It behaves like any other tuple, and equals a
    tuple of the same tasks. Copies are plain tuples.

    Args:
        tasks: The tasks.
        make_rows: Function that returns a `TaskRow` for each task.

    Example:

    >>> model = mtl_keras.build_mlp((4,), num_classes=3)
    >>> print(model.tasks)
    task   output  loss          weight  metrics         missing
    left   (3,)    Crossentropy       1  accuracy (max)  -1, NaN
    right  (3,)    Crossentropy       1  accuracy (max)  -1, NaN
    """

    def __new__(
        cls, tasks: Iterable[Task], make_rows: Callable[[], Sequence[TaskRow]]
    ):
        self = super().__new__(cls, tasks)
        self._make_rows = make_rows
        return self

    def __repr__(self) -> str:
        return text_table(self._make_rows())

    def _repr_html_(self) -> str:
        return html_table(self._make_rows())

    def __reduce__(self):
        # A copy of `make_rows` would copy the model.
        return tuple, (tuple(self),)
