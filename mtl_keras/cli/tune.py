"""`mtl-keras tune`"""

from __future__ import annotations

import enum
import importlib.util
import os
from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.cli.distribution_options import Distribution, Replicas
from mtl_keras.cli.quiet import import_quietly
from mtl_keras.processes import interrupt_on_sigterm

INTERRUPTED = 130


class Role(enum.StrEnum):
    """The role of a process in a search on several hosts."""

    chief = "chief"
    worker = "worker"


def tune(
    study: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY",
            help="A study file, or a folder with a study.toml.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the search.  [default: the folder of study.toml; "
            "for a file with another name, searches/NAME]",
            show_default=False,
        ),
    ] = None,
    max_trials: Annotated[
        int | None,
        typer.Option(help="Trials. Default: as in the study"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Maximum number of epochs of a trial.")
    ] = None,
    data_path: Annotated[
        Path | None, typer.Option(help="File of the data set.")
    ] = None,
    data_argument: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Argument of the data set, as in TOML: 'tasks=[\"stage\"]'. "
            "May be repeated.",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that train trials.")
    ] = 1,
    distribution: Distribution = "auto",
    replicas: Replicas = None,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="Run failed trials again; callbacks and factory may change.",
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Remove the search in the folder."),
    ] = False,
    role: Annotated[
        Role | None,
        typer.Option(help="For a search on several hosts; needs --oracle."),
    ] = None,
    oracle: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Address of the chief, or a file with this address.",
        ),
    ] = None,
    wait_seconds: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds that a chief waits without any worker, and that a "
            "worker tries to reach the chief.",
        ),
    ] = 600.0,
) -> None:
    """Run the search of a study. The same command resumes it."""
    _check_role(role, oracle, workers)
    if role is Role.chief or workers > 1:
        # Other processes train and need the memory of the GPUs.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    import_quietly()
    from mtl_keras import tuning

    recipe = tuning.change_study(
        tuning.load_study_recipe(study),
        epochs=epochs,
        max_trials=max_trials,
        data_path=data_path,
        data_arguments=data_arguments(data_argument or []),
    )
    folder = output or tuning.study_folder(study)
    options = {
        "distribution": distribution,
        "replicas": replicas,
        "wait_seconds": wait_seconds,
    }
    try:
        with interrupt_on_sigterm():
            if role is Role.worker:
                count = tuning.join_study(recipe, oracle, folder, **options)
                typer.echo(f"The search is over; {count} trials trained here.")
                return
            found = tuning.run_study(
                recipe,
                folder,
                workers=workers,
                oracle=oracle,
                retry_failed=retry_failed,
                overwrite=overwrite,
                **options,
            )
    except KeyboardInterrupt:
        typer.echo(f"Stopped. The same command resumes the search in {folder}.")
        raise typer.Exit(INTERRUPTED) from None
    if importlib.util.find_spec("matplotlib"):
        found.save_report()
    _print(found)


def _check_role(role: Role | None, oracle: str | None, workers: int) -> None:
    if role is None and oracle is not None:
        raise ValueError(
            "--oracle needs --role chief or --role worker, the role of this "
            "process."
        )
    if role is not None and oracle is None:
        raise ValueError(
            f"--role {role.value} needs --oracle HOST:PORT, the address of the "
            "chief."
        )
    if role is not None and workers != 1:
        raise ValueError(
            f"--workers {workers} are processes on this host. On several "
            "hosts, start the command with --role worker once for each worker."
        )


def _print(study) -> None:
    from rich.console import Console

    from mtl_keras.cli.tables import trials_table

    console = Console()
    if not console.is_terminal:  # there, the search has shown one
        console.print(trials_table(study))
    values = study.best.objectives.items()
    numbers = ", ".join(f"{name} {value:.5g}" for name, value in values)
    for line in (
        f"Best: trial {study.best.number}, {numbers}",
        f"Written to {study.folder}",
    ):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
