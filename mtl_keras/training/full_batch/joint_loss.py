"""The joint loss of all samples, as a function of one vector of weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from mtl_keras.losses.element_loss import ElementLoss
from mtl_keras.training.full_batch.chunks import in_graph
from mtl_keras.training.gradients.added_losses import added_losses
from mtl_keras.training.gradients.task_gradients import of_losses
from mtl_keras.training.losses.loss_sums import LossSums


class JointLossValue(NamedTuple):
    """The joint loss at one vector of weights.

    Args:
        value: The joint loss, a float.
        gradient: Its gradient, float64 of shape `(parameters,)`.
        logs: Dict with `loss` (by the user's weights) and `<task>_loss`.
    """

    value: float
    gradient: np.ndarray
    logs: dict[str, float]


class JointLoss:
    """The weighted sum of the task losses over all samples, and its gradient.

    A task's loss is divided by the number of its labels in all samples, so
    that the chunks in which it is computed do not change it. What layers add,
    such as regularization, comes on top.

    Args:
        model: A compiled `MultiTaskModel`; its `loss_weights` and the fixed
            weights of its weighting are read once.
        chunks: All samples, from `make_chunks`.
        class_weights: Dict from task name to a weight for each class.
        complete: Whether no label is missing. Defaults to `False`.

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
        sizes = [_size(chunk) for chunk in chunks]
        self._shares = [np.float32(size / sum(sizes)) for size in sizes]
        self._assign = in_graph(model, self._assign_in_graph)
        self._of_chunk = in_graph(model, self._of_chunk_in_graph)
        self._counts = self._count()

    def weights(self) -> np.ndarray:
        """The trainable weights as a float64 vector."""
        return np.concatenate(
            [variable.numpy().ravel() for variable in self._variables]
        ).astype("float64")

    def assign(self, vector: np.ndarray) -> None:
        """Sets the trainable weights of the model.

        Args:
            vector: Float64 of shape `(parameters,)`.
        """
        self._assign(tf.convert_to_tensor(vector, "float64"))

    def __call__(self, vector: np.ndarray) -> JointLossValue:
        """Sets the weights, and computes the loss and its gradient there.

        Args:
            vector: Float64 of shape `(parameters,)`.
        """
        self.assign(vector)
        losses, others = np.zeros(len(self._names)), 0.0
        gradient = np.zeros(len(vector))
        for chunk, share in zip(self._chunks, self._shares, strict=True):
            of_tasks, of_layers, of_weights = self._of_chunk(
                chunk, tf.convert_to_tensor(share), self._counts
            )
            losses += of_tasks.numpy()
            others += float(of_layers)
            gradient += of_weights.numpy()
        user = np.array([self._user_weights[name] for name in self._names])
        logs = {"loss": float(user @ losses + others)}
        for name, loss in zip(self._names, losses, strict=True):
            logs[f"{name}_loss"] = float(loss)
        value = float(np.array(self._weights) @ losses + others)
        return JointLossValue(value, gradient, logs)

    def check_loss_weights(self) -> None:
        """Raises a `ValueError` if the model's loss weights were changed."""
        now = {name: self._model.loss_weights[name] for name in self._names}
        if now != self._user_weights:
            raise ValueError(
                f"A callback changed loss_weights from {self._user_weights} to "
                f"{now}; fit_full_batch minimizes one function, so they stay "
                "as they are while it runs. Leave the callback out, or change "
                "the weights between two calls."
            )

    def _objective_weights(self) -> list[float]:
        """The user's weights, times those of a weighting that fixes them."""
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

    def _count(self) -> list:
        """Numbers of labels of each part, by task and term of its loss."""

        def count(chunk):
            x, y, sample_weight = chunk
            sums = self._sums(self._model(x, training=False), y, sample_weight)
            return [of_part.counts for of_part in sums.values()]

        count = in_graph(self._model, count)
        found = [count(chunk) for chunk in self._chunks]
        return keras.tree.map_structure(lambda *parts: sum(parts), *found)

    def _sums(self, y_pred, y, sample_weight) -> dict[tuple, LossSums]:
        chunks = len(self._chunks)
        parts = self._losses.parts(
            y,
            y_pred,
            sample_weight,
            class_weights=self._class_weights,
            complete=self._complete,
        )
        if chunks > 1:
            for part in parts:
                name = part.names[0]
                loss = self._losses.losses.get(name)
                if loss is not None:
                    values = part.targets.values
                    _check_separable(name, loss, values, part.y_pred)
        # Chunks share a loss that is a sum as replicas do.
        return self._losses.sums(parts, replicas=chunks)

    def _of_chunk_in_graph(self, chunk, share, counts) -> tuple:
        x, y, sample_weight = chunk
        found = {}

        def losses_of(y_pred):
            sums = self._sums(y_pred, y, sample_weight)
            losses = self._losses.values(sums, counts)
            found["losses"] = losses
            # What layers add is a mean over samples: `share` scales it alone.
            weights = tf.constant(self._weights, "float32")
            return weights * losses / share, None

        update = of_losses(
            self._model,
            x,
            losses_of,
            None,
            lambda loss: loss * share,
            guarded=False,
        )
        gradients = [update.gradients[id(v)] for v in self._variables]
        gradient = tf.concat(
            [
                tf.zeros(int(np.prod(variable.shape)))
                if of_variable is None
                else tf.reshape(
                    tf.cast(tf.convert_to_tensor(of_variable), "float32"), [-1]
                )
                for variable, of_variable in zip(
                    self._variables, gradients, strict=True
                )
            ],
            axis=0,
        )
        return found["losses"], added_losses(self._model) * share, gradient

    def _assign_in_graph(self, vector) -> None:
        sizes = [int(np.prod(v.shape)) for v in self._variables]
        for variable, part in zip(
            self._variables, tf.split(vector, sizes), strict=True
        ):
            values = tf.reshape(part, variable.shape)
            variable.assign(tf.cast(values, variable.dtype))


def _size(chunk: tuple) -> int:
    return len(next(a for a in keras.tree.flatten(chunk[0]) if a is not None))


def _check_separable(name: str, loss, y_true, y_pred) -> None:
    """Refuses losses that are one number for a whole batch."""
    if isinstance(loss, ElementLoss):
        return
    if len(loss.call(tf.cast(y_true, y_pred.dtype), y_pred).shape) == 0:
        raise ValueError(
            f"Task {name!r}: its loss {loss.name!r} is one number for all "
            "samples and cannot be added up over chunks. Leave batch_size=None."
        )
