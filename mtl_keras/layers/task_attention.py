"""A task's attention to features that all tasks share."""

from __future__ import annotations

import keras
from keras import ops

from mtl_keras.normalization import NORMALIZATIONS, normalization_layer


@keras.saving.register_keras_serializable("mtl_keras")
class TaskAttention(keras.layers.Layer):
    """A mask that picks a task's features out of the shared ones.

    From features p of the shared trunk, and what the mask is read from (u,
    features of the same level, and v, what the task picked a level below), a
    task goes on with

        mask = sigmoid(norm([u; v] * G) * H),  y = mask p

    with 1 x 1 convolutions G and H, each followed by a normalization, and
    ReLU after the first. A mask of ones is hard sharing.

    It is called on a list of Keras tensors of shape `(batch, height, width,
    channels)`: first p, then what the mask is read from.

    Args:
        filters: Channels between the two convolutions. Defaults to `None`, as
            many as p has.
        normalization: See `mtl_keras.normalization`. Defaults to `"batch"`.
        kernel_regularizer: Of both kernels. Defaults to none.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        ValueError: If it is called on fewer than two tensors, or on tensors
            of different height or width.

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
        """Makes both convolutions and their normalizations."""
        self._check(input_shape)
        channels = input_shape[0][-1]
        filters = self.filters or channels
        self.hidden = self._convolution(filters, "he_normal", "hidden")
        self.picked = self._convolution(channels, "glorot_uniform", "picked")
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

    def _convolution(self, filters, initializer, name):
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
                "list of two maps or more: the features, then what the mask "
                "is read from."
            )
        sizes = {shape[1:3] for shape in shapes}
        if len(sizes) > 1:
            raise ValueError(
                f"Layer {self.name!r} is called on maps of the heights and "
                f"widths {sorted(sizes)}; expected one. Pool or enlarge them "
                "first."
            )

    def call(self, inputs, training=None):
        return self.mask(inputs, training=training) * inputs[0]

    def mask(self, inputs, training=None):
        """The share of each of the features that the task goes on with.

        Args:
            inputs: As in `call`.
            training: As in `keras.layers.Layer.call`.

        Returns:
            Numbers from 0 to 1, of the shape of the features.
        """
        of_hidden, of_picked = self.normalizations
        x = self.hidden(ops.concatenate(inputs[1:], axis=-1))
        if of_hidden is not None:
            x = of_hidden(x, training=training)
        x = self.picked(ops.relu(x))
        if of_picked is not None:
            x = of_picked(x, training=training)
        return ops.sigmoid(x)

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: that of the features."""
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
