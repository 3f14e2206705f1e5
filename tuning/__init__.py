"""The search, for notebooks that are opened in the clone."""

from mtl_keras.tuning import *  # noqa: F403
from mtl_keras.tuning import __all__ as __all__
