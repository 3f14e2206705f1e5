"""The joint loss of all samples as a function of one weight vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.training.full_batch.chunks import to_graph_function
from mtl_keras.training.gradients.added_losses import added_losses
from mtl_keras.training.gradients.task_gradients import compute_loss_update
from mtl_keras.training.losses.loss_sums import LossSums


class JointLossValue(NamedTuple):
    """The joint loss at one weight vector.

    Args:
        value: The joint loss, a float.
        gradient: Its gradient, a float64 array of shape `(parameters,)`.
        logs: Dict with `loss` (with the loss weights) and `<task>_loss`.
    """

    value: float
    gradient: np.ndarray
    logs: dict[str, float]


class JointLoss:
    """Computes the joint loss of all samples and its gradient.

    The joint loss is the weighted sum of the task losses, plus the losses that
    layers add, such as regularization. A task loss is divided by the number of
    its labels in all samples, so it does not depend on the chunks.

    Args:
        model: A compiled `MultiTaskModel`. Its `loss_weights` and the fixed
            weights of its weighting are read once.
        chunks: All samples, from `make_chunks`.
        class_weights: Dict from task name to an array of class weights.
            Defaults to `None`.
        complete: Whether all labels are present. Defaults to `False`.

    Raises:
        ValueError: If a loss cannot be computed in several chunks.
    """

    def __init__(
        self,
        model,
        chunks: list[tuple],
        class_weights: Mapping | None = None,
        *,
        complete: bool = False,
    ):
        self._model = model
        self._losses = model.compiled_parts.losses
        self._class_weights = class_weights
        self._complete = complete
        self._chunks = chunks
        self._variables = model.trainable_weights
        self._names = list(self._losses.names)
        self._user_weights = {n: model.loss_weights[n] for n in self._names}
        self._weights = self._objective_weights()
        sizes = [_count_samples(chunk) for chunk in chunks]
        self._shares = [np.float32(size / sum(sizes)) for size in sizes]
        self._assign = to_graph_function(model, self._assign_in_graph)
        self._compute_chunk = to_graph_function(
            model, self._compute_chunk_in_graph
        )
        self._counts = self._count_labels()

    def weights(self) -> np.ndarray:
        """Returns the trainable weights as a float64 vector."""
        return np.concatenate(
            [variable.numpy().ravel() for variable in self._variables]
        ).astype("float64")

    def assign(self, vector: np.ndarray) -> None:
        """Assigns the trainable weights of the model.

        Args:
            vector: Float64 array of shape `(parameters,)`.
        """
        self._assign(tf.convert_to_tensor(vector, "float64"))

    def __call__(self, vector: np.ndarray) -> JointLossValue:
        """Assigns the weights and computes the loss and its gradient.

        Args:
            vector: Float64 array of shape `(parameters,)`.
        """
        self.assign(vector)
        losses, added = np.zeros(len(self._names)), 0.0
        gradient = np.zeros(len(vector))
        for chunk, share in zip(self._chunks, self._shares, strict=True):
            chunk_losses, chunk_added, chunk_gradient = self._compute_chunk(
                chunk, tf.convert_to_tensor(share), self._counts
            )
            losses += chunk_losses.numpy()
            added += float(chunk_added)
            gradient += chunk_gradient.numpy()
        user = np.array([self._user_weights[name] for name in self._names])
        logs = {"loss": float(user @ losses + added)}
        for name, loss in zip(self._names, losses, strict=True):
            logs[f"{name}_loss"] = float(loss)
        value = float(np.array(self._weights) @ losses + added)
        return JointLossValue(value, gradient, logs)

    def check_loss_weights(self) -> None:
        """Raises a `ValueError` if the loss weights of the model changed."""
        now = {name: self._model.loss_weights[name] for name in self._names}
        if now != self._user_weights:
            raise ValueError(
                f"A callback changed loss_weights from {self._user_weights} to "
                f"{now}; fit_full_batch minimizes one function, so they must "
                "not change while it runs. Remove the callback, or change "
                "the loss weights between two calls."
            )

    def _objective_weights(self) -> list[float]:
        """Returns the loss weights times the weights of the weighting."""
        weighting, count = self._model.weighting, len(self._names)
        fixed = dict.fromkeys(self._names, 1.0)
        if weighting is not None:
            for name, unit in zip(
                weighting.task_names,
                np.eye(count, dtype="float32"),
                strict=True,
            ):
                fixed[name] = float(weighting.combine(tf.constant(unit)))
        return [self._user_weights[n] * fixed[n] for n in self._names]

    def _count_labels(self) -> list:
        """Counts the labels of each task group, by task and loss term."""

        def count(chunk):
            x, y, sample_weight = chunk
            y_pred = self._model(x, training=False)
            sums = self._compute_sums(y_pred, y, sample_weight)
            return [group_sums.counts for group_sums in sums.values()]

        count = to_graph_function(self._model, count)
        counts = [count(chunk) for chunk in self._chunks]
        return keras.tree.map_structure(lambda *values: sum(values), *counts)

    def _compute_sums(self, y_pred, y, sample_weight) -> dict[tuple, LossSums]:
        num_chunks = len(self._chunks)
        group_batches = self._losses.split_batch(
            y,
            y_pred,
            sample_weight,
            class_weights=self._class_weights,
            complete=self._complete,
        )
        if num_chunks > 1:
            for batch in group_batches:
                name = batch.names[0]
                loss = self._losses.losses.get(name)
                if loss is not None:
                    values = batch.targets.values
                    _check_separable(name, loss, values, batch.y_pred)
        # Chunks share a loss with reduction="sum" like replicas.
        return self._losses.loss_sums(group_batches, replicas=num_chunks)

    def _compute_chunk_in_graph(self, chunk, share, counts) -> tuple:
        x, y, sample_weight = chunk
        found = {}

        def compute_losses(y_pred):
            sums = self._compute_sums(y_pred, y, sample_weight)
            losses = self._losses.divide_sums(sums, counts)
            found["losses"] = losses
            # `share` scales only the losses of layers, means over samples.
            weights = tf.constant(self._weights, "float32")
            return weights * losses / share, None

        update = compute_loss_update(
            self._model,
            x,
            compute_losses,
            None,
            lambda loss: loss * share,
            check_finite=False,
        )
        gradients = [update.gradients[id(v)] for v in self._variables]
        vector = tf.concat(
            [
                tf.zeros(int(np.prod(variable.shape)))
                if gradient is None
                else tf.reshape(
                    tf.cast(tf.convert_to_tensor(gradient), "float32"), [-1]
                )
                for variable, gradient in zip(
                    self._variables, gradients, strict=True
                )
            ],
            axis=0,
        )
        return found["losses"], added_losses(self._model) * share, vector

    def _assign_in_graph(self, vector) -> None:
        sizes = [int(np.prod(v.shape)) for v in self._variables]
        for variable, values in zip(
            self._variables, tf.split(vector, sizes), strict=True
        ):
            values = tf.reshape(values, variable.shape)
            variable.assign(tf.cast(values, variable.dtype))


def _count_samples(chunk: tuple) -> int:
    return len(next(a for a in keras.tree.flatten(chunk[0]) if a is not None))


def _check_separable(name: str, loss, y_true, y_pred) -> None:
    """Raises an error for a loss that is one scalar for a whole batch."""
    if isinstance(loss, ElementLoss):
        return
    if len(loss.call(tf.cast(y_true, y_pred.dtype), y_pred).shape) == 0:
        raise ValueError(
            f"Task {name!r}: the loss {loss.name!r} is one scalar for all "
            "samples and cannot be summed over chunks. Use batch_size=None."
        )
