"""What every kind of task has."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.metric_directions import metric_direction
from mtl_keras.tasks.missing import drop_axis, is_labelled
from mtl_keras.tasks.missing_object import (
    MissingObject,
    load_or_stand_in,
    save,
)

# What Keras, TensorFlow's name scopes and SavedModel signatures all take.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclasses.dataclass(frozen=True)
class Task:
    """The head, loss, metrics and weight of one named output.

    This is the base of the kinds: `Classification`, `BinaryClassification`,
    `MultiLabelClassification`, `Regression`, `DenseRegression`,
    `Segmentation` and `SequenceTagging`. A new kind subclasses it, says what
    its head, default loss and metrics are and which targets fit, and is
    registered with
    `keras.saving.register_keras_serializable("mtl_keras")`.

    Args:
        name: Name of the output, of the key in the dict of targets, and the
            prefix of its metrics. Starts with a letter; letters, digits, `_`,
            `.` and `-` may follow.
        activation: Activation of the head. `None` gives logits, and the loss
            and metrics follow. Defaults to the kind's own.
        loss: Anything that `keras.losses.get` takes. Defaults to the kind's.
        metrics: Names out of `metric_names()`, or `keras.metrics.Metric`
            instances (fresh copies are made of these for each model).
            Defaults to the kind's.
        loss_weight: Weight of the task's loss in the sum, 0 or more. Defaults
            to `1.0`.
        primary_metric: Name of the metric that tells whether the task got
            better. Defaults to the kind's, or else to the first of `metrics`.
        direction: `"max"` or `"min"`, the better direction of the primary
            metric. Defaults to what its name says.
        complete_labels: Whether every sample is labelled, which is then
            checked: a value that stands for a missing label is an error, and
            the step of a stream computes no mask. Defaults to `False`: a
            missing label (`missing_label`, which is NaN for regressions and -1
            or NaN for classes) adds nothing to loss, gradients and metrics.
    """

    name: str
    _: dataclasses.KW_ONLY
    activation: Any = "default"
    loss: Any = None
    metrics: Sequence[Any] | None = None
    loss_weight: float = 1.0
    primary_metric: str | None = None
    direction: str | None = None
    complete_labels: bool = False

    default_activation: ClassVar[str | None] = None
    default_metrics: ClassVar[tuple[str, ...]] = ()
    missing_label: ClassVar[float] = -1
    # Whether each column of the output has a label of its own.
    columns: ClassVar[bool] = False
    feature_rank: ClassVar[int] = 2

    def __post_init__(self):
        self._check_name()
        self._check_loss_weight()
        if self.activation == "default":
            self._set("activation", self.default_activation)
        self._set("loss", self._resolve_loss(self.loss))
        metrics = self.default_metrics if self.metrics is None else self.metrics
        if isinstance(metrics, str | keras.metrics.Metric):
            metrics = (metrics,)
        self._set("metrics", tuple(metrics))
        names = self._check_metrics()
        if self.primary_metric is None and names:
            self._set("primary_metric", names[0])
        if self.primary_metric is not None and self.primary_metric not in names:
            raise ValueError(
                f"Task {self.name!r}: primary_metric="
                f"{self.primary_metric!r} is not among its metrics. "
                f"{did_you_mean(self.primary_metric, names)}"
            )
        if self.direction is None:
            known = metric_direction(self.primary_metric)
            self._set("direction", known or "max")
        if self.direction not in ("min", "max"):
            raise ValueError(
                f"Task {self.name!r}: direction={self.direction!r}; expected "
                "'min' or 'max'."
            )

    def _set(self, field: str, value: Any) -> None:
        object.__setattr__(self, field, value)

    # What a kind defines.

    def head(self, features):
        """Makes the output of the task from features.

        Args:
            features: A Keras tensor, of the rank that the kind needs.

        Returns:
            The output: a float32 Keras tensor, made by a layer that has the
            name of the task.

        Raises:
            ValueError: If the features have another rank.
        """
        if len(features.shape) != self.feature_rank:
            raise ValueError(
                f"Task {self.name!r} ({type(self).__name__}) reads features "
                f"of rank {self.feature_rank}; got shape {features.shape}. "
                "Pool or flatten them first, or read another layer."
            )
        return self._head_layer()(features)

    def _head_layer(self) -> keras.layers.Layer:
        raise TypeError(f"{type(self).__name__} defines no head layer.")

    def _default_loss(self) -> Any:
        raise TypeError(f"{type(self).__name__} defines no loss.")

    def _metric_makers(self) -> dict[str, Callable[[str], Any]]:
        """Metrics of the kind: a maker for each name, which it is given."""
        raise TypeError(f"{type(self).__name__} defines no metrics.")

    def target_shapes(self, output_shape: tuple) -> list[tuple]:
        """Lists the shapes that targets of the task may have.

        Args:
            output_shape: Shape of the output without the batch axis; `None`
                stands for any length.

        Returns:
            Shapes without the batch axis, the natural one first.
        """
        raise TypeError(f"{type(self).__name__} defines no target shapes.")

    def check_target_values(
        self, targets: np.ndarray, output_shape: tuple
    ) -> None:
        """Raises a `ValueError` if a target has a value that does not fit.

        Args:
            targets: Targets of one of the `target_shapes`, batch axis first.
            output_shape: Shape of the output without the batch axis.
        """
        raise TypeError(f"{type(self).__name__} checks no targets.")

    # What all kinds share.

    def labelled(self, targets, output_shape: tuple):
        """Tells which elements are labelled.

        An element is what has a loss of its own: a sample, a pixel, a token,
        or a column of several labels or numbers. One value per class is
        missing where any of them is.

        Args:
            targets: Numpy array or tensor, of one of the `target_shapes`.
            output_shape: Shape of the output without the batch axis.

        Returns:
            Booleans of the shape of the elements, batch axis first; or `None`
            if all are labelled, by their dtype or by `complete_labels`.
        """
        if self.complete_labels:
            return None
        labelled = is_labelled(targets, self.missing_label)
        full_rank = len(targets.shape) == len(output_shape) + 1
        if labelled is None or full_rank == self.columns:
            return labelled
        return labelled[..., None] if self.columns else drop_axis(labelled)

    @property
    def from_logits(self) -> bool:
        """Whether the output holds logits: the activation is `None`."""
        return self.activation is None

    def metric_names(self) -> list[str]:
        """Names that `metrics` may hold, for this kind of task."""
        return sorted(self._metric_makers())

    def make_metrics(self) -> list[keras.metrics.Metric]:
        """Makes fresh metric objects, one for each entry of `metrics`."""
        for metric in self.metrics:
            if isinstance(metric, MissingObject):
                raise metric.error(f"task {self.name!r}")
        makers = self._metric_makers()
        return [
            makers[metric](metric)
            if isinstance(metric, str)
            else type(metric).from_config(metric.get_config())
            for metric in self.metrics
        ]

    def get_config(self) -> dict:
        """Returns the arguments that make this task again, serialized."""
        return {
            field.name: save(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_config(cls, config: dict) -> Task:
        """Makes a task from its config."""
        return cls(
            **{key: load_or_stand_in(value) for key, value in config.items()}
        )

    def _resolve_loss(self, loss):
        if loss is None:
            return self._default_loss()
        try:
            return keras.losses.get(loss)
        except ValueError as error:
            raise ValueError(
                f"Task {self.name!r}: Keras knows no loss {loss!r}. Pass a "
                "name that keras.losses.get takes, a Loss or a function."
            ) from error

    def _check_name(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(
                f"A task's name is a string; got {self.name!r} of type "
                f"{type(self.name).__name__}."
            )
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"Task name {self.name!r} cannot name a Keras layer and a "
                "SavedModel output. Start with a letter and go on with "
                "letters, digits, '_', '.' or '-'."
            )

    def _check_loss_weight(self) -> None:
        weight = self.loss_weight
        if not isinstance(weight, int | float) or isinstance(weight, bool):
            raise TypeError(
                f"Task {self.name!r}: loss_weight={weight!r} is not a number."
            )
        if not math.isfinite(weight) or weight < 0:
            raise ValueError(
                f"Task {self.name!r}: loss_weight={weight!r}; expected a "
                "finite number of 0 or more."
            )

    def _check_metrics(self) -> list[str]:
        names = []
        for metric in self.metrics:
            if isinstance(metric, keras.metrics.Metric | MissingObject):
                names.append(metric.name)
            elif isinstance(metric, str) and metric in self._metric_makers():
                names.append(metric)
            elif isinstance(metric, str):
                raise ValueError(
                    f"Task {self.name!r} ({type(self).__name__}) has no "
                    f"metric {metric!r}. "
                    f"{did_you_mean(metric, self._metric_makers())} A "
                    "keras.metrics.Metric instance works too."
                )
            else:
                raise TypeError(
                    f"Task {self.name!r}: metrics holds {metric!r}; expected "
                    "names or keras.metrics.Metric instances."
                )
        if len(set(names)) < len(names):
            raise ValueError(
                f"Task {self.name!r}: two metrics of one name in {names}."
            )
        return names

    def _check_count(self, argument: str, least: int) -> None:
        value = getattr(self, argument)
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise TypeError(
                f"Task {self.name!r}: {argument}={value!r} is not an integer."
            )
        if value < least:
            raise ValueError(
                f"Task {self.name!r}: {argument}={value}; expected {least} "
                "or more."
            )
        self._set(argument, int(value))
