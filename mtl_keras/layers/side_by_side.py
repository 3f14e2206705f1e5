"""Products of several kernels that lie side by side in one variable."""

from __future__ import annotations

from keras import ops


def multiply_side_by_side(inputs, kernels):
    """Multiplies inputs by several kernels at once.

    Args:
        inputs: Tensor of shape `(batch, inputs)`, which all kernels get, or
            `(batch, kernels, inputs)`, of which each gets its own part.
        kernels: Tensor of shape `(inputs, kernels, units)`.

    Returns:
        Tensor of shape `(batch, kernels, units)`.

    Example:

    >>> from mtl_keras.layers.side_by_side import multiply_side_by_side
    >>> multiply_side_by_side(np.ones((4, 8)), np.ones((8, 3, 5))).shape
    TensorShape([4, 3, 5])
    """
    if len(inputs.shape) == 3:
        return ops.einsum("bki,iko->bko", inputs, kernels)
    # One product of matrices is faster than one of each kernel.
    size, count, units = kernels.shape
    outputs = ops.matmul(inputs, ops.reshape(kernels, (size, count * units)))
    return ops.reshape(outputs, (-1, count, units))
