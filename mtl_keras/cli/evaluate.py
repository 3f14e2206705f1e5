"""`mtl-keras evaluate`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.cli.distribution_options import Distribution, Replicas
from mtl_keras.cli.quiet import import_quietly

MODEL_HELP = "A run folder, or a .keras file."
DATA_HELP = "Data set. Default: the one of the run's recipe"
PATH_HELP = "File of the data set: all its rows, by the codes of the run."
ARGUMENT_HELP = (
    "How to read the file of --data-path, as in TOML: delimiter=';'. May be "
    "repeated."
)


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL.keras", help=MODEL_HELP)
    ],
    data: Annotated[str | None, typer.Option(help=DATA_HELP)] = None,
    data_path: Annotated[Path | None, typer.Option(help=PATH_HELP)] = None,
    data_argument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help=ARGUMENT_HELP),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Batch size.")] = 64,
    distribution: Distribution = "auto",
    replicas: Replicas = None,
) -> None:
    """Evaluate a model on the test part of a data set, or on a file."""
    import_quietly()
    from rich.console import Console

    from mtl_keras.cli.saved import load_rows, load_saved
    from mtl_keras.cli.tables import results_table
    from mtl_keras.distribution import is_chief
    from mtl_keras.distribution import strategy as pick
    from mtl_keras.zoo.evaluation import evaluate_part, task_names

    strategy = pick(distribution, replicas)
    with strategy.scope():
        loaded = load_saved(model)
    extra = data_arguments(data_argument or [])
    part, rows = load_rows(model, data, data_path, loaded, extra)
    if not task_names(part):
        raise ValueError(
            "There are no labels of the model's tasks to compare with; found "
            f"{rows}. Call `mtl-keras predict` instead."
        )
    results = evaluate_part(loaded, part, batch_size)
    console = Console(quiet=not is_chief(strategy))
    console.print(f"Evaluated on {rows}", soft_wrap=True, highlight=False)
    console.print(results_table("Test", results))
