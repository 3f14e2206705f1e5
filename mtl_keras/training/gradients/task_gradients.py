"""Computes gradients of the task losses and combines them into one update.

All functions run inside a step, on each replica. Their results are summed over
the replicas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas
from mtl_keras.training.gradients.added_losses import (
    added_losses,
    scale_added_losses,
)
from mtl_keras.training.gradients.backward import (
    SharedBackward,
    add_gradients,
    compute_head_gradients,
)
from mtl_keras.training.gradients.finiteness import (
    Finiteness,
    all_finite,
    zero_unless,
)
from mtl_keras.training.gradients.gramians import (
    compute_gramian,
    flatten,
    weighted_sum,
)
from mtl_keras.training.gradients.shared_graph import SharedGraph
from mtl_keras.training.gradients.task_specific_gradients import (
    TaskSpecificGradients,
    map_by_id,
)
from mtl_keras.weighting import Weighting


class Update(NamedTuple):
    """The update of a batch.

    Args:
        losses: Float32 tensor of shape `(tasks,)`, the task losses times the
            loss weights, of the whole batch.
        weights: Float32 tensor of shape `(tasks,)`, the task weights.
        gradients: Dict from the `id` of a trainable variable to its gradient.
        finite: Whether the values are finite, or `None` if not checked.
        added: Sum of the losses that layers added on this replica.
        gramian: Inner products of the task gradients, of shape `(tasks,
            tasks)`, or `None` if the weighting does not use them.
    """

    losses: object
    weights: object
    gradients: dict[int, object]
    finite: Finiteness | None
    added: object
    gramian: object = None


def compute_loss_update(
    model,
    x,
    compute_losses: Callable,
    weighting: Weighting | None,
    scale: Callable,
    *,
    check_finite: bool = True,
) -> Update:
    """Computes the update of a combined loss with one backward pass.

    A weighting combines the losses of the whole batch. Its derivatives are the
    weights of the losses on each replica.

    Args:
        model: The model.
        x: Inputs.
        compute_losses: Function from the outputs to this replica's share of
            the losses, of shape `(tasks,)`, and of an extra loss or `None`.
        weighting: A weighting that combines losses, or `None` for their sum.
        scale: The loss scaling of the optimizer.
        check_finite: Whether to check the values. Defaults to `True`.

    Returns:
        An `Update`.
    """
    with tf.GradientTape() as tape:
        losses, extra_loss = compute_losses(model(x, training=True))
        added = added_losses(model)
        share = _add_extra_loss(scale_added_losses(model, x, added), extra_loss)
        total = sum_over_replicas(losses)
        weights, weighting_gradients = tf.ones_like(losses), {}
        if weighting is not None:
            is_finite = tf.reduce_all(tf.math.is_finite(total))
            (finite_losses,) = zero_unless(is_finite, total)
            weights, weighting_gradients = _combine_losses(
                weighting, finite_losses, scale
            )
            losses = weights * losses
        loss = scale(tf.reduce_sum(losses) + share)
    variables = model.trainable_weights
    gradients = tape.gradient(loss, variables)
    if check_finite and (model.losses or extra_loss is not None):
        gradients = _propagate_non_finite(gradients, variables, share)
    gradients = sum_over_replicas(gradients)
    finite = None
    if check_finite:
        is_finite = tf.math.is_finite(total)
        finite = Finiteness(
            is_finite, tf.ones_like(is_finite), all_finite(gradients)
        )
    by_variable = map_by_id(variables, gradients) | weighting_gradients
    return Update(total, weights, by_variable, finite, added)


def compute_gradient_update(
    model,
    x,
    compute_losses: Callable,
    weighting: Weighting,
    scale: Callable,
    graph: SharedGraph,
    mode: str,
) -> Update:
    """Computes the update that a weighting makes of one gradient per task.

    Args:
        model: The model.
        x: Inputs.
        compute_losses: See `compute_loss_update`.
        weighting: A weighting that requires the Gramian or the Jacobian.
        scale: See `compute_loss_update`.
        graph: The model, split into a shared part and heads.
        mode: `"parameters"` for gradients of the shared parameters,
            `"features"` for gradients of the shared features.

    Returns:
        An `Update`.
    """
    names = weighting.task_names
    with tf.GradientTape(persistent=True) as tape:
        features = keras.tree.flatten(graph.trunk(x, training=True))
        with tf.GradientTape(persistent=True) as head_tape:
            head_tape.watch(features)
            copies = [group.copy_features(features) for group in graph.groups]
            losses, extra_loss = compute_losses(
                graph.outputs(features, copies, training=True)
            )
            scaled = [scale(loss) for loss in tf.unstack(losses)]
        added = added_losses(model)
        share = _add_extra_loss(scale_added_losses(model, x, added), extra_loss)
        scaled_share = scale(share)
    heads, group_gradients = compute_head_gradients(
        head_tape, scaled, features, copies, graph, names
    )
    task_specific = TaskSpecificGradients(
        [head.task_specific for head in heads], group_gradients
    )
    added_gradients = tape.gradient(scaled_share, model.trainable_weights)
    if model.losses or extra_loss is not None:
        added_gradients = _propagate_non_finite(
            added_gradients, model.trainable_weights, share
        )
    local = _ReplicaGradients(
        heads,
        SharedBackward(tape, features, graph.shared),
        task_specific,
        added_gradients,
        losses,
        lambda gradients: gradients.is_finite(graph, names),
    )
    loss_scale = scale(tf.constant(1.0))
    reduced = _select_method(mode, weighting)(weighting, local, loss_scale)
    (finite_losses,) = zero_unless(
        tf.reduce_all(reduced.finite), reduced.losses
    )
    factors, weighting_gradients = _combine_losses(
        weighting, finite_losses, scale
    )
    by_variable = map_by_id(graph.shared, reduced.shared)
    by_variable |= reduced.task_specific.apply_weights(graph, names, factors)
    for variable, gradient in zip(
        model.trainable_weights, reduced.added, strict=True
    ):
        other = by_variable.get(id(variable))
        by_variable[id(variable)] = add_gradients(other, gradient)
    finite = Finiteness(
        tf.math.is_finite(reduced.losses),
        reduced.finite,
        all_finite([*reduced.shared, *reduced.added]),
    )
    return Update(
        reduced.losses,
        reduced.weights,
        by_variable | weighting_gradients,
        finite,
        added,
        reduced.gramian,
    )


def _add_extra_loss(share, extra_loss):
    return share if extra_loss is None else share + extra_loss


def _propagate_non_finite(gradients: list, variables: list, share) -> list:
    """Sets a gradient to NaN if the added losses of a replica are not finite.

    The sum over the replicas then is NaN on all of them.
    """
    mark = tf.where(tf.math.is_finite(share), 0.0, float("nan"))
    marked = list(gradients)
    reached = (i for i, gradient in enumerate(marked) if gradient is not None)
    index = next(reached, 0)
    gradient = marked[index]
    if gradient is None:
        gradient = tf.zeros(variables[index].shape)
    gradient = tf.convert_to_tensor(gradient)
    marked[index] = gradient + tf.cast(mark, gradient.dtype)
    return marked


def _combine_losses(
    weighting: Weighting | None, losses, scale: Callable
) -> tuple:
    """Computes loss factors, and gradients of the weighting's variables."""
    if weighting is None or not weighting.combines:
        return tf.ones_like(losses), {}
    losses = tf.stop_gradient(losses)
    variables = weighting.trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(losses)
        combined = weighting.combine(losses)
    factors, *gradients = tape.gradient(
        combined, [losses, *[variable.value for variable in variables]]
    )
    by_variable = {
        id(variable): None if gradient is None else scale(gradient)
        for variable, gradient in zip(variables, gradients, strict=True)
    }
    return tf.stop_gradient(factors), by_variable


