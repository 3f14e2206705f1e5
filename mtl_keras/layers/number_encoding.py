"""A number of a table, which may be missing."""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable("mtl_keras")
class NumberEncoding(keras.layers.Layer):
    """Fills, scales and encodes a number of a table.

    The number x becomes `(x - center) / scale`, in its own dtype, and then
    float32: unix seconds in float64 keep their spread. NaN and infinity stand
    for a missing number. It is filled with `fill`; with `mark_missing`, a last
    column says where. An `encoder` makes several numbers of the one, all 0
    where a marked number is missing: it has a bin of its own.

    Args:
        fill: Float, what stands in for a missing number, in the units of the
            input. The median of the training part is robust. Defaults to 0.0.
        center: Float, what is subtracted. Defaults to 0.0.
        scale: Float above 0, the divisor. Defaults to 1.0.
        mark_missing: Boolean, whether a column of 0 and 1 says where the
            number is missing. Defaults to `False`.
        encoder: A layer from `(rows, 1)` to `(rows, width)` on the scaled
            number, such as `PiecewiseLinearEncoding`. Defaults to `None`.
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
        # A float64 column must not become float32 on its way in.
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
        there = ops.isfinite(x)
        x = ops.where(there, x, ops.cast(self.fill, x.dtype))
        x = ops.cast((x - self.center) / self.scale, self.compute_dtype)
        missing = ops.cast(ops.logical_not(there), self.compute_dtype)
        if self.encoder is not None:
            x = ops.cast(self.encoder(x), self.compute_dtype)
            if self.mark_missing:
                x = x * (1 - missing)
        return ops.concatenate([x, missing], -1) if self.mark_missing else x

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: as many columns as `width`."""
        return (*input_shape[:-1], self.width)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        """Shape and dtype of the output."""
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
        """Makes the layer and its encoder."""
        config = dict(config)
        encoder = keras.saving.deserialize_keras_object(config.pop("encoder"))
        return cls(encoder=encoder, **config)
