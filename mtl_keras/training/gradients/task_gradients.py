"""Gradients of the task losses, and how a weighting makes one update of them.

All functions run inside of a step, on each replica; what they return is summed
over the replicas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.distribution.replicas import sum_over_replicas
from mtl_keras.training.gradients.added_losses import (
    added_losses,
    share_of_batch,
)
from mtl_keras.training.gradients.backward import (
    Backward,
    add,
    gradients_of_heads,
)
from mtl_keras.training.gradients.finiteness import (
    Finiteness,
    all_finite,
    blank_unless,
)
from mtl_keras.training.gradients.gramians import flat, gramian_of, weighted_sum
from mtl_keras.training.gradients.own_gradients import OwnGradients
from mtl_keras.training.gradients.shared_graph import SharedGraph
from mtl_keras.weighting import Weighting


class Update(NamedTuple):
    """What a batch says of the update.

    Args:
        losses: Float32 tensor of shape `(tasks,)`: the task losses times the
            user's weights, of the whole batch.
        weights: The weight of each task, of that shape.
        gradients: Dict from the `id` of a trainable variable to its gradient.
        finite: What of it is finite; `None` if nobody asks.
        added: Sum of what layers added, in the part of this replica.
        gramian: Inner products of the task gradients, of shape `(tasks,
            tasks)`, or `None` for methods that need none.
    """

    losses: object
    weights: object
    gradients: dict[int, object]
    finite: Finiteness | None
    added: object
    gramian: object = None


def of_losses(
    model,
    x,
    losses_of: Callable,
    weighting: Weighting | None,
    scale: Callable,
    *,
    guarded: bool = True,
) -> Update:
    """One backward pass, of a sum of losses or what a weighting makes of them.

    What a method makes of the losses of the whole batch is a weight for each
    of them, by its derivatives; the losses of the replicas follow these.

    Args:
        model: The model.
        x: Inputs.
        losses_of: Function from the outputs to this replica's share of the
            losses, of shape `(tasks,)`, and in a further loss or `None`.
        weighting: A method that combines losses, or `None` for their sum.
        scale: The loss scaling of the optimizer.
        guarded: Whether to find out what is finite. Defaults to `True`.

    Returns:
        An `Update`.
    """
    with tf.GradientTape() as tape:
        losses, more = losses_of(model(x, training=True))
        added = added_losses(model)
        share = _sum(share_of_batch(model, x, added), more)
        total = sum_over_replicas(losses)
        weights, own = tf.ones_like(losses), {}
        if weighting is not None:
            finite = tf.reduce_all(tf.math.is_finite(total))
            (seen,) = blank_unless(finite, total)
            weights, own = _combined(weighting, seen, scale)
            losses = weights * losses
        loss = scale(tf.reduce_sum(losses) + share)
    variables = model.trainable_weights
    gradients = tape.gradient(loss, variables)
    if guarded and (model.losses or more is not None):
        gradients = _mark_non_finite(gradients, variables, share)
    gradients = sum_over_replicas(gradients)
    found = None
    if guarded:
        finite = tf.math.is_finite(total)
        found = Finiteness(finite, tf.ones_like(finite), all_finite(gradients))
    by_variable = _by_variable(variables, gradients)
    return Update(total, weights, by_variable | own, found, added)


def of_gradients(
    model,
    x,
    losses_of: Callable,
    weighting: Weighting,
    scale: Callable,
    graph: SharedGraph,
    mode: str,
) -> Update:
    """A gradient for each task, and what a weighting makes of them.

    Args:
        model: The model.
        x: Inputs.
        losses_of: See `of_losses`.
        weighting: A method that needs the Gramian or the Jacobian.
        scale: See `of_losses`.
        graph: The model, cut where it parts into tasks.
        mode: `"parameters"` for gradients of the shared parameters,
            `"features"` for those of what the shared part returns.

    Returns:
        An `Update`.
    """
    names = weighting.task_names
    with tf.GradientTape(persistent=True) as tape:
        features = keras.tree.flatten(graph.trunk(x, training=True))
        with tf.GradientTape(persistent=True) as head_tape:
            head_tape.watch(features)
            copies = [group.copy(features) for group in graph.groups]
            losses, more = losses_of(
                graph.outputs(features, copies, training=True)
            )
            scaled = [scale(loss) for loss in tf.unstack(losses)]
        added = added_losses(model)
        share = _sum(share_of_batch(model, x, added), more)
        scaled_share = scale(share)
    heads, of_groups = gradients_of_heads(
        head_tape, scaled, features, copies, graph, names
    )
    own = OwnGradients([head.own for head in heads], of_groups)
    others = tape.gradient(scaled_share, model.trainable_weights)
    if model.losses or more is not None:
        others = _mark_non_finite(others, model.trainable_weights, share)
    local = _Gradients(
        heads,
        Backward(tape, features, graph.shared),
        own,
        others,
        losses,
        lambda own: own.finite(graph, names),
    )
    one = scale(tf.constant(1.0))
    update = _update_of(mode, weighting)(weighting, local, one)
    (seen,) = blank_unless(tf.reduce_all(update.finite), update.losses)
    combined, own = _combined(weighting, seen, scale)
    by_variable = _by_variable(graph.shared, update.shared)
    by_variable |= update.own.weighted(graph, names, combined)
    for variable, gradient in zip(
        model.trainable_weights, update.others, strict=True
    ):
        known = by_variable.get(id(variable))
        by_variable[id(variable)] = add(known, gradient)
    finite = Finiteness(
        tf.math.is_finite(update.losses),
        update.finite,
        all_finite([*update.shared, *update.others]),
    )
    return Update(
        update.losses,
        update.weights,
        by_variable | own,
        finite,
        added,
        update.gramian,
    )


def _sum(share, more):
    return share if more is None else share + more


def _mark_non_finite(gradients: list, variables: list, share) -> list:
    """Makes a gradient NaN if this replica's share in added losses is.

    The sum over the replicas then says so to all of them.
    """
    mark = tf.where(tf.math.is_finite(share), 0.0, float("nan"))
    marked = list(gradients)
    reached = (i for i, one in enumerate(marked) if one is not None)
    index = next(reached, 0)
    one = marked[index]
    if one is None:
        one = tf.zeros(variables[index].shape)
    one = tf.convert_to_tensor(one)
    marked[index] = one + tf.cast(mark, one.dtype)
    return marked


def _combined(weighting: Weighting | None, losses, scale: Callable) -> tuple:
    """Weights of the losses, and gradients of the method's own variables."""
    if weighting is None or not weighting.combines:
        return tf.ones_like(losses), {}
    losses = tf.stop_gradient(losses)
    variables = weighting.trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(losses)
        combined = weighting.combine(losses)
    weights, *own = tape.gradient(
        combined, [losses, *[variable.value for variable in variables]]
    )
    own = {
        id(variable): None if gradient is None else scale(gradient)
        for variable, gradient in zip(variables, own, strict=True)
    }
    return tf.stop_gradient(weights), own


