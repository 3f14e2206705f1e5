"""The steps of a GRU, with a gradient of few operations a step."""

from __future__ import annotations

import tensorflow as tf


def gru_steps(projected, kernel, bias, state):
    """Computes the states of a GRU from inputs that are projected already.

    Only what needs the state before is computed step by step. The gradient of
    the kernel is one product of matrices.

    Args:
        projected: Tensor of shape `(steps, batch, 3 * units)`: what inputs
            give the update gate, the reset gate and the candidate state.
        kernel: Tensor of shape `(units, 3 * units)`, the recurrent kernel.
        bias: Tensor of shape `(3 * units,)`, the recurrent bias.
        state: Tensor of shape `(batch, units)`, the state at the start.

    Returns:
        The states after each step, of shape `(steps, batch, units)`.

    Reference:
        Cho et al., "Learning Phrase Representations using RNN
        Encoder-Decoder", EMNLP 2014; with the reset gate after the product,
        as cuDNN has it.

    Example:

    >>> from mtl_keras.layers.gru_steps import gru_steps
    >>> states = gru_steps(
    ...     np.zeros((5, 2, 9)), np.zeros((3, 9)), np.zeros(9), np.ones((2, 3))
    ... )
    >>> states[:, 0, 0].numpy().tolist()
    [0.5, 0.25, 0.125, 0.0625, 0.03125]
    """

    @tf.custom_gradient
    def steps(projected, kernel, bias, state):
        states, inner = _forward(projected, kernel, bias, state)

        def gradient(of_states):
            before = tf.concat([state[None], states[:-1]], axis=0)
            update, reset, candidate, inner_candidate = _gates(projected, inner)
            # What a state's gradient gives each of what it was made of.
            of_candidate = (1 - update) * (1 - tf.square(candidate))
            of_update = (before - candidate) * update * (1 - update)
            of_reset = of_candidate * inner_candidate * reset * (1 - reset)
            shares = tf.concat(
                [of_update, of_reset, of_candidate * reset], axis=-1
            )
            totals, of_state = _backward(of_states, shares, update, kernel)
            of_inner = tf.tile(totals, [1, 1, 3]) * shares
            units = state.shape[-1]
            of_projected = tf.concat(
                [of_inner[..., : 2 * units], totals * of_candidate], axis=-1
            )
            of_kernel = tf.matmul(
                tf.reshape(before, (-1, units)),
                tf.reshape(of_inner, (-1, 3 * units)),
                transpose_a=True,
            )
            of_bias = tf.reduce_sum(of_inner, axis=[0, 1])
            return of_projected, of_kernel, of_bias, of_state

        return states, gradient

    given = (projected, kernel, bias, state)
    return steps(*map(tf.convert_to_tensor, given))


def _forward(projected, kernel, bias, state):
    """The states after each step, and what the states before gave them."""
    count, units = tf.shape(projected)[0], state.shape[-1]
    inputs = tf.TensorArray(projected.dtype, count).unstack(projected)
    outputs = [
        tf.TensorArray(state.dtype, count, element_shape=shape)
        for shape in (state.shape, projected.shape[1:])
    ]

    def step(number, state, states, inners):
        inner = tf.nn.bias_add(tf.matmul(state, kernel), bias)
        x_gates, x_candidate = tf.split(
            inputs.read(number), [2 * units, units], axis=-1
        )
        h_gates, h_candidate = tf.split(inner, [2 * units, units], axis=-1)
        update, reset = tf.split(tf.sigmoid(x_gates + h_gates), 2, axis=-1)
        candidate = tf.tanh(x_candidate + reset * h_candidate)
        state = update * state + (1 - update) * candidate
        return (
            number + 1,
            state,
            states.write(number, state),
            inners.write(number, inner),
        )

    _, _, *outputs = tf.while_loop(
        lambda number, *_: number < count,
        step,
        (0, state, *outputs),
        maximum_iterations=count,
    )
    return tuple(one.stack() for one in outputs)


def _gates(projected, inner):
    """The gates of all steps: update, reset, candidate, and its inner part."""
    x_update, x_reset, x_candidate = tf.split(projected, 3, axis=-1)
    h_update, h_reset, h_candidate = tf.split(inner, 3, axis=-1)
    update = tf.sigmoid(x_update + h_update)
    reset = tf.sigmoid(x_reset + h_reset)
    candidate = tf.tanh(x_candidate + reset * h_candidate)
    return update, reset, candidate, h_candidate


def _backward(of_states, shares, keep, kernel):
    """The gradients of all states, with what comes of later steps."""
    count = tf.shape(of_states)[0]
    arrays = [
        tf.TensorArray(one.dtype, count).unstack(one)
        for one in (of_states, shares, keep)
    ]
    carried = tf.zeros_like(of_states[0])
    totals = tf.TensorArray(of_states.dtype, count, element_shape=carried.shape)

    def step(number, carried, totals):
        of_state, share, kept = (one.read(number) for one in arrays)
        total = of_state + carried
        of_inner = tf.tile(total, [1, 3]) * share
        carried = total * kept + tf.matmul(of_inner, kernel, transpose_b=True)
        return number - 1, carried, totals.write(number, total)

    _, carried, totals = tf.while_loop(
        lambda number, *_: number >= 0,
        step,
        (count - 1, carried, totals),
        maximum_iterations=count,
    )
    return totals.stack(), carried
