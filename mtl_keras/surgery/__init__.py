"""Takes models apart, and puts tasks on trained ones."""

from mtl_keras.surgery.add_task import add_task
from mtl_keras.surgery.split import split

__all__ = ["add_task", "split"]
