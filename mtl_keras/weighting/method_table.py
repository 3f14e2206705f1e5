"""The table of methods: their input, cost and paper."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping

from mtl_keras.weighting.weighting import Weighting

_COSTS = {
    "losses": "one backward pass",
    "gramian": 'one backward pass a task; one by "features"',
    "jacobian": "one backward pass a task, kept",
}


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One method of the table.

    Args:
        name: Name for `mtl_keras.weighting.get`.
        requires: Input of the method, see `Weighting.requires`.
        cost: Cost of a step, in words.
        summary: Description of the method in one line.
        reference: Authors, title, venue and year, or an empty string.
    """

    name: str
    requires: str
    cost: str
    summary: str
    reference: str


class MethodTable(list):
    """A list of `MethodRow`, sorted by name, that prints as a table.

    The rows come from the classes and their docstrings. The printed table
    leaves out the summaries and the titles of the papers, for its width.

    Args:
        methods: Dict from name to the class of the weighting.
    """

    def __init__(self, methods: Mapping[str, type[Weighting]]):
        super().__init__(_row(name, methods[name]) for name in sorted(methods))

    def __repr__(self) -> str:
        columns = ["name", "requires", "cost", "reference"]
        lines = [columns, *(_cells(row) for row in self)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        return "\n".join(
            "  ".join(map(str.ljust, line, widths)).rstrip() for line in lines
        )

    __str__ = __repr__


def _cells(row: MethodRow) -> list[str]:
    paper = re.sub(r' ".*",', "", row.reference)
    return [row.name, row.requires, row.cost, paper]


def _row(name: str, method: type[Weighting]) -> MethodRow:
    requires = method.input_kind()
    cost = _COSTS[requires]
    if method.needs_losses_after_step:
        cost += " and one more forward pass"
    if method.needs_held_out_data:
        cost = "three backward passes and held-out data"
    doc = inspect.getdoc(method)
    summary = method.summary or doc.splitlines()[0].removesuffix(".")
    return MethodRow(name, requires, cost, summary, _reference(doc))


def _reference(doc: str) -> str:
    """Returns the paragraph under "Reference:" of a docstring."""
    _, _, rest = doc.partition("\nReference:\n")
    return " ".join(rest.partition("\n\n")[0].split()).removesuffix(".")
