"""Encoding of a numeric column with missing values."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class NumberEncoding(keras.layers.Layer):
    """Fills, scales and encodes a numeric column.

    The number x becomes `(x - center) / scale`, computed in the dtype of the
    input and then converted to float32, so that large float64 numbers such as
    unix seconds do not lose precision. NaN and infinity are missing values,
    which `fill` replaces. With `mark_missing`, a last column marks them. An
    `encoder` maps the number to several columns, which are 0 for marked
    missing values.

    Args:
        fill: Float that replaces missing values, in the units of the input,
            such as the median of the training data. Defaults to `0.0`.
        center: Float to subtract. Defaults to `0.0`.
        scale: Float above 0 to divide by. Defaults to `1.0`.
        mark_missing: Boolean, whether to add a column with 1 for missing
            values and 0 for others. Defaults to `False`.
        encoder: Layer that maps the scaled number from `(rows, 1)` to
            `(rows, width)`, such as `PiecewiseLinearEncoding`. Defaults to
            `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        ValueError: If `scale` is not above 0.

    Example:

    >>> layer = mtl_keras.layers.NumberEncoding(
    ...     fill=3.0, center=2.0, scale=2.0, mark_missing=True
    ... )
    >>> print(layer(np.array([[4.0], [np.nan]], "float32")).numpy())
    [[1.  0. ]
     [0.5 1. ]]
    """

    def __init__(
        self,
        fill: float = 0.0,
        center: float = 0.0,
        scale: float = 1.0,
        mark_missing: bool = False,
        encoder: keras.layers.Layer | None = None,
        **kwargs,
    ):
        # Autocasting would convert a float64 column to float32.
        super().__init__(autocast=False, **kwargs)
        if not scale > 0:
            raise ValueError(
                f"Layer {self.name!r}: scale={scale}; expected a number above "
                "0."
            )
        self.fill = float(fill)
        self.center = float(center)
        self.scale = float(scale)
        self.mark_missing = bool(mark_missing)
        self.encoder = encoder

    def call(self, inputs):
        x = ops.convert_to_tensor(inputs)
        if not keras.backend.is_float_dtype(x.dtype):
            x = ops.cast(x, "float32")
        present = ops.isfinite(x)
        x = ops.where(present, x, ops.cast(self.fill, x.dtype))
        x = ops.cast((x - self.center) / self.scale, self.compute_dtype)
        missing = ops.cast(ops.logical_not(present), self.compute_dtype)
        if self.encoder is not None:
            x = ops.cast(self.encoder(x), self.compute_dtype)
            if self.mark_missing:
                x = x * (1 - missing)
        return ops.concatenate([x, missing], -1) if self.mark_missing else x

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], self.width)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        """Returns the shape and dtype of the output."""
        shape = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(shape, self.compute_dtype)

    @property
    def width(self) -> int:
        """Number of columns of the output."""
        encoded = 1
        if self.encoder is not None:
            encoded = self.encoder.compute_output_shape((None, 1))[-1]
        return encoded + self.mark_missing

    def get_config(self):
        encoder = self.encoder
        return {
            **super().get_config(),
            "fill": self.fill,
            "center": self.center,
            "scale": self.scale,
            "mark_missing": self.mark_missing,
            "encoder": encoder and keras.saving.serialize_keras_object(encoder),
        }

    @classmethod
    def from_config(cls, config):
        """Creates the layer and its encoder."""
        config = dict(config)
        encoder = keras.saving.deserialize_keras_object(config.pop("encoder"))
        return cls(encoder=encoder, **config)
