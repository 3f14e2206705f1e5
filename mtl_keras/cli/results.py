"""`mtl-keras results`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.zoo_index import write_results


def results(
    output: Annotated[
        Path | None,
        typer.Option(help="File to write. Default: results.csv of the zoo"),
    ] = None,
) -> None:
    """Write the results of all zoo entries as csv."""
    typer.echo(f"Results written to {write_results(output)}")
