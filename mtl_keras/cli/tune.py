"""`mtl-keras tune`"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.cli.distribution_options import Distribution
from mtl_keras.cli.quiet import import_quietly

INTERRUPTED = 130


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
            help="Folder of the search.  [default: that of study.toml; for a "
            "file of another name, searches/NAME]",
            show_default=False,
        ),
    ] = None,
    max_trials: Annotated[
        int | None, typer.Option(help="Trials. Default: those of the study")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Most epochs of a trial.")
    ] = None,
    data_path: Annotated[
        Path | None, typer.Option(help="File that the data set is read from.")
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
) -> None:
    """Search what a study asks for. The same command goes on after a stop."""
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
    try:
        found = tuning.run_study(
            recipe, folder, workers=workers, distribution=distribution
        )
    except KeyboardInterrupt:
        typer.echo(f"Stopped. The same command goes on in {folder}.")
        raise typer.Exit(INTERRUPTED) from None
    if importlib.util.find_spec("matplotlib"):
        found.save_report()
    _print(found)


def _print(study) -> None:
    from rich.console import Console

    from mtl_keras.cli.tables import trials_table

    console = Console()
    console.print(trials_table(study))
    console.print(f"Written to {study.folder}", soft_wrap=True, highlight=False)
