"""One stage of a training: some of a model's tasks, on its own layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.training.data.of_tasks import of_tasks
from mtl_keras.training.gradients.shared_graph import shared_graph_of
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.overrides import class_like
from mtl_keras.training.stages.trained_part import TrainedPart, trained_part

_BY_TASK = ("loss", "metrics", "weighted_metrics", "loss_weights")


class Stage:
    """A model of some tasks that trains the layers of another one.

    Args:
        model: The compiled model of all tasks, of which the settings are.
        tasks: Names of the tasks of the stage.
        frozen: What earlier stages trained and this one leaves alone.

    Raises:
        ValueError: If nothing is left to train.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        tasks: Sequence[str],
        frozen: TrainedPart | None,
    ):
        self.tasks = tuple(tasks)
        with model.distribute_strategy.scope():
            self.model = class_like(model, MultiTaskModel)(
                model.input,
                {name: model.output[name] for name in tasks},
                name=model.name,
                tasks=[task for task in model.tasks if task.name in tasks],
            )
        self.trained = trained_part(self.model, frozen)
        if not self.trained.variables:
            raise ValueError(
                f"The stage of {list(tasks)} has nothing to train: all that "
                "these tasks reach is frozen. Pass frozen=False, or leave the "
                "stage out."
            )
        with self.trained.alone(), model.distribute_strategy.scope():
            self.model.compile(**self._compile_arguments(model))

    def _compile_arguments(self, model: MultiTaskModel) -> dict:
        config = model.get_compile_config()
        del config["tasks"]
        arguments = keras.saving.deserialize_keras_object(config)
        for argument in _BY_TASK:
            of_all = arguments[argument] or {}
            arguments[argument] = {
                task: of_all[task] for task in self.tasks if task in of_all
            }
        if not self._weighs(model):
            arguments |= {"weighting": None, "monitor": False}
        return arguments

    def _weighs(self, model: MultiTaskModel) -> bool:
        """Whether the weighting can change anything in this stage.

        One that compares gradients at shared parameters cannot where none of
        them trains.
        """
        if model.weighting is None or len(self.tasks) == 1:
            return False
        if not model.compiled_parts.update.compares_gradients:
            return True
        return bool(shared_graph_of(self.model).shared)

    def fit(self, x, y, sample_weight, **arguments) -> keras.callbacks.History:
        """Trains the stage on the data of all tasks.

        Args:
            x: As in `MultiTaskModel.fit`.
            y: As in `MultiTaskModel.fit`, of all tasks.
            sample_weight: As in `MultiTaskModel.fit`, of all tasks.
            **arguments: Further ones, likewise.
        """
        x, y, sample_weight = of_tasks(x, y, sample_weight, self.tasks)
        for name in ("validation_data", "held_out_data"):
            if arguments.get(name) is not None:
                arguments[name] = self._of_data(arguments[name])
        weights = arguments.get("class_weight")
        if isinstance(weights, Mapping):
            arguments["class_weight"] = {
                task: weights[task] for task in self.tasks if task in weights
            }
        with self.trained.alone():
            return self.model.fit(
                x, y, sample_weight=sample_weight, **arguments
            )

    def _of_data(self, data):
        parts = keras.utils.unpack_x_y_sample_weight(data)
        x, y, sample_weight = of_tasks(*parts, self.tasks)
        if y is None:
            return x
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
