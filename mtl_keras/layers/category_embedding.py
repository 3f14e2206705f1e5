"""Learned vectors in place of the numbers of categories."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from mtl_keras.layers.arguments import check_positive_integer


@keras.saving.register_keras_serializable("mtl_keras")
class CategoryEmbedding(keras.layers.Layer):
    """Puts learned vectors in place of the numbers of categories.

    The last columns of the input are numbers of categories, from 0; the
    columns before them stay as they are, and the vectors follow. All columns
    are looked up in one table by one call. As `preprocessing` of a factory, it
    stands between encoded columns and the trunk.

    Args:
        vocabulary_sizes: Sequence of integers: the number of categories of
            each of the last columns.
        dimension: Width of the vectors. Defaults to `8`.
        embeddings_initializer: Defaults to `"uniform"`, as in
            `keras.layers.Embedding`.
        embeddings_regularizer: Defaults to none.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is below 1, there is none, or the input has
            too few columns.

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
        """Makes the table of vectors."""
        if input_shape[-1] < len(self.vocabulary_sizes):
            raise ValueError(
                f"Layer {self.name!r} looks up the last "
                f"{len(self.vocabulary_sizes)} columns and got "
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
        # A number beyond its column must not read the next column's vectors.
        last = np.array(self.vocabulary_sizes, "int32") - 1
        first = np.cumsum([0, *self.vocabulary_sizes[:-1]]).astype("int32")
        rows = ops.clip(codes, 0, last) + first
        vectors = ops.take(self.table, rows, axis=0)
        flat = ops.reshape(vectors, (-1, columns * self.dimension))
        return ops.concatenate(
            [ops.cast(numbers, self.compute_dtype), flat], axis=-1
        )

    def compute_output_shape(self, input_shape) -> tuple:
        """Shape of the output: the vectors in place of their numbers."""
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
