"""Shows the progress of a search: lines, or a table in a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_keras.tuning import pareto
from mtl_keras.tuning.objective import Objective, costs
from mtl_keras.tuning.trial_record import TrialRecord

_BEST_ROWS = 8
_REFRESHES_PER_SECOND = 2


class TrialReport:
    """A report that shows nothing."""

    def __enter__(self) -> TrialReport:
        return self

    def __exit__(self, *_) -> None:
        pass

    def say(self, text: str) -> None:
        """Shows a message.

        Args:
            text: The message.
        """

    def begin(self, number: int, labels: Mapping) -> None:
        """Shows a trial that begins.

        Args:
            number: Number of the trial.
            labels: Labels of its values.
        """

    def end(self, record: TrialRecord) -> None:
        """Adds a finished trial, also one of a resumed search.

        Args:
            record: The trial.
        """

    def end_now(self, record: TrialRecord) -> None:
        """Shows a trial that has just finished.

        Args:
            record: The trial.
        """
        self.end(record)


class TrialLines(TrialReport):
    """Prints a line for each finished trial."""

    def say(self, text: str) -> None:
        """Prints a message."""
        print(text, flush=True)

    def end_now(self, record: TrialRecord) -> None:
        """Prints a trial."""
        parts = [
            f"{name}={value:.5g}" for name, value in record.objectives.items()
        ]
        if not record.completed:
            parts = [f"failed: {record.reason.splitlines()[0]}"]
        parts += [f"{n}={short(value)}" for n, value in record.labels.items()]
        self.say(f"trial {record.number:3d}  {'  '.join(parts)}")


class TrialTable(TrialReport):
    """Shows the running and the best trials in a live table.

    Args:
        objectives: The objectives.
        max_trials: Number of trials, or `None` if it is unknown.
        console: A `rich.console.Console`.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        max_trials: int | None,
        console,
    ):
        from rich.live import Live

        self.objectives = tuple(objectives)
        self.max_trials = max_trials
        self._console = console
        self._records: list[TrialRecord] = []
        self._running: dict[int, tuple[float, Mapping]] = {}
        self._live = Live(
            console=console,
            get_renderable=self.table,
            refresh_per_second=_REFRESHES_PER_SECOND,
            # Output of callbacks then appears above the table.
            redirect_stderr=False,
        )

    def __enter__(self) -> TrialTable:
        self._live.start()
        return self

    def __exit__(self, *_) -> None:
        self._running.clear()
        self._live.stop()

    def say(self, text: str) -> None:
        """Prints a message above the table."""
        self._console.print(text, highlight=False, markup=False)

    def begin(self, number: int, labels: Mapping) -> None:
        """Adds a row for a running trial."""
        self._running[number] = time.monotonic(), labels

    def end(self, record: TrialRecord) -> None:
        """Adds the trial to the ranking."""
        self._running.pop(record.number, None)
        self._records.append(record)

    def end_now(self, record: TrialRecord) -> None:
        """Adds the trial to the ranking, or prints why it failed."""
        self.end(record)
        if not record.completed:
            reason = record.reason.splitlines()[0]
            self.say(f"trial {record.number} failed: {reason}")

    def table(self):
        """Creates the current table."""
        from rich.table import Table

        table = Table(title=self._title(), title_justify="left")
        running = list(self._running.items())
        best = self._best()
        labels = [
            *(r.labels for r in best),
            *(given for _, (_, given) in running),
        ]
        names = list(dict.fromkeys(name for each in labels for name in each))
        for name in ("trial", *(o.name for o in self.objectives), *names):
            table.add_column(name, justify="right", overflow="fold")
        for record in best:
            values = [record.objectives[o.name] for o in self.objectives]
            table.add_row(str(record.number), *_cells(values, record, names))
        for number, (began, given) in running:
            seconds = time.monotonic() - began
            values = [
                f"running {seconds:.0f} s",
                *[""] * (len(self.objectives) - 1),
            ]
            cells = [short(given.get(name, "")) for name in names]
            table.add_row(str(number), *values, *cells, style="dim")
        return table

    def _title(self) -> str:
        failed = sum(not record.completed for record in self._records)
        of = "" if self.max_trials is None else f" of {self.max_trials}"
        title = f"{len(self._records)}{of} trials"
        title += f", {failed} failed" if failed else ""
        if not any(record.completed for record in self._records):
            return title
        several = len(self.objectives) > 1
        return f"{title}; {'the Pareto front' if several else 'the best'}"

    def _best(self) -> list[TrialRecord]:
        done = [record for record in self._records if record.completed]
        if not done:
            return []
        points = np.array([costs(r.objectives, self.objectives) for r in done])
        order = np.argsort(points[:, 0], kind="stable")
        if len(self.objectives) > 1:
            kept = pareto.non_dominated(points)
            order = [at for at in order if kept[at]]
        return [done[at] for at in order[:_BEST_ROWS]]


def make_report(
    objectives: Sequence[Objective], max_trials: int | None, verbose: int
) -> TrialReport:
    """Creates the report of a search.

    Args:
        objectives: The objectives.
        max_trials: Number of trials, or `None` if it is unknown.
        verbose: `0` for no output; otherwise a table in a terminal, or else a
            line for each trial.
    """
    if not verbose:
        return TrialReport()
    from rich.console import Console

    console = Console(file=sys.stdout)
    if console.is_terminal and not console.is_dumb_terminal:
        return TrialTable(objectives, max_trials, console)
    return TrialLines()


def short(value) -> str:
    """Formats a value with few characters.

    Args:
        value: A value of a hyperparameter or an objective.
    """
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cells(values, record: TrialRecord, names) -> list[str]:
    labels = [record.labels.get(name, "") for name in names]
    return [*(f"{value:.5g}" for value in values), *map(short, labels)]
