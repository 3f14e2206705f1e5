"""What a study file may say. Imports pydantic."""

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
    """How long and on what each trial trains, as in a recipe.

    `epochs` are the most of a trial. `patience` epochs without a better one
    end a training; with `0`, all epochs run.
    """

    epochs: Count = 10
    patience: Annotated[int, Field(ge=0, strict=True)] = 5


class Search(Table):
    """What is searched for, and how: arguments of `mtl_keras.tuning.search`.

    With `folds`, the trials are validated on parts of the training data in
    turn, and none is held back.
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
    """Everything about a search, as a study file says it.

    It is a recipe with the tables `[search]` and `[space]`. What `[factory]`
    and `[optimizer]` say is the same in all trials, what `[space]` says is
    searched: a list has choices, a table of `low`, `high` and, if you like,
    `scale` is a range. Without `[space]`, the factory's own is searched (see
    `mtl_keras.tuning.space_of`).

    Args:
        name: Name of the study; its folder, by default.
        description: The question that it answers.
        factory: Name of a factory of `mtl_keras.models` and its arguments.
        data: The data set.
        tasks: The tasks. Defaults to those of the data set.
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
        """The recipe of a trial, but for what the space says."""
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
    def _says_everything_once(self) -> StudyRecipe:
        fixed = set(self.factory.arguments)
        if self.optimizer.learning_rate is not None:
            fixed.add("learning_rate")
        if "optimizer" in self.model_fields_set:
            fixed.add("optimizer")
        twice = sorted(fixed & set(self.space or ()))
        if twice:
            raise ValueError(
                f"[space] says {twice[0]!r}, and [factory.arguments] or "
                "[optimizer] fixes it; leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _one_way_to_validate(self) -> StudyRecipe:
        fit = self.fit
        if self.search.folds and (fit.validation_split or fit.num_validation):
            raise ValueError(
                "folds in [search] validates on all training data in turn, and "
                "[fit] holds a part of it back; leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _has_steps_to_count(self) -> StudyRecipe:
        rate = self.optimizer.learning_rate
        if rate is None or isinstance(rate, float):
            return self
        if self.space is None or "batch_size" in self.space:
            raise ValueError(
                "a schedule of the learning rate counts in steps of one batch "
                "size: write a [space] that varies neither batch_size nor "
                "learning_rate, or leave the schedule out"
            )
        return self
