"""One stage of training: a model of some tasks that shares the layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from mtl_keras.training.data.select_tasks import select_tasks
from mtl_keras.training.gradients.shared_graph import split_shared_graph
from mtl_keras.training.multi_task_model import MultiTaskModel
from mtl_keras.training.overrides import derive_model_class
from mtl_keras.training.stages.trained_part import (
    TrainedPart,
    find_trained_part,
)

_TASK_ARGUMENTS = ("loss", "metrics", "weighted_metrics", "loss_weights")


class Stage:
    """A model of some tasks that trains the layers of another model.

    Args:
        model: The compiled model of all tasks, which defines the settings.
        tasks: Names of the tasks of the stage.
        frozen: The part that earlier stages trained and this stage freezes,
            or `None`.

    Raises:
        ValueError: If no variables are left to train.
    """

    def __init__(
        self,
        model: MultiTaskModel,
        tasks: Sequence[str],
        frozen: TrainedPart | None,
    ):
        self.tasks = tuple(tasks)
        with model.distribute_strategy.scope():
            self.model = derive_model_class(model, MultiTaskModel)(
                model.input,
                {name: model.output[name] for name in tasks},
                name=model.name,
                tasks=[task for task in model.tasks if task.name in tasks],
            )
        self.trained = find_trained_part(self.model, frozen)
        if not self.trained.variables:
            raise ValueError(
                f"The stage of {list(tasks)} has no variables to train: all "
                "variables of these tasks are frozen. Pass frozen=False, or "
                "remove the stage."
            )
        with self.trained.freeze_rest(), model.distribute_strategy.scope():
            self.model.compile(**self._compile_arguments(model))

    def _compile_arguments(self, model: MultiTaskModel) -> dict:
        config = model.get_compile_config()
        del config["tasks"]
        arguments = keras.saving.deserialize_keras_object(config)
        for argument in _TASK_ARGUMENTS:
            given = arguments[argument] or {}
            arguments[argument] = {
                task: given[task] for task in self.tasks if task in given
            }
        if not self._uses_weighting(model):
            arguments |= {"weighting": None, "monitor": False}
        return arguments

    def _uses_weighting(self, model: MultiTaskModel) -> bool:
        """Returns whether the weighting has an effect in this stage.

        A weighting that compares gradients requires shared parameters that
        train.
        """
        if model.weighting is None or len(self.tasks) == 1:
            return False
        if not model.compiled_parts.update.compares_gradients:
            return True
        return bool(split_shared_graph(self.model).shared)

    def fit(self, x, y, sample_weight, **arguments) -> keras.callbacks.History:
        """Trains the stage on the data of all tasks.

        Args:
            x: As in `MultiTaskModel.fit`.
            y: As in `MultiTaskModel.fit`, for all tasks.
            sample_weight: As in `MultiTaskModel.fit`, for all tasks.
            **arguments: Other arguments of `MultiTaskModel.fit`.
        """
        x, y, sample_weight = select_tasks(x, y, sample_weight, self.tasks)
        for name in ("validation_data", "held_out_data"):
            if arguments.get(name) is not None:
                arguments[name] = self._select_data(arguments[name])
        weights = arguments.get("class_weight")
        if isinstance(weights, Mapping):
            arguments["class_weight"] = {
                task: weights[task] for task in self.tasks if task in weights
            }
        with self.trained.freeze_rest():
            return self.model.fit(
                x, y, sample_weight=sample_weight, **arguments
            )

    def _select_data(self, data):
        data = keras.utils.unpack_x_y_sample_weight(data)
        x, y, sample_weight = select_tasks(*data, self.tasks)
        if y is None:
            return x
        return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