class _ReplicaGradients(NamedTuple):
    """The gradients of this replica."""

    heads: list
    backward: SharedBackward
    task_specific: TaskSpecificGradients
    added: list  # of added losses
    losses: object
    check_task_specific: Callable

    def compute_rows(self) -> list[list]:
        """Computes the shared gradients with one backward pass per task."""
        return [
            self.backward(head.features, head.shared) for head in self.heads
        ]

    def check_finite(
        self, losses, gramian, task_specific: TaskSpecificGradients
    ):
        """Checks whether the loss and the gradients of each task are finite."""
        norms = tf.linalg.diag_part(gramian)
        finite = tf.math.is_finite(losses) & tf.math.is_finite(norms)
        return finite & self.check_task_specific(task_specific)


class _ReducedGradients(NamedTuple):
    """The weighted gradients, summed over all replicas."""

    losses: object
    shared: list
    task_specific: TaskSpecificGradients
    added: list
    weights: object
    gramian: object
    finite: object  # by task


def _select_method(mode: str, weighting: Weighting) -> Callable:
    if weighting.requires == "jacobian":
        return _aggregate_jacobian
    return _weight_parameters if mode == "parameters" else _weight_features


def _weight_parameters(
    weighting, local: _ReplicaGradients, loss_scale
) -> _ReducedGradients:
    """Weights exact gradients, with one backward pass per task."""
    losses, rows, task_specific, added = sum_over_replicas(
        (local.losses, local.compute_rows(), local.task_specific, local.added)
    )
    gramian = compute_gramian(rows) / tf.square(loss_scale)
    finite = local.check_finite(losses, gramian, task_specific)
    weights = weighting.weights(
        *zero_unless(tf.reduce_all(finite), losses, gramian)
    )
    shared = weighted_sum(rows, weights)
    return _ReducedGradients(
        losses, shared, task_specific, added, weights, gramian, finite
    )


