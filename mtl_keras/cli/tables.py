"""Results as tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table


def results_table(title: str, by_task: Mapping[str, Mapping]) -> Table:
    """Makes a table of metrics by task.

    Args:
        title: Stands above the table.
        by_task: Dict from task name to metrics: numbers, or dicts with a
            mean and a standard deviation (`"mean"`, `"std"`).

    Returns:
        A rich table.
    """
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("task")
    table.add_column("metric")
    table.add_column("value", justify="right")
    for task, metrics in by_task.items():
        for index, (metric, value) in enumerate(metrics.items()):
            name = task if index == 0 else ""
            table.add_row(name, metric, _text(value))
    return table


def _text(value) -> str:
    if isinstance(value, Mapping):
        return f"{value['mean']:.4f} ± {value['std']:.4f}"
    return f"{value:.4f}"
