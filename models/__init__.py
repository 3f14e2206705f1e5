"""The factories, for notebooks that are opened in the clone."""

from mtl_keras.models import *  # noqa: F403
from mtl_keras.models import __all__ as __all__
