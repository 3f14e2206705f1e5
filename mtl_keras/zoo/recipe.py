"""What a recipe may say. Imports pydantic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1, strict=True)]
Seed = Annotated[int, Field(ge=0, strict=True)]


class Table(BaseModel):
    """A table of a recipe. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Table):
    """Something with a name, and the arguments that it is called with."""

    name: str
    arguments: dict[str, Any] = {}


class MixedSet(Table):
    """A data set of a mixture: arguments of its `load_data`.

    Its table is called like the data set, or `name` says which one it is.
    """

    name: str | None = None
    arguments: dict[str, Any] = {}


class Data(Named):
    """The data set: a name and arguments of its `load_data`.

    With the name `"mix"`, it is a mixture of the data sets that the tables
    `[data.sets.<name>]` say, and the arguments are those of `datasets.mix`.

    `preprocessing` becomes a layer of the model: `"standardize"` is a
    `Normalization` adapted on the training part, `"rescale"` divides by 255.
    `augmentation` lists random layers of `keras.layers` that change inputs
    in training only, and leave the targets right as they are: noise or
    colours, no shifts. `feature_space` are arguments of
    `mtl_keras.tables.fit_feature_space`, for a data set of columns: training
    reads them encoded, and the exported model takes them raw. `origin` says
    where to get a file that the recipe cannot name.
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

    `decay_steps`, where the schedule has it, defaults to what the epochs leave
    after the warm-up; `warmup_epochs` stands in for `warmup_steps`.
    """

    warmup_epochs: float = Field(0, ge=0)


class Optimizer(Named):
    """A Keras optimizer by name, and its learning rate or schedule."""

    name: str = "adam"
    learning_rate: float | LearningRate | None = None


class Fit(Table):
    """How long and on what to train.

    The validation part is `validation_split` of the training part (0.1 by
    default), or `num_validation` samples of it. `patience` epochs without a
    lower validation loss end the training; without it, all epochs run.
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
                "validation_split and num_validation both say how much to "
                "hold back; leave one of the two out"
            )
        return self


class Recipe(Table):
    """Everything about a training, as a recipe file says it.

    Args:
        name: Name of the recipe; the folder of an entry, by default.
        description: One line on what it is for.
        factory: Name of a factory of `mtl_keras.models` and its arguments.
        data: The data set.
        tasks: The tasks. Defaults to those of the data set.
        optimizer: The optimizer. Defaults to Adam.
        fit: Epochs, batch size and so on.
        seeds: Seeds of the runs that reproduce it. Defaults to `(0,)`.

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
