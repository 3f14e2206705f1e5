"""`mtl-keras export`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.evaluate import MODEL_HELP
from mtl_keras.cli.quiet import import_quietly


def export(
    model: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL.keras", help=MODEL_HELP)
    ],
    output: Annotated[Path, typer.Option(help="Folder or file to write.")],
    format: Annotated[
        str, typer.Option(help="A format of keras.Model.export.")
    ] = "tf_saved_model",
) -> None:
    """Export a model for serving. For a table, it takes raw columns."""
    import_quietly()
    from mtl_keras.cli.saved import load_saved
    from mtl_keras.zoo.encoding import add_encoding

    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise FileExistsError(
            f"'{output}' exists; choose another output, or remove it."
        )
    folder = model if model.is_dir() else model.parent
    exported = add_encoding(load_saved(model), folder)
    exported.export(str(output), format=format, verbose=False)
    typer.echo(f"Exported to {output}")
