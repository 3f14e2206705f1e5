"""Tokenization of sentences inside a model."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

PADDING, UNKNOWN = 0, 1
# Number of ids of the beginnings of tokens, and of their ends.
BUCKETS = 4000


@keras.saving.register_keras_serializable("mtl_keras")
class TokenIds(keras.layers.TextVectorization):
    """Splits sentences at whitespace and looks up the ids of their tokens.

    It is a `keras.layers.TextVectorization` whose settings keep one id for
    each token, so that tags stay aligned: no characters are removed, and long
    sentences are not truncated. The id of padding is 0, that of an unknown
    token 1.

    With `affix_length`, each token has two more ids, of its beginning and of
    its end, so that unknown words resemble known ones. They are hashes from 1
    to `BUCKETS` and need no vocabulary.

    Args:
        vocabulary: Sequence of tokens in the order of their ids, which start
            at 2.
        steps: Integer, minimum number of ids of a sentence. Shorter sentences
            are padded. Defaults to `None`, the longest sentence of the batch.
        lowercase: Whether to convert ASCII letters to lower case. Defaults to
            `True`.
        affix_length: Number of letters of the beginning and the end of a
            token. Defaults to `0`, without these ids.
        **kwargs: See `keras.layers.Layer`.

    Raises:
        TypeError: If `vocabulary` is not a sequence of strings.
        ValueError: If `vocabulary` is empty or contains a token twice.

    Example:

    >>> layer = mtl_keras.layers.TokenIds(["play", "some", "jazz"], steps=4)
    >>> print(layer(np.array(["Play jazz now"], object)).numpy())
    [[2 4 1 0]]
    >>> layer = mtl_keras.layers.TokenIds(["play"], affix_length=3)
    >>> layer(np.array(["play jazz"], object)).shape
    TensorShape([1, 2, 3])
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        steps: int | None = None,
        lowercase: bool = True,
        affix_length: int = 0,
        **kwargs,
    ):
        self._words = _check_vocabulary(vocabulary)
        super().__init__(
            standardize="lower" if lowercase else None,
            split="whitespace",
            vocabulary=self._words,
            **kwargs,
        )
        self.steps = steps
        self.lowercase = lowercase
        self.affix_length = affix_length

    def call(self, inputs):
        # With TensorFlow, because Keras's text layers need it. 0 is padding.
        ids = super().call(inputs)
        if self.affix_length:
            ids = tf.stack([ids, *self._affixes(inputs)], axis=-1)
        if self.steps is None:
            return ids
        missing = tf.maximum(self.steps - tf.shape(ids)[1], 0)
        return tf.pad(ids, [[0, 0], [0, missing], *[[0, 0]] * (ids.ndim - 2)])

    def _affixes(self, inputs) -> list:
        """Returns the ids of the beginnings and of the ends of tokens."""
        text = tf.reshape(tf.convert_to_tensor(inputs), (-1,))
        if self.lowercase:
            text = tf.strings.lower(text)
        tokens = tf.strings.split(text).to_tensor("")
        letters = f"(.{{{self.affix_length}}})"
        affixes = [
            tf.strings.regex_replace(tokens, pattern, r"\1")
            for pattern in (f"^{letters}.*$", f"^.*{letters}$")
        ]
        return [
            tf.where(
                tokens == "",
                tf.constant(PADDING, tf.int64),
                1 + tf.strings.to_hash_bucket_fast(affix, BUCKETS),
            )
            for affix in affixes
        ]

    def compute_output_shape(self, input_shape) -> tuple:
        """Returns the shape of the output."""
        return (input_shape[0], None, *[3] * bool(self.affix_length))

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary": self._words,
            "steps": self.steps,
            "lowercase": self.lowercase,
            "affix_length": self.affix_length,
        }


def count_words(sentences, lowercase: bool = True) -> list[str]:
    """Lists the tokens of sentences, the most frequent first.

    Args:
        sentences: Array or list of strings with whitespace between tokens.
        lowercase: See `TokenIds`. Defaults to `True`.

    Returns:
        List of tokens, the `vocabulary` of `TokenIds`.

    Example:

    >>> count_words(["play jazz", "Play some Jazz", "play it"])
    ['play', 'jazz', 'some', 'it']
    """
    counter = keras.layers.TextVectorization(
        standardize="lower" if lowercase else None, split="whitespace"
    )
    counter.adapt(ops.convert_to_tensor(list(sentences)))
    words = counter.get_vocabulary(include_special_tokens=False)
    return [str(word) for word in words]


def _check_vocabulary(vocabulary) -> list[str]:
    if isinstance(vocabulary, str) or not isinstance(vocabulary, Sequence):
        raise TypeError(
            f"vocabulary is of type {type(vocabulary).__name__}; expected a "
            "list of tokens, such as count_words(sentences)."
        )
    for word in vocabulary:
        if not isinstance(word, str):
            raise TypeError(
                f"vocabulary holds {word!r} of type {type(word).__name__}; "
                "expected strings."
            )
    if not vocabulary:
        raise ValueError("vocabulary is empty; expected one token or more.")
    words = list(vocabulary)
    if len(set(words)) < len(words):
        seen = set()
        twice = next(w for w in words if w in seen or seen.add(w))
        raise ValueError(
            f"vocabulary holds {twice!r} twice; expected each token once."
        )
    return words
