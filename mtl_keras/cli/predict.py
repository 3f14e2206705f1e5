"""`mtl-keras predict`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.evaluate import DATA_HELP, MODEL_HELP, PATH_HELP
from mtl_keras.cli.quiet import import_quietly

IMAGES_A_PICTURE = 8


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL.keras", help=MODEL_HELP)
    ],
    output: Annotated[Path, typer.Option(help="Folder to write to.")],
    data: Annotated[str | None, typer.Option(help=DATA_HELP)] = None,
    data_path: Annotated[Path | None, typer.Option(help=PATH_HELP)] = None,
    num_samples: Annotated[
        int, typer.Option(min=1, help="Samples to predict.")
    ] = 32,
) -> None:
    """Predict test samples, or those of a file: pictures and a table."""
    import_quietly()
    from mtl_keras.cli.saved import load_rows, load_saved, only_tasks_of
    from mtl_keras.evaluation import (
        plot_predictions,
        read_predictions,
        write_predictions,
    )

    loaded = load_saved(model)
    (x, y), rows = load_rows(model, data, data_path, loaded)
    y = only_tasks_of(loaded, y)
    x, y = _part(x, y, 0, num_samples)
    output.mkdir(parents=True, exist_ok=True)
    write_predictions(
        read_predictions(loaded, x, y), output / "predictions.csv"
    )
    step = IMAGES_A_PICTURE if x.ndim > 2 else len(x)
    starts = range(0, len(x), step) if y else ()
    for number, start in enumerate(starts, start=1):
        figure = plot_predictions(
            loaded, *_part(x, y, start, start + step), num_samples=step
        )
        figure.savefig(output / f"predictions-{number}.png", dpi=120)
    typer.echo(f"{len(x)} predictions written to {output}, of {rows}")


def _part(x, y: dict, start: int, stop: int) -> tuple:
    return x[start:stop], {name: t[start:stop] for name, t in y.items()}
