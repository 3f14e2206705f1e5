"""Rules that apply to the labels of all tasks of a sentence reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence

from mtl_keras.datasets.tag_schemes import check_scheme
from mtl_keras.spelling import did_you_mean

UNKNOWN_CLASSES = ("error", "missing")


@dataclasses.dataclass(frozen=True)
class LabelRules:
    """Rules that apply to the labels of all tasks of a sentence reader.

    Args:
        unknown_classes: See `from_conll`.
        missing_values: See `from_conll`.
        scheme: See `from_conll`.
        tasks: Names of the tasks.

    Raises:
        TypeError: If `missing_values` is a string.
        ValueError: If an argument does not have one of its values, or `scheme`
            names an unknown task.
    """

    unknown_classes: str
    missing_values: Sequence[str]
    scheme: str | Mapping[str, str]
    tasks: Collection[str]

    def __post_init__(self):
        if self.unknown_classes not in UNKNOWN_CLASSES:
            raise ValueError(
                f"`unknown_classes` must be one of {UNKNOWN_CLASSES}, found "
                f"{self.unknown_classes!r}."
            )
        if isinstance(self.missing_values, str):
            raise TypeError(
                "`missing_values` must be a list of strings, found "
                f"{self.missing_values!r}. Pass [{self.missing_values!r}]."
            )
        by_task = self.scheme
        if not isinstance(by_task, Mapping):
            by_task = {"": by_task}
        for name, scheme in by_task.items():
            check_scheme("scheme", scheme)
            if name and name not in self.tasks:
                raise ValueError(
                    f"`scheme` names {name!r}, which is not a task. "
                    f"{did_you_mean(name, self.tasks)}"
                )

    @property
    def missing(self) -> set[str]:
        """Set of the strings that stand for a missing label."""
        return {"", *self.missing_values}

    def get_scheme(self, task: str) -> str:
        """Returns the tagging scheme of a task.

        Args:
            task: Name of the task.
        """
        if isinstance(self.scheme, Mapping):
            return check_scheme("scheme", self.scheme.get(task, "iob2"))
        return check_scheme("scheme", self.scheme)

    def scheme_advice(self, task: str) -> Callable[[str], str]:
        """Returns a function that shows how to pass a scheme for a task.

        Args:
            task: Name of the task.
        """
        if isinstance(self.scheme, Mapping):
            return lambda scheme: f"scheme={ {task: scheme} }"
        return "scheme={!r}".format
