"""The base class of all kinds of tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from mtl_keras.spelling import did_you_mean
from mtl_keras.tasks.argument_checks import (
    check_loss_weight,
    check_metrics,
    check_name,
    check_size,
    check_title,
    get_loss,
)
from mtl_keras.tasks.class_labels import is_one_hot_shape
from mtl_keras.tasks.class_names import check_class_names
from mtl_keras.tasks.decoding import decode_output, decode_targets
from mtl_keras.tasks.metric_directions import metric_direction
from mtl_keras.tasks.missing import drop_axis, is_labelled
from mtl_keras.tasks.missing_object import (
    MissingObject,
    deserialize_or_keep,
    serialize,
)


@dataclasses.dataclass(frozen=True)
class Task:
    """The head, loss, metrics and weight of one named output.

    This is the base of all kinds: `Classification`, `BinaryClassification`,
    `MultiLabelClassification`, `Regression`, `DenseRegression`,
    `Segmentation` and `SequenceTagging`.

    A new kind subclasses it, decorated with
    `keras.saving.register_keras_serializable()` and
    `dataclasses.dataclass(frozen=True)`. It sets the class attributes below
    and implements `_default_loss`, `_metric_makers`, `target_shapes` and
    `check_target_values`. The head, class weights, descriptions, plots and csv
    files follow from the attributes; a kind overrides what does not fit.

    Class attributes:

    - `target_kind`: What a label is: `"number"` (default), `"binary"` (no or
      yes, or a probability), or `"class"` (one of several).
    - `columns`: Whether each column of the output has a separate label.
      Defaults to `False`: the columns are scores of one label.
    - `labels_per`: What has a label: `"sample"` (default), `"step"` or
      `"pixel"`.
    - `feature_rank`: Rank of the features that the head reads. Defaults to 2.
    - `size_argument`: Name of the argument that sets the number of columns.
      Defaults to `None`, one column.
    - `min_size`: Smallest value of that argument. Defaults to 1.
    - `default_activation`, `default_metrics`: Defaults of the arguments.

    Args:
        name: Name of the output and of the key in the dict of targets, and
            prefix of its metrics. Starts with a letter; letters, digits, `_`,
            `.` and `-` may follow.
        activation: Activation of the head. `None` gives logits, and the loss
            and metrics follow. Defaults to the kind's.
        loss: Anything that `keras.losses.get` takes. Defaults to the kind's.
        metrics: Names from `metric_names()`, or `keras.metrics.Metric`
            instances (each model gets fresh copies). Defaults to the kind's.
        loss_weight: Weight of the task's loss in the sum, 0 or more. Defaults
            to `1.0`.
        primary_metric: Name of the metric that decides whether the task
            improved. Defaults to the first of `metrics`.
        direction: `"max"` or `"min"`, the better direction of the primary
            metric. Defaults to the usual one of that metric.
        complete_labels: Whether every sample is labelled. This is checked: a
            value that stands for a missing label is an error, and the step of
            a stream computes no mask. Defaults to `False`: a missing label
            (NaN for regressions, -1 or NaN for classes) adds nothing to loss,
            gradients and metrics.
        log_loss_terms: Whether `fit` and `evaluate` also log each term of a
            loss that has several, as `<task>_<term>_loss`. The terms sum to
            `<task>_loss`. Defaults to `False`.
        title: Any text that people read in place of the name, in plots, tables
            and csv files, such as the name of a column that no output can
            have. Defaults to `None`: the name.
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
    log_loss_terms: bool = False
    title: str | None = None

    target_kind: ClassVar[str] = "number"
    columns: ClassVar[bool] = False
    labels_per: ClassVar[str] = "sample"
    feature_rank: ClassVar[int] = 2
    size_argument: ClassVar[str | None] = None
    min_size: ClassVar[int] = 1
    default_activation: ClassVar[str | None] = None
    default_metrics: ClassVar[tuple[str, ...]] = ()
    # An argument of the kinds that have classes.
    class_names: ClassVar[Sequence[str] | None] = None

    def __post_init__(self):
        check_name(self.name)
        check_loss_weight(self.name, self.loss_weight)
        check_title(self.name, self.title)
        if self.size_argument is not None:
            size = check_size(
                self.name, self.size_argument, self.output_size, self.min_size
            )
            self._set(self.size_argument, size)
        if self.class_names is not None:
            names = check_class_names(
                self.name, self.class_names, self.num_categories
            )
            self._set("class_names", names)
        if self.activation == "default":
            self._set("activation", self.default_activation)
        loss = self._default_loss() if self.loss is None else self.loss
        self._set("loss", get_loss(self.name, loss))
        metrics = self.default_metrics if self.metrics is None else self.metrics
        if isinstance(metrics, str | keras.metrics.Metric):
            metrics = (metrics,)
        self._set("metrics", tuple(metrics))
        names = check_metrics(
            f"Task {self.name!r} ({type(self).__name__})",
            self.metrics,
            self._metric_makers(),
        )
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

    # Defined by each kind.

    def head(self, features):
        """Computes the output of the task from features.

        Args:
            features: A Keras tensor of rank `feature_rank`.

        Returns:
            The output: a float32 Keras tensor from a layer that has the name
            of the task.

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
        arguments = {
            "activation": self.activation,
            "dtype": "float32",
            "name": self.name,
        }
        if self.labels_per == "pixel":
            return keras.layers.Conv2D(self.output_size, 1, **arguments)
        return keras.layers.Dense(self.output_size, **arguments)

    def _default_loss(self) -> Any:
        raise TypeError(f"{type(self).__name__} defines no loss.")

    def _metric_makers(self) -> dict[str, Callable[[str], Any]]:
        """Returns a function for each metric name that creates the metric."""
        raise TypeError(f"{type(self).__name__} defines no metrics.")

    def target_shapes(self, output_shape: tuple) -> list[tuple]:
        """Lists the shapes that targets of the task may have.

        Args:
            output_shape: Shape of the output without the batch axis; `None`
                means any length.

        Returns:
            Shapes without the batch axis, the natural one first.
        """
        raise TypeError(f"{type(self).__name__} defines no target shapes.")

    def check_target_values(
        self, targets: np.ndarray, output_shape: tuple
    ) -> None:
        """Raises a `ValueError` if a target has an invalid value.

        Args:
            targets: Targets of one of the `target_shapes`, batch axis first.
            output_shape: Shape of the output without the batch axis.
        """
        raise TypeError(f"{type(self).__name__} checks no targets.")

    @property
    def display_name(self) -> str:
        """The title, or the name if there is none."""
        return self.name if self.title is None else self.title

    # Derived from the class attributes.

    @property
    def missing_label(self) -> float:
        """Value of a missing label: NaN for numbers, else -1 (or NaN)."""
        return float("nan") if self.target_kind == "number" else -1

    @property
    def output_size(self) -> int:
        """Length of the last axis of the output."""
        return getattr(self, self.size_argument) if self.size_argument else 1

    @property
    def num_label_classes(self) -> int | None:
        """Number of values that a label can have; `None` for numbers."""
        if self.target_kind == "number":
            return None
        return max(self.output_size, 2) if self.target_kind == "class" else 2

    @property
    def num_categories(self) -> int | None:
        """Number of entries of `class_names`; `None` for numbers.

        These are the classes, or the columns of several binary labels.
        """
        if self.target_kind == "binary" and self.columns:
            return self.output_size
        return self.num_label_classes

    @property
    def panel(self) -> str:
        """Name of the panel that `plot_predictions` draws for tables.

        One of `"scatter"`, `"labels"` and `"confusion"`.
        """
        if self.target_kind == "number":
            return "scatter"
        return "labels" if self.columns else "confusion"

    def is_one_hot(self, shape: tuple) -> bool:
        """Returns whether targets hold one value per class.

        Args:
            shape: Shape of the targets, batch axis included.
        """
        size = self.output_size
        is_class = self.target_kind == "class" and size > 1
        return is_class and is_one_hot_shape(shape, size, self.feature_rank)

    def decode(self, output: np.ndarray) -> tuple:
        """Converts outputs to predicted labels.

        Args:
            output: Array of outputs, batch axis first.

        Returns:
            The predicted labels (classes, 0 or 1, or numbers) and the
            probability of each, which is `None` for numbers.
        """
        return decode_output(
            output,
            self.target_kind,
            columns=self.columns,
            from_logits=self.from_logits,
        )

    def decode_targets(self, targets: np.ndarray, output: np.ndarray):
        """Converts targets to the form of the predicted labels.

        Args:
            targets: Array of targets, of one of the `target_shapes`.
            output: Array of outputs.

        Returns:
            An array of the shape that `decode` gives. A missing class is -1, a
            missing number NaN.
        """
        return decode_targets(targets, output, self.target_kind, self.columns)

    def with_class_names(self, class_names: Sequence[str] | None) -> Task:
        """Adds names of classes to a task that has none.

        Args:
            class_names: Names, or `None`.

        Returns:
            A task with these names; or this task, if it has names already or
            its kind takes none.
        """
        fields = {field.name for field in dataclasses.fields(self)}
        if class_names is None or "class_names" not in fields:
            return self
        if self.class_names is not None:
            return self
        return dataclasses.replace(self, class_names=tuple(class_names))

    def labelled(self, targets, output_shape: tuple):
        """Finds the elements that are labelled.

        Each element has a separate loss: a sample, a pixel, a token, or a
        column of several labels or numbers. One value per class is missing
        where any of them is.

        Args:
            targets: Numpy array or tensor, of one of the `target_shapes`.
            output_shape: Shape of the output without the batch axis.

        Returns:
            Booleans of the shape of the elements, batch axis first; or `None`
            if all are labelled: the dtype cannot hold a missing label, or
            `complete_labels` is set.
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
        """Returns whether the output holds logits: `activation` is `None`."""
        return self.activation is None

    def metric_names(self) -> list[str]:
        """Lists the names that `metrics` may hold."""
        return sorted(self._metric_makers())

    def make_metrics(self) -> list[keras.metrics.Metric]:
        """Creates a metric object for each entry of `metrics`."""
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
        """Returns the serialized arguments of the task."""
        return {
            field.name: serialize(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }

    @classmethod
    def from_config(cls, config: dict) -> Task:
        """Creates a task from its config.

        Args:
            config: A dict that `get_config` returned.
        """
        return cls(
            **{key: deserialize_or_keep(value) for key, value in config.items()}
        )
