"""Lookup of categories that have several spellings."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("mtl_keras")
class CategoryLookup(keras.layers.StringLookup):
    """Maps texts to the numbers of categories, whatever their spelling.

    Blanks around a text do not count, and each known spelling of a category
    has the number of the category. Other texts are unknown.

    Args:
        spellings: Dict from a spelling to its category, such as
            `{"TRUE": "True"}`. Defaults to `None`: none.
        **kwargs: See `keras.layers.StringLookup`.

    Example:

    >>> layer = mtl_keras.layers.CategoryLookup(
    ...     {"TRUE": "True", "true": "True"}, vocabulary=["False", "True"]
    ... )
    >>> layer(np.array(["True", "TRUE ", "true", "False", "maybe"])).numpy()
    array([2, 2, 2, 1, 0])
    """

    def __init__(self, spellings: Mapping[str, str] | None = None, **kwargs):
        super().__init__(**kwargs)
        self._spellings = tuple(sorted((spellings or {}).items()))
        self._spelling_lookup = None
        if self._spellings:
            self._spelling_lookup = keras.layers.StringLookup(
                vocabulary=[spelling for spelling, _ in self._spellings],
                oov_token="\ufffd unknown",
                name=f"{self.name}.spellings",
            )

    @property
    def spellings(self) -> dict[str, str]:
        """Dict from a spelling to its category."""
        return dict(self._spellings)

    def build(self, input_shape):
        """Builds the tables of spellings and categories."""
        if self._spelling_lookup is not None:
            self._spelling_lookup.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        texts = tf.strings.strip(tf.convert_to_tensor(inputs))
        if self._spelling_lookup is not None:
            # 0 is the number of other texts.
            numbers = self._spelling_lookup(texts)
            categories = ["", *(category for _, category in self._spellings)]
            found = tf.gather(tf.constant(categories), numbers)
            texts = tf.where(numbers > 0, found, texts)
        return super().call(texts)

    def get_config(self):
        return {**super().get_config(), "spellings": self.spellings}
