"""The schema of recipes. Imports pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, strict=True)]


class Table(BaseModel):
    """A table of a recipe. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Table):
    """A name, and the arguments to call it with."""

    name: str
    arguments: dict[str, Any] = {}


class MixedSet(Table):
    """A data set of a mixture: arguments of its `load_data`.

    The name of the table is the data set, unless `name` specifies it.
    """

    name: str | None = None
    arguments: dict[str, Any] = {}


class Data(Named):
    """The data set: a name and arguments of its `load_data`.

    With the name `"mix"`, the data is a mixture of the data sets in the tables
    `[data.sets.<name>]`, and the arguments are those of `datasets.mix`.

    `preprocessing` becomes a layer of the model: `"standardize"` is a
    `Normalization` adapted to the training part, `"rescale"` divides by 255.
    `augmentation` lists random layers of `keras.layers`, which change the
    inputs in training only. They must not affect the targets: use noise or
    colors, not shifts. `feature_space` has arguments of
    `mtl_keras.tables.fit_feature_space` for a data set of columns: training
    uses encoded columns, and the exported model takes raw ones. `origin`
    describes where to get a file.
    """

    preprocessing: Literal["standardize", "rescale"] | None = None
    augmentation: tuple[Named, ...] = ()
    feature_space: dict[str, Any] | None = None
    sets: dict[str, MixedSet] = {}
    origin: str = ""


class TaskTable(Named):
    """A task: its kind (a class of `mtl_keras.tasks`), name and arguments."""

    kind: str


class LearningRate(Named):
    """A schedule of `keras.optimizers.schedules`, with arguments in steps.

    `decay_steps`, if the schedule has it, defaults to all steps after the
    warm-up. `warmup_epochs` replaces `warmup_steps`.
    """

    warmup_epochs: float = Field(0, ge=0)


class Optimizer(Named):
    """A Keras optimizer by name, and its learning rate or schedule."""

    name: str = "adam"
    learning_rate: float | LearningRate | None = None


class Fit(Table):
    """Epochs, batch size and validation part of a training.

    The validation part is the share `validation_split` of the training part
    (0.1 by default), or `num_validation` samples of it. The training stops
    after `patience` epochs without a lower validation loss; without
    `patience`, all epochs run.
    """

    epochs: Count = 1
    batch_size: Count = 32
    validation_split: float | None = Field(None, gt=0, lt=1)
    num_validation: Count | None = None
    patience: Count | None = None

    @model_validator(mode="after")
    def _one_validation_part(self) -> Fit:
        if self.validation_split is not None and self.num_validation:
            raise ValueError(
                "validation_split and num_validation both set the size of the "
                "validation part; leave one of the two out"
            )
        return self


class Recipe(Table):
    """The complete description of a training, read from a recipe file.

    Args:
        name: Name of the recipe. Defaults to the folder of an entry.
        description: One line about the purpose.
        factory: Name of a factory of `mtl_keras.models`, and its arguments.
        data: The data set.
        tasks: The tasks. Defaults to the tasks of the data set.
        optimizer: The optimizer. Defaults to Adam.
        fit: Epochs, batch size and so on.
        seeds: Seeds of the runs. Defaults to `(0,)`.

    Example:

    ```python
    recipe = mtl_keras.zoo.load_recipe("mlp_energy")
    recipe = mtl_keras.zoo.change_recipe(recipe, epochs=1)
    ```
    """

    name: str
    description: str = ""
    seeds: tuple[Seed, ...] = Field((0,), min_length=1)
    factory: Named
    data: Data
    tasks: tuple[TaskTable, ...] | None = None
    optimizer: Optimizer = Optimizer()
    fit: Fit = Fit()
