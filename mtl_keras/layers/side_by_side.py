"""Product of inputs and several kernels in one variable."""

from __future__ import annotations

from keras import ops


def multiply_side_by_side(inputs, kernels):
    """Multiplies inputs by several kernels at once.

    Args:
        inputs: Tensor of shape `(batch, inputs)` for all kernels, or
            `(batch, kernels, inputs)` with a slice for each kernel.
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
    # One matrix product is faster than one for each kernel.
    size, count, units = kernels.shape
    outputs = ops.matmul(inputs, ops.reshape(kernels, (size, count * units)))
    return ops.reshape(outputs, (-1, count, units))
