"""Gradients of the task losses, and how a weighting makes one update of them.

All functions run inside of a step, on each replica; what they return is summed
over the replicas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from mtl_keras.training.gramians import flat, gramian_of, weighted_sum
from mtl_keras.training.replicas import sum_over_replicas
from mtl_keras.training.shared_graph import SharedGraph
from mtl_keras.weighting import Weighting


class Update(NamedTuple):
    """What a batch says of the update.

    Args:
        y_pred: Dict of the outputs.
        losses: Float32 tensor of shape `(tasks,)`: the task losses times the
            user's weights, of the whole batch.
        weights: The weight of each task, of that shape.
        gradients: Dict from the `id` of a trainable variable to its gradient.
        gramian: Inner products of the task gradients, of shape `(tasks,
            tasks)`, or `None` for methods that need none.
    """

    y_pred: dict
    losses: object
    weights: object
    gradients: dict[int, object]
    gramian: object = None


def of_losses(
    model, x, losses_of: Callable, weighting: Weighting | None, scale: Callable
) -> Update:
    """One backward pass, of a sum of losses or what a weighting makes of them.

    What a method makes of the losses of the whole batch is a weight for each
    of them, by its derivatives; the losses of the replicas follow these.

    Args:
        model: The model.
        x: Inputs.
        losses_of: Function from the outputs to this replica's share of the
            losses, of shape `(tasks,)`.
        weighting: A method that combines losses, or `None` for their sum.
        scale: The loss scaling of the optimizer.

    Returns:
        An `Update`.
    """
    with tf.GradientTape() as tape:
        y_pred = model(x, training=True)
        losses = losses_of(y_pred)
        (total,) = sum_over_replicas([losses])
        weights, own = _combined(weighting, total, scale)
        loss = scale(tf.reduce_sum(weights * losses) + other_losses(model))
    variables = model.trainable_weights
    gradients = sum_over_replicas(tape.gradient(loss, variables))
    by_variable = _by_variable(variables, gradients)
    return Update(y_pred, total, weights, by_variable | own)


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
            y_pred = graph.heads(features, training=True)
            losses = losses_of(y_pred)
            scaled = [scale(loss) for loss in tf.unstack(losses)]
        others = scale(other_losses(model))
    (total,) = sum_over_replicas([losses])
    heads = _gradients_of_heads(head_tape, scaled, features, graph, names)
    combined, own = _combined(weighting, total, scale)
    backward = _Backward(tape, features, graph.shared)
    one = scale(tf.constant(1.0))
    update = _update_of(mode, weighting)
    shared, weights, gramian = update(weighting, total, heads, backward, one)
    by_variable = _by_variable(graph.shared, shared)
    for head, name, weight in zip(
        heads, names, tf.unstack(combined), strict=True
    ):
        of_task = weighted_sum([sum_over_replicas(head.own)], weight[None])
        by_variable |= _by_variable(graph.of_task[name], of_task)
    _add_gradients(by_variable, model.trainable_weights, tape, others)
    return Update(y_pred, total, weights, by_variable | own, gramian)


def other_losses(model):
    """This replica's share of what layers add, such as regularization.

    Args:
        model: The model, after it was called.

    Returns:
        A float32 scalar.
    """
    losses = [tf.reduce_sum(tf.cast(loss, "float32")) for loss in model.losses]
    total = sum(losses, start=tf.zeros(()))
    return total / model.distribute_strategy.num_replicas_in_sync


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


class _HeadGradients(NamedTuple):
    """Gradients of one task's loss, as far as its own part reaches."""

    features: list
    own: list
    shared: list  # of layers that several tasks' own parts call


def _gradients_of_heads(tape, losses, features, graph, names) -> list:
    gradients = []
    for loss, name in zip(losses, names, strict=True):
        own, shared = graph.of_task[name], graph.shared
        found = tape.gradient(loss, [*features, *own, *shared])
        first, second = len(features), len(features) + len(own)
        gradients.append(
            _HeadGradients(found[:first], found[first:second], found[second:])
        )
    return gradients


class _Backward:
    """The backward pass from the features to the shared parameters."""

    def __init__(self, tape, features, shared):
        self._tape = tape
        self._features = features
        self.shared = shared

    def __call__(self, of_features: list, of_heads: list) -> list:
        """Gradients of the shared parameters, from those at the features."""
        pairs = [
            (feature, gradient)
            for feature, gradient in zip(
                self._features, of_features, strict=True
            )
            if gradient is not None
        ]
        found = [None] * len(self.shared)
        if pairs and self.shared:
            targets, seeds = zip(*pairs, strict=True)
            found = self._tape.gradient(
                list(targets), list(self.shared), output_gradients=list(seeds)
            )
        return [_add(*both) for both in zip(found, of_heads, strict=True)]


def _update_of(mode: str, weighting: Weighting) -> Callable:
    if weighting.requires == "jacobian":
        return _by_jacobian
    return _by_parameters if mode == "parameters" else _by_features


def _by_parameters(weighting, losses, heads, backward, scale):
    """K backward passes; exact."""
    rows = _rows(heads, backward)
    gramian = gramian_of(rows) / tf.square(scale)
    weights = weighting.weights(losses, gramian)
    return weighted_sum(rows, weights), weights, gramian


def _by_features(weighting, losses, heads, backward, scale):
    """Inner products at the features, and one backward pass of the sum."""
    gramian = gramian_of([head.features for head in heads]) / tf.square(scale)
    (gramian,) = sum_over_replicas([gramian])
    weights = weighting.weights(losses, gramian)
    shared = backward(
        weighted_sum([head.features for head in heads], weights),
        weighted_sum([head.shared for head in heads], weights),
    )
    return sum_over_replicas(shared), weights, gramian


def _by_jacobian(weighting, losses, heads, backward, scale):
    """K backward passes, and the update from all numbers of them."""
    rows = _rows(heads, backward)
    shapes = [tuple(variable.shape) for variable in backward.shared]
    jacobian = tf.stack(
        [
            tf.concat(
                [
                    tf.zeros(tf.reduce_prod(shape))
                    if gradient is None
                    else flat(gradient)
                    for gradient, shape in zip(row, shapes, strict=True)
                ],
                axis=0,
            )
            for row in rows
        ]
    )
    update = weighting.aggregate(losses, jacobian / scale) * scale
    sizes = [tf.TensorShape(shape).num_elements() for shape in shapes]
    parts = tf.split(update, sizes)
    shared = [
        tf.reshape(part, shape)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    gramian = tf.matmul(jacobian, jacobian, transpose_b=True)
    return shared, tf.ones_like(losses), gramian / tf.square(scale)


def _rows(heads: list, backward: _Backward) -> list[list]:
    """The gradients of each task by the shared parameters, of all replicas."""
    rows = [backward(head.features, head.shared) for head in heads]
    together = iter(sum_over_replicas([g for row in rows for g in row]))
    return [[next(together) for _ in backward.shared] for _ in rows]


def _by_variable(variables, gradients) -> dict:
    return dict(zip(map(id, variables), gradients, strict=True))


def _add(first, second):
    if first is None or second is None:
        return first if second is None else second
    return tf.convert_to_tensor(first) + tf.convert_to_tensor(second)


def _add_gradients(by_variable: dict, variables, tape, loss) -> None:
    """Adds the gradients of what is no task's loss."""
    gradients = sum_over_replicas(tape.gradient(loss, variables))
    for variable, gradient in zip(variables, gradients, strict=True):
        known = by_variable.get(id(variable))
        by_variable[id(variable)] = _add(known, gradient)
