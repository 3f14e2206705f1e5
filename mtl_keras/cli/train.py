"""`mtl-keras train`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtl_keras.cli.data_arguments import data_arguments
from mtl_keras.cli.distribution_options import Distribution, Replicas
from mtl_keras.cli.quiet import import_quietly

INTERRUPTED = 130


def train(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FACTORY|RECIPE.toml|ENTRY",
            help="A factory (with --data), a recipe file, or a zoo entry.",
        ),
    ],
    data: Annotated[
        str | None, typer.Option(help="Data set, for a factory.")
    ] = None,
    preprocessing: Annotated[
        str | None,
        typer.Option(help="'standardize' or 'rescale', for a factory."),
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
    epochs: Annotated[int | None, typer.Option(help="Epochs.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Samples per batch.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="One run with this seed. Default: all of the recipe"),
    ] = None,
    loss_weight: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK=WEIGHT", help="May be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of the run. Default: runs/NAME-SEED"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove an older run there.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run there.")
    ] = False,
    distribution: Distribution = "auto",
    replicas: Replicas = None,
) -> None:
    """Train a model: once, or with every seed of a recipe."""
    import_quietly()
    from mtl_keras import zoo
    from mtl_keras.distribution import strategy as pick

    strategy = pick(distribution, replicas)
    recipe = zoo.change_recipe(
        _recipe(what, data, preprocessing),
        epochs=epochs,
        batch_size=batch_size,
        data_path=data_path,
        data_arguments=data_arguments(data_argument or []),
        loss_weights=_loss_weights(loss_weight or []),
    )
    if seed is None and len(recipe.seeds) == 1:
        seed = recipe.seeds[0]
    name = recipe.name if seed is None else f"{recipe.name}-{seed}"
    output = output or Path("runs") / name
    _run(
        recipe,
        output,
        seed,
        overwrite=overwrite,
        resume=resume,
        strategy=strategy,
    )


def _recipe(what: str, data: str | None, preprocessing: str | None):
    from mtl_keras import datasets, models, zoo
    from mtl_keras.spelling import did_you_mean

    if what in models.names():
        if data is None:
            raise ValueError(
                f"A factory needs data: add --data NAME, one of "
                f"{datasets.names()}."
            )
        return zoo.make_recipe(what, data, preprocessing=preprocessing)
    known = [entry.name for entry in zoo.entries()]
    if what not in known and not Path(what).is_file():
        raise ValueError(
            f"There is no factory, recipe file or zoo entry {what!r}. "
            f"{did_you_mean(what, [*known, *models.names()])}"
        )
    if data is not None or preprocessing is not None:
        raise ValueError(
            "--data and --preprocessing go with a factory; a recipe says "
            "both itself. Leave them out, or change the recipe."
        )
    return zoo.load_recipe(what)


def _run(recipe, output: Path, seed: int | None, **how) -> None:
    from rich.console import Console

    from mtl_keras import datasets, zoo
    from mtl_keras.cli.progress import EpochProgress
    from mtl_keras.cli.tables import results_table
    from mtl_keras.distribution import is_chief

    # One of several workers speaks for all.
    console = Console(quiet=not is_chief(how["strategy"]))
    data = zoo.load_data(recipe)
    parts = {
        "train": data.train,
        "validation": data.validation,
        "test": data.test,
    }
    # Labels that do not fit end it here.
    labels = str(datasets.describe(parts, tasks=data.tasks))
    console.print(labels, soft_wrap=True, highlight=False, markup=False)
    how["data"] = data
    bars = []

    def progress(seed: int) -> list:
        bars.append(EpochProgress(f"{recipe.name}, seed {seed}", console))
        return bars[-1:]

    try:
        if seed is None:
            metrics = zoo.reproduce(recipe, output, callbacks=progress, **how)
        else:
            metrics = zoo.train(
                recipe, output, seed=seed, callbacks=progress(seed), **how
            )
    except KeyboardInterrupt:
        for bar in bars:
            bar.stop()  # before the message, which it would draw over
        console.print(_stopped(output), soft_wrap=True, highlight=False)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for bar in bars:
            bar.stop()
    console.print(results_table("Test", metrics["test"]))
    console.print(f"Written to {output}", soft_wrap=True, highlight=False)


def _stopped(output: Path) -> str:
    models = sorted(output.rglob("model.keras"))
    if not models:
        return "Stopped before the first epoch was complete; nothing is kept."
    return (
        f"Stopped. The best model so far is {models[-1]}, its history beside "
        "it; the same command with --resume goes on."
    )


def _loss_weights(settings: list[str]) -> dict[str, float]:
    weights = {}
    for setting in settings:
        task, _, weight = setting.partition("=")
        try:
            weights[task] = float(weight)
        except ValueError as error:
            raise ValueError(
                f"--loss-weight {setting!r}: expected TASK=WEIGHT, such as "
                "segmentation=0.5."
            ) from error
    return weights
