"""Losses that Keras does not have in the form that a task needs."""

from mtl_keras.losses.crossentropy import Crossentropy
from mtl_keras.losses.crossentropy_dice import CrossentropyDice

__all__ = ["Crossentropy", "CrossentropyDice"]