def _weight_features(
    weighting, local: _ReplicaGradients, loss_scale
) -> _ReducedGradients:
    """Weights feature gradients, with one backward pass of their sum."""
    features = [head.features for head in local.heads]
    losses, gramian, task_specific, added = sum_over_replicas(
        (
            local.losses,
            compute_gramian(features),
            local.task_specific,
            local.added,
        )
    )
    gramian = gramian / tf.square(loss_scale)
    finite = local.check_finite(losses, gramian, task_specific)
    weights = weighting.weights(
        *zero_unless(tf.reduce_all(finite), losses, gramian)
    )
    shared = local.backward(
        weighted_sum(features, weights),
        weighted_sum([head.shared for head in local.heads], weights),
    )
    shared = sum_over_replicas(shared)
    return _ReducedGradients(
        losses, shared, task_specific, added, weights, gramian, finite
    )


def _aggregate_jacobian(
    weighting, local: _ReplicaGradients, loss_scale
) -> _ReducedGradients:
    """Aggregates the Jacobian, with one backward pass per task."""
    losses, rows, task_specific, added = sum_over_replicas(
        (local.losses, local.compute_rows(), local.task_specific, local.added)
    )
    shapes = [tuple(variable.shape) for variable in local.backward.shared]
    jacobian = tf.stack([_flatten_row(row, shapes) for row in rows])
    jacobian = jacobian / loss_scale
    gramian = tf.matmul(jacobian, jacobian, transpose_b=True)
    finite = local.check_finite(losses, gramian, task_specific)
    update, weights = weighting.aggregate(
        *zero_unless(tf.reduce_all(finite), losses, jacobian)
    )
    sizes = [tf.TensorShape(shape).num_elements() for shape in shapes]
    shared = [
        tf.reshape(vector, shape)
        for vector, shape in zip(
            tf.split(update * loss_scale, sizes), shapes, strict=True
        )
    ]
    return _ReducedGradients(
        losses, shared, task_specific, added, weights, gramian, finite
    )


def _flatten_row(row: Sequence, shapes: Sequence[tuple]):
    return tf.concat(
        [
            tf.zeros(tf.TensorShape(shape).num_elements())
            if gradient is None
            else flatten(gradient)
            for gradient, shape in zip(row, shapes, strict=True)
        ],
        axis=0,
    )
