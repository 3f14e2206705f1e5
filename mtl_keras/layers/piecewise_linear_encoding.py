"""Encoding of a number by bins."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


@keras.saving.register_keras_serializable("mtl_keras")
class PiecewiseLinearEncoding(keras.layers.Layer):
    """Encodes a number by the share of each bin below it.

    With boundaries b_0 < ... < b_T, the number x becomes T numbers,

        e_t = min(max((x - b_{t-1}) / (b_t - b_{t-1}), 0), 1)

    A linear layer on them is a piecewise linear function of x, so that a
    network can treat ranges of ages, or a capital gain of exactly 7,688
    dollars, in ways that it hardly learns from a standardized number. Beyond
    the first and the last boundary, the encoding is constant.

    `adapt` computes the boundaries from data. They are quantiles of the
    distinct values, so that bins are not wasted on frequent values.

    Args:
        num_bins: Integer, maximum number of bins. Data with fewer distinct
            values have fewer bins. Defaults to `32`.
        boundaries: Sequence of two or more increasing numbers, in place of
            `adapt`. Defaults to `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `num_bins` is not an integer.
        ValueError: If it is below 1, the boundaries do not increase, or the
            layer is called without boundaries.

    Example:

    >>> layer = mtl_keras.layers.PiecewiseLinearEncoding(num_bins=2)
    >>> layer.adapt(np.array([[0.0], [0.0], [0.0], [10.0], [40.0]]))
    >>> layer.boundaries
    (0.0, 10.0, 40.0)
    >>> print(layer(np.array([[5.0], [25.0]])).numpy())
    [[0.5 0. ]
     [1.  0.5]]

    Reference:
        Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep
        Learning", NeurIPS 2022, where the first and the last bin extrapolate
        linearly.
    """

    def __init__(
        self,
        num_bins: int = 32,
        boundaries: Sequence[float] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_bins = check_positive_integer("num_bins", num_bins)
        self._boundaries = None
        if boundaries is not None:
            self._boundaries = _check_boundaries(boundaries)

    @property
    def boundaries(self) -> tuple[float, ...] | None:
        """Boundaries of the bins, or `None` before `adapt`."""
        return self._boundaries

    def adapt(self, data) -> None:
        """Computes the boundaries from data.

        Args:
            data: Array of numbers, or a `tf.data.Dataset` of such arrays.

        Raises:
            ValueError: If the data has fewer than two distinct finite numbers.
        """
        if hasattr(data, "as_numpy_iterator"):
            data = np.concatenate([*map(np.ravel, data.as_numpy_iterator())])
        values = np.unique(ops.convert_to_numpy(data)).astype("float64")
        values = values[np.isfinite(values)]
        if len(values) < 2:
            raise ValueError(
                f"Layer {self.name!r}: found {len(values)} distinct finite "
                "numbers, expected two or more. Leave out the column, which "
                "has no information."
            )
        bins = min(self.num_bins, len(values) - 1)
        shares = np.linspace(0, 1, bins + 1)
        boundaries = np.quantile(values, shares).astype("float32")
        self._boundaries = _check_boundaries(np.unique(boundaries).tolist())

    def call(self, inputs):
        if self._boundaries is None:
            raise ValueError(
                f"Layer {self.name!r} has no boundaries yet. Call "
                "layer.adapt(data) first, or pass boundaries=[...]."
            )
        edges = np.array(self._boundaries, "float32")
        x = ops.cast(inputs, self.compute_dtype)
        lower = ops.cast(edges[:-1], self.compute_dtype)
        widths = ops.cast(np.diff(edges), self.compute_dtype)
        return ops.clip((x - lower) / widths, 0.0, 1.0)

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (*input_shape[:-1], len(self._boundaries or (0,)) - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "boundaries": self._boundaries and list(self._boundaries),
        }


def _check_boundaries(boundaries: Sequence[float]) -> tuple[float, ...]:
    boundaries = tuple(float(edge) for edge in boundaries)
    steps = np.diff(np.array(boundaries, "float32"))
    if len(boundaries) < 2 or not (np.isfinite(steps) & (steps > 0)).all():
        raise ValueError(
            f"boundaries={boundaries}: expected two or more finite numbers, "
            "each above the one before."
        )
    return boundaries
