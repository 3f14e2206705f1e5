"""`mtl-keras launch`"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.processes import Worker, run_workers, worker_environments

RUN_ERROR, INTERRUPTED = 1, 130


def launch(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="-- COMMAND",
            help="What each worker runs: a command of mtl-keras with its "
            "arguments, or a Python script (a path that ends in .py).",
        ),
    ],
    workers: Annotated[
        int, typer.Option(min=1, help="Number of processes on this host.")
    ],
    logs: Annotated[
        Path | None,
        typer.Option(
            help="Folder for worker-0.log and so on.  [default: a new one "
            "in runs/launch]",
            show_default=False,
        ),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds that the others may go on once one is lost."
        ),
    ] = 60.0,
) -> None:
    """Train with several workers on this host, started and watched together."""
    if logs is None:
        now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        logs = Path("runs") / "launch" / now
    line = _command_line(command)
    group = [
        Worker(
            f"worker-{index}",
            line,
            environment,
            logs / f"worker-{index}.log",
            shown=index == 0,
        )
        for index, environment in enumerate(worker_environments(workers))
    ]
    typer.echo(f"Starting {workers} workers; their logs are in {logs}")
    outcome = run_workers(
        group,
        grace_seconds=grace,
        print_fn=lambda text: typer.echo(text, err=True),
    )
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if outcome.lost is not None:
        typer.echo(
            f"Error: {outcome.lost} was lost ({outcome.reason}); see "
            f"{logs / outcome.lost}.log. Start the same command again with "
            "--resume to go on from the last checkpoint.",
            err=True,
        )
        raise typer.Exit(RUN_ERROR)


def _command_line(command: list[str]) -> list[str]:
    if command[0].endswith(".py"):
        return [sys.executable, "-u", *command]
    return [str(Path(sys.executable).parent / "mtl-keras"), *command]
