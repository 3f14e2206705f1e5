"""Attention of a task to shared features."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.normalization import NORMALIZATIONS, normalization_layer


@keras.saving.register_keras_serializable("mtl_keras")
class TaskAttention(keras.layers.Layer):
    """Multiplies shared features by a mask of the task.

    The mask depends on shared features u of the same level and on the attended
    features v of the level below. With shared features p, a task continues
    with

        mask = sigmoid(norm([u; v] * G) * H),  y = mask p

    where G and H are 1 x 1 convolutions, each followed by a normalization, and
    the first by ReLU. A mask of ones is hard sharing.

    The layer is called on a list of tensors of shape `(batch, height, width,
    channels)`: first p, then the tensors that the mask depends on.

    Args:
        filters: Number of filters of G. Defaults to `None`, the number of
            channels of p.
        normalization: `"batch"`, `"group"`, `"layer"` or `None`. Defaults to
            `"batch"`.
        kernel_regularizer: Regularizer of both kernels. Defaults to `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        ValueError: If `normalization` is unknown, or if the inputs are fewer
            than two tensors or differ in height or width.

    Example:

    >>> layer = mtl_keras.layers.TaskAttention()
    >>> features, read = np.ones((4, 8, 8, 16)), np.ones((4, 8, 8, 16))
    >>> layer([features, read]).shape
    TensorShape([4, 8, 8, 16])
    >>> layer.mask([features, read]).shape
    TensorShape([4, 8, 8, 16])

    Reference:
        Liu et al., "End-to-End Multi-Task Learning with Attention", CVPR 2019.
    """

    def __init__(
        self,
        filters: int | None = None,
        normalization: str | None = "batch",
        kernel_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if normalization not in NORMALIZATIONS:
            raise ValueError(
                f"normalization={normalization!r}; expected one of "
                f"{NORMALIZATIONS}."
            )
        self.filters = filters
        self.normalization = normalization
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        """Creates both convolutions and their normalizations."""
        self._check(input_shape)
        channels = input_shape[0][-1]
        filters = self.filters or channels
        self.hidden = self._create_convolution(filters, "he_normal", "hidden")
        self.picked = self._create_convolution(
            channels, "glorot_uniform", "picked"
        )
        self.normalizations = [
            normalization_layer(
                self.normalization, count, name, self.dtype_policy
            )
            for count, name in (
                (filters, "hidden_normalization"),
                (channels, "picked_normalization"),
            )
        ]
        read = sum(shape[-1] for shape in input_shape[1:])
        inner = tuple(input_shape[0][:-1])
        self.hidden.build((*inner, read))
        self.picked.build((*inner, filters))
        for layer, count in zip(
            self.normalizations, (filters, channels), strict=True
        ):
            if layer is not None:
                layer.build((*inner, count))

    def _create_convolution(self, filters, initializer, name):
        return keras.layers.Conv2D(
            filters,
            kernel_size=1,
            use_bias=self.normalization is None,
            kernel_initializer=initializer,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=name,
        )

    def _check(self, shapes) -> None:
        shapes = [tuple(shape) for shape in shapes]
        if len(shapes) < 2 or any(len(shape) != 4 for shape in shapes):
            raise ValueError(
                f"Layer {self.name!r} is called on shapes {shapes}; expected a "
                "list of two maps or more: the features, then the maps that "
                "the mask depends on."
            )
        sizes = {shape[1:3] for shape in shapes}
        if len(sizes) > 1:
            raise ValueError(
                f"Layer {self.name!r} is called on maps of the heights and "
                f"widths {sorted(sizes)}; expected equal ones. Pool or "
                "upsample them first."
            )

    def call(self, inputs, training=None):
        return self.mask(inputs, training=training) * inputs[0]

    def mask(self, inputs, training=None):
        """Computes the mask of the task.

        Args:
            inputs: As in `call`.
            training: As in `keras.layers.Layer.call`.

        Returns:
            Tensor of numbers from 0 to 1, of the shape of the features.
        """
        first, second = self.normalizations
        x = self.hidden(ops.concatenate(inputs[1:], axis=-1))
        if first is not None:
            x = first(x, training=training)
        x = self.picked(ops.relu(x))
        if second is not None:
            x = second(x, training=training)
        return ops.sigmoid(x)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "normalization": self.normalization,
            "kernel_regularizer": keras.regularizers.serialize(
                self.kernel_regularizer
            ),
        }
