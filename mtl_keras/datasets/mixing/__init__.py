"""Several data sets, each labelled for some tasks, as one."""

from mtl_keras.datasets.mixing.concatenate import concatenate
from mtl_keras.datasets.mixing.mix import mix

__all__ = ["concatenate", "mix"]
