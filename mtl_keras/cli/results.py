"""`mtl-keras results`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.quiet import import_quietly


def results(
    output: Annotated[
        Path | None,
        typer.Option(help="File to write. Default: results.csv of the zoo"),
    ] = None,
) -> None:
    """Write the results of all zoo entries as csv."""
    import_quietly()
    from mtl_keras import zoo

    typer.echo(f"Results written to {zoo.write_results(output)}")
