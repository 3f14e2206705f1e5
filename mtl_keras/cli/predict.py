"""`mtl-keras predict`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.cli.evaluate import (
    ARGUMENT_HELP,
    DATA_HELP,
    MODEL_HELP,
    PATH_HELP,
)
from mtl_keras.cli.quiet import import_quietly

IMAGES_PER_PICTURE = 8
# Number of images and maps of a folder that are in memory at once.
_BATCH = 64


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL.keras", help=MODEL_HELP)
    ],
    output: Annotated[Path, typer.Option(help="Folder to write to.")],
    data: Annotated[str | None, typer.Option(help=DATA_HELP)] = None,
    data_path: Annotated[Path | None, typer.Option(help=PATH_HELP)] = None,
    data_argument: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help=ARGUMENT_HELP),
    ] = None,
    num_samples: Annotated[
        int | None,
        typer.Option(min=1, help="Samples to predict. Default: all"),
    ] = None,
    num_images: Annotated[
        int, typer.Option(min=1, help="Images to plot.")
    ] = 32,
) -> None:
    """Predict the test part, or a file: writes a table and plots."""
    import_quietly()
    from mtl_keras.cli.saved import load_rows, load_saved
    from mtl_keras.evaluation import plot_predictions, write_predictions
    from mtl_keras.zoo.evaluation import first_samples, read_part
    from mtl_keras.zoo.recipe_data import count_part

    loaded = load_saved(model)
    extra = data_arguments(data_argument or [])
    part, rows = load_rows(model, data, data_path, loaded, extra)
    output.mkdir(parents=True, exist_ok=True)
    predictions = read_part(
        loaded, part, num_samples=num_samples, batch_size=_BATCH
    )
    write_predictions(predictions, output / "predictions.csv")
    count = count_part(part)
    count = count if num_samples is None else min(count, num_samples)
    x, y = first_samples(part, min(count, num_images))
    if x.ndim <= 2:  # a table is plotted completely
        x, y = first_samples(part, count)
    step = IMAGES_PER_PICTURE if x.ndim > 2 else len(x)
    starts = range(0, len(x), step) if y else ()
    for number, start in enumerate(starts, start=1):
        here = slice(start, start + step)
        targets = {name: values[here] for name, values in y.items()}
        figure = plot_predictions(loaded, x[here], targets, num_samples=step)
        figure.savefig(output / f"predictions-{number}.png", dpi=120)
    typer.echo(f"{count} predictions written to {output}, of {rows}")
