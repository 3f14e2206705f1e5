"""The typer application and its commands."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from mtl_keras.cli.errors import DEBUG, OneLineErrors
from mtl_keras.cli.evaluate import evaluate
from mtl_keras.cli.export import export
from mtl_keras.cli.launch import launch
from mtl_keras.cli.list import list_all
from mtl_keras.cli.predict import predict
from mtl_keras.cli.results import results
from mtl_keras.cli.train import train
from mtl_keras.cli.tune import tune

app = typer.Typer(cls=OneLineErrors, no_args_is_help=True, add_completion=False)


@app.callback()
def _root(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """Multi-task models for Keras: train, tune, evaluate, export."""
    if debug:
        os.environ[DEBUG] = "1"


app.command("list")(list_all)
app.command()(train)
app.command()(tune)
app.command()(launch)
app.command()(evaluate)
app.command()(predict)
app.command()(export)
app.command()(results)
