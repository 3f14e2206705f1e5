"""Losses that Keras lacks, or lacks in the form that a task needs."""

from mtl_keras.losses.crossentropy import Crossentropy
from mtl_keras.losses.crossentropy_dice import CrossentropyDice
from mtl_keras.losses.element_loss import ElementLoss

__all__ = ["Crossentropy", "CrossentropyDice", "ElementLoss"]