class _Gradients(NamedTuple):
    """What this replica has of the gradients."""

    heads: list
    backward: Backward
    own: OwnGradients
    others: list  # of what is no task's loss
    losses: object
    finite: Callable  # of what the tasks do not share

    def rows(self) -> list[list]:
        """A backward pass for each task."""
        return [
            self.backward(head.features, head.shared) for head in self.heads
        ]

    def finite_tasks(self, losses, gramian, own: OwnGradients):
        """Whether loss and gradients of each task are finite."""
        norms = tf.linalg.diag_part(gramian)
        finite = tf.math.is_finite(losses) & tf.math.is_finite(norms)
        return finite & self.finite(own)


class _Summed(NamedTuple):
    """What a method made of the gradients of all replicas."""

    losses: object
    shared: list
    own: OwnGradients
    others: list
    weights: object
    gramian: object
    finite: object  # by task


def _update_of(mode: str, weighting: Weighting) -> Callable:
    if weighting.requires == "jacobian":
        return _by_jacobian
    return _by_parameters if mode == "parameters" else _by_features


def _by_parameters(weighting, local: _Gradients, one) -> _Summed:
    """K backward passes; exact."""
    losses, rows, own, others = sum_over_replicas(
        (local.losses, local.rows(), local.own, local.others)
    )
    gramian = gramian_of(rows) / tf.square(one)
    finite = local.finite_tasks(losses, gramian, own)
    weights = weighting.weights(
        *blank_unless(tf.reduce_all(finite), losses, gramian)
    )
    shared = weighted_sum(rows, weights)
    return _Summed(losses, shared, own, others, weights, gramian, finite)


def _by_features(weighting, local: _Gradients, one) -> _Summed:
    """Inner products at the features, and one backward pass of the sum."""
    features = [head.features for head in local.heads]
    losses, gramian, own, others = sum_over_replicas(
        (local.losses, gramian_of(features), local.own, local.others)
    )
    gramian = gramian / tf.square(one)
    finite = local.finite_tasks(losses, gramian, own)
    weights = weighting.weights(
        *blank_unless(tf.reduce_all(finite), losses, gramian)
    )
    shared = local.backward(
        weighted_sum(features, weights),
        weighted_sum([head.shared for head in local.heads], weights),
    )
    shared = sum_over_replicas(shared)
    return _Summed(losses, shared, own, others, weights, gramian, finite)


def _by_jacobian(weighting, local: _Gradients, one) -> _Summed:
    """K backward passes, and the update from all numbers of them."""
    losses, rows, own, others = sum_over_replicas(
        (local.losses, local.rows(), local.own, local.others)
    )
    shapes = [tuple(variable.shape) for variable in local.backward.shared]
    jacobian = tf.stack([_as_one_row(row, shapes) for row in rows]) / one
    gramian = tf.matmul(jacobian, jacobian, transpose_b=True)
    finite = local.finite_tasks(losses, gramian, own)
    update, weights = weighting.aggregate(
        *blank_unless(tf.reduce_all(finite), losses, jacobian)
    )
    parts = tf.split(
        update * one, [tf.TensorShape(shape).num_elements() for shape in shapes]
    )
    shared = [
        tf.reshape(part, shape)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    return _Summed(losses, shared, own, others, weights, gramian, finite)


def _as_one_row(row: Sequence, shapes: Sequence[tuple]):
    return tf.concat(
        [
            tf.zeros(tf.TensorShape(shape).num_elements())
            if gradient is None
            else flat(gradient)
            for gradient, shape in zip(row, shapes, strict=True)
        ],
        axis=0,
    )


def _by_variable(variables, gradients) -> dict:
    return dict(zip(map(id, variables), gradients, strict=True))
