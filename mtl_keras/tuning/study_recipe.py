"""The schema of study files. Imports pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mtl_keras.zoo.recipe import (
    Count,
    Data,
    Fit,
    Named,
    Optimizer,
    Recipe,
    Seed,
    Table,
    TaskTable,
)


class StudyFit(Fit):
    """The table `[fit]`: how each trial trains, as in a recipe.

    `epochs` is the maximum number of epochs of a trial. A training stops after
    `patience` epochs without improvement; with `0`, all epochs run.
    """

    epochs: Count = 10
    patience: Annotated[int, Field(ge=0, strict=True)] = 5


class Search(Table):
    """The table `[search]`: arguments of `mtl_keras.tuning.search`.

    With `folds`, the trials are cross-validated on the training data, and no
    validation data is held back.
    """

    objective: Any
    tuner: str = "bayesian"
    max_trials: Count | None = None
    executions_per_trial: Count = 1
    folds: Annotated[int, Field(ge=2, strict=True)] | None = None
    loss_weights: Literal["ratios", "plain"] = "ratios"
    references: dict[str, float] | None = None
    seed: Seed = 0


class StudyRecipe(Table):
    """The complete description of a search, read from a study file.

    A study file is a recipe with the tables `[search]` and `[space]`. The
    entries of `[factory]` and `[optimizer]` are the same in all trials. The
    entries of `[space]` are searched: a list holds choices, and a table of
    `low`, `high` and optionally `scale` is a range. Without `[space]`, the
    factory's search space is used (see `mtl_keras.tuning.space_of`).

    Args:
        name: Name of the study. Defaults to the name of its folder.
        description: The question that the study answers.
        factory: Name of a factory of `mtl_keras.models`, and its arguments.
        data: The data set.
        tasks: The tasks. Defaults to the tasks of the data set.
        optimizer: The optimizer. Defaults to Adam.
        fit: Epochs, batch size and so on.
        search: Objective, tuner, number of trials and so on.
        space: Dict from name to choices, range or fixed value.

    Example:

    ```python
    study = mtl_keras.tuning.load_study_recipe("tuning/mlp_weights")
    study.search.max_trials
    ```
    """

    name: str
    description: str = ""
    factory: Named
    data: Data
    tasks: tuple[TaskTable, ...] | None = None
    optimizer: Optimizer = Optimizer()
    fit: StudyFit = StudyFit()
    search: Search
    space: dict[str, Any] | None = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of a trial, without the values of the space."""
        values = self.model_dump(
            include={"name", "factory", "data", "tasks", "optimizer", "fit"},
            exclude_unset=True,
        )
        fit = values.get("fit", {})
        patience = self.fit.patience or None
        values["fit"] = {
            **fit,
            "epochs": self.fit.epochs,
            "patience": patience,
        }
        return Recipe.model_validate(values)

    @model_validator(mode="after")
    def _check_duplicates(self) -> StudyRecipe:
        fixed = set(self.factory.arguments)
        if self.optimizer.learning_rate is not None:
            fixed.add("learning_rate")
        if "optimizer" in self.model_fields_set:
            fixed.add("optimizer")
        twice = sorted(fixed & set(self.space or ()))
        if twice:
            raise ValueError(
                f"[space] has {twice[0]!r}, but [factory.arguments] or "
                "[optimizer] fixes it; leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _check_validation(self) -> StudyRecipe:
        fit = self.fit
        if self.search.folds and (fit.validation_split or fit.num_validation):
            raise ValueError(
                "folds in [search] cross-validates on all training data, but "
                "[fit] holds a part of it back; leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _check_schedule(self) -> StudyRecipe:
        rate = self.optimizer.learning_rate
        if rate is None or isinstance(rate, float):
            return self
        if self.space is None or "batch_size" in self.space:
            raise ValueError(
                "a learning rate schedule needs a fixed batch size: write a "
                "[space] that varies neither batch_size nor learning_rate, or "
                "leave the schedule out"
            )
        return self
