"""Smooth gate that selects a few experts."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer

# Keeps logarithms and quotients finite where a selector is exactly 0.
_EPSILON = 1e-6


@keras.saving.register_keras_serializable("mtl_keras")
class DSelectKGate(keras.layers.Layer):
    """Computes weights of experts; after training, at most k are above 0.

    Each of k selectors encodes the number of its expert in binary: digit j is
    1 to the degree S(z_j), with the smooth step

        S(t) = 0 below -gamma/2, 1 above gamma/2, and between them
               -2 t^3 / gamma^3 + 3 t / (2 gamma) + 1/2,

    and one selector weights expert e by

        r(z)_e = prod_{j: digit j of e is 1} S(z_j)
                 prod_{j: digit j of e is 0} (1 - S(z_j)).

    The gate is the softmax-weighted mean of the selectors: q = sum_i
    softmax(a)_i r(z_i). Once all S are 0 or 1, each selector has chosen one
    expert.

    The layer adds `entropy` times the entropy of its selectors to the loss, so
    that they choose sooner. If the number of experts is not a power of 2, it
    also adds 1 / sum_e r(z)_e for each selector, so that none chooses a number
    without an expert. Both are means over the batch.

    Args:
        num_experts: Number of experts, 2 or more.
        k: Number of selectors, from 1 to `num_experts`.
        gamma: Width of the smooth step, above 0. Defaults to `1.0`.
        entropy: Factor of the entropy, 0 or more. Defaults to `0`.
        per_sample: Whether a and z are linear functions of the sample rather
            than parameters of the task. Defaults to `False`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a count is not an integer.
        ValueError: If an argument is out of range.

    Example:

    >>> gate = mtl_keras.layers.DSelectKGate(num_experts=4, k=2)
    >>> weights = gate(np.ones((5, 8)))
    >>> weights.shape
    TensorShape([5, 4])

    Reference:
        Hazimeh et al., "DSelect-k: Differentiable Selection in the Mixture of
        Experts with Applications to Multi-Task Learning", NeurIPS 2021.
    """

    def __init__(
        self,
        num_experts: int,
        k: int,
        gamma: float = 1.0,
        entropy: float = 0.0,
        per_sample: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_experts = check_positive_integer("num_experts", num_experts)
        self.k = check_positive_integer("k", k)
        if self.num_experts < 2:
            raise ValueError(
                "num_experts=1 leaves nothing to select; expected 2 or more. "
                "A trunk that all tasks share is one expert."
            )
        if self.k > self.num_experts:
            raise ValueError(
                f"k={self.k} is above num_experts={self.num_experts}; a gate "
                "selects at most all experts. Use a smaller k or more experts."
            )
        if not gamma > 0:
            raise ValueError(f"gamma={gamma!r}; expected a number above 0.")
        if not entropy >= 0:
            raise ValueError(
                f"entropy={entropy!r}; expected a number of 0 or more."
            )
        self.gamma = gamma
        self.entropy = entropy
        self.per_sample = per_sample
        self.num_digits = math.ceil(math.log2(self.num_experts))

    def build(self, input_shape):
        """Creates the digits z and the logits a, or the kernels of both."""
        digits = (self.k, self.num_digits)
        near_zero = keras.initializers.RandomUniform(
            -self.gamma / 100, self.gamma / 100
        )
        inputs = (input_shape[-1],) if self.per_sample else ()
        if self.per_sample:
            digits = (self.k * self.num_digits,)
        self.digits = self.add_weight(
            name="digits", shape=(*inputs, *digits), initializer=near_zero
        )
        if self.k > 1:  # the weight of a single selector is 1
            self.logits = self.add_weight(
                name="logits",
                shape=(*inputs, self.k),
                initializer="random_uniform",
            )

    def call(self, inputs):
        digits = self._by_sample(self.digits, inputs)
        selectors = self._selectors(
            ops.reshape(digits, (-1, self.k, self.num_digits))
        )
        self._add_losses(selectors)
        weights = selectors[:, 0]
        if self.k > 1:
            shares = ops.softmax(self._by_sample(self.logits, inputs), axis=-1)
            weights = ops.sum(shares[..., None] * selectors, axis=1)
        if self.per_sample:
            return weights
        return ops.broadcast_to(
            weights, (ops.shape(inputs)[0], self.num_experts)
        )

    def _by_sample(self, variable, inputs):
        """Returns values for each sample, of shape `(batch or 1, ...)`."""
        if self.per_sample:
            return ops.matmul(inputs, variable)
        return ops.convert_to_tensor(variable)[None]

    def _selectors(self, digits):
        """Returns r of each selector, of shape `(batch or 1, k, experts)`."""
        ones = self._smooth_step(digits)[:, :, None]
        codes = self._codes()
        return ops.prod(ops.where(codes, ones, 1 - ones), axis=-1)

    def _smooth_step(self, t):
        # S is u^2 (3 - 2u) with u = t / gamma + 1/2, exactly 0 or 1 outside.
        u = ops.clip(t / self.gamma + 0.5, 0.0, 1.0)
        return ops.square(u) * (3 - 2 * u)

    def _codes(self) -> np.ndarray:
        """Returns the digits of each expert, of shape `(experts, digits)`."""
        numbers = np.arange(self.num_experts)[:, None]
        return (numbers >> np.arange(self.num_digits)) % 2 == 1

    def _add_losses(self, selectors) -> None:
        selectors = ops.cast(selectors, "float32")
        if self.entropy:
            entropy = -ops.sum(
                selectors * ops.log(selectors + _EPSILON), axis=-1
            )
            self.add_loss(self.entropy * ops.mean(ops.sum(entropy, axis=-1)))
        if self.num_experts < 2**self.num_digits:
            reached = ops.sum(selectors, axis=-1)
            inverse = 1 / ops.maximum(reached, _EPSILON)
            self.add_loss(ops.mean(ops.sum(inverse, axis=-1)))

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (input_shape[0], self.num_experts)

    def get_config(self):
        return {
            **super().get_config(),
            "num_experts": self.num_experts,
            "k": self.k,
            "gamma": self.gamma,
            "entropy": self.entropy,
            "per_sample": self.per_sample,
        }
