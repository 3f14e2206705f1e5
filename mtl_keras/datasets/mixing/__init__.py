"""Combines data sets, each labelled for some tasks."""

from mtl_keras.datasets.mixing.concatenate import concatenate
from mtl_keras.datasets.mixing.mix import mix

__all__ = ["concatenate", "mix"]
