"""Weightings: how the losses of several tasks become one update."""

from mtl_keras.weighting.weighting import Weighting

__all__ = ["Weighting"]
