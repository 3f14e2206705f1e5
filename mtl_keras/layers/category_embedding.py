"""Embedding of categorical columns."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


@keras.saving.register_keras_serializable("mtl_keras")
class CategoryEmbedding(keras.layers.Layer):
    """Replaces the ids of categories by learned vectors.

    The last columns of the input are ids of categories, counted from 0. The
    output has the columns before them, unchanged, followed by the vectors. One
    call looks up all columns in one table. As `preprocessing` of a factory,
    the layer lies between encoded columns and the trunk.

    Args:
        vocabulary_sizes: Sequence of integers, the number of categories of
            each of the last columns.
        dimension: Integer, size of the vectors. Defaults to `8`.
        embeddings_initializer: Initializer of the vectors. Defaults to
            `"uniform"`.
        embeddings_regularizer: Regularizer of the vectors. Defaults to `None`.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a number is not an integer.
        ValueError: If a number is below 1, `vocabulary_sizes` is empty, or the
            input has too few columns.

    Example:

    >>> layer = mtl_keras.layers.CategoryEmbedding([3, 50], dimension=4)
    >>> layer(np.array([[0.5, 2.0, 49.0], [-0.5, 0.0, 7.0]])).shape
    TensorShape([2, 9])
    """

    def __init__(
        self,
        vocabulary_sizes: Sequence[int],
        dimension: int = 8,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_sizes = tuple(
            check_positive_integer("vocabulary_sizes", size)
            for size in vocabulary_sizes
        )
        if not self.vocabulary_sizes:
            raise ValueError(
                "vocabulary_sizes is empty; expected the number of categories "
                "of each column to look up."
            )
        self.dimension = check_positive_integer("dimension", dimension)
        self.embeddings_initializer = keras.initializers.get(
            embeddings_initializer
        )
        self.embeddings_regularizer = keras.regularizers.get(
            embeddings_regularizer
        )

    def build(self, input_shape):
        """Creates the table of vectors."""
        if input_shape[-1] < len(self.vocabulary_sizes):
            raise ValueError(
                f"Layer {self.name!r} looks up the last "
                f"{len(self.vocabulary_sizes)} columns, but the input has "
                f"{input_shape[-1]}."
            )
        self.table = self.add_weight(
            name="table",
            shape=(sum(self.vocabulary_sizes), self.dimension),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
        )

    def call(self, inputs):
        columns = len(self.vocabulary_sizes)
        numbers = inputs[..., : inputs.shape[-1] - columns]
        codes = ops.cast(inputs[..., -columns:], "int32")
        # An id out of range must not read the vectors of the next column.
        last = np.array(self.vocabulary_sizes, "int32") - 1
        first = np.cumsum([0, *self.vocabulary_sizes[:-1]]).astype("int32")
        rows = ops.clip(codes, 0, last) + first
        vectors = ops.take(self.table, rows, axis=0)
        flat = ops.reshape(vectors, (-1, columns * self.dimension))
        return ops.concatenate(
            [ops.cast(numbers, self.compute_dtype), flat], axis=-1
        )

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        columns = len(self.vocabulary_sizes)
        width = input_shape[-1] - columns + columns * self.dimension
        return (*input_shape[:-1], width)

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_sizes": list(self.vocabulary_sizes),
            "dimension": self.dimension,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
            "embeddings_regularizer": keras.regularizers.serialize(
                self.embeddings_regularizer
            ),
        }
