"""Formats results as tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table


def results_table(title: str, by_task: Mapping[str, Mapping]) -> Table:
    """Creates a table of metrics by task.

    Args:
        title: Title of the table.
        by_task: Dict from task name to metrics: numbers, or dicts of `"mean"`
            and `"std"`.

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


def trials_table(study, max_rows: int = 10) -> Table:
    """Creates a table of the best trials of a study.

    Args:
        study: A `mtl_keras.tuning.Study`.
        max_rows: Maximum number of rows. Defaults to `10`.

    Returns:
        A rich table. With one objective, it has the best trials, best first;
        with several, the Pareto front, with the knee marked.
    """
    several = len(study.objectives) > 1
    trials = study.pareto_front() if several else study.ranked()
    count = f"{len(study.trials)} trials"
    title = f"Pareto front of {count}" if several else f"The best of {count}"
    table = Table(title=title, title_justify="left", title_style="bold")
    names = [objective.name for objective in study.objectives]
    labels = list(dict.fromkeys(n for t in trials for n in t.labels))
    for name in ("trial", *names, *labels):
        table.add_column(name, justify="right", overflow="fold")
    for trial in trials[:max_rows]:
        mark = "*" if trial == study.best else ""
        values = [trial.objectives[name] for name in names]
        values += [trial.labels.get(name, "") for name in labels]
        table.add_row(f"{mark}{trial.number}", *map(_short, values))
    return table


def _short(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _text(value) -> str:
    if isinstance(value, Mapping):
        return f"{value['mean']:.4f} ± {value['std']:.4f}"
    return f"{value:.4f}"
