"""Splitting models by task, and adding tasks to trained models."""

from mtl_keras.surgery.add_task import add_task
from mtl_keras.surgery.split import split

__all__ = ["add_task", "split"]
