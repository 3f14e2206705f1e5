"""Trains on several devices and hosts, by `tf.distribute` strategies."""

from mtl_keras.distribution.build import build
from mtl_keras.distribution.devices import use_cpu_devices
from mtl_keras.distribution.lost_worker_error import LostWorkerError
from mtl_keras.distribution.strategy import strategy
from mtl_keras.distribution.workers import is_chief

__all__ = [
    "LostWorkerError",
    "build",
    "is_chief",
    "strategy",
    "use_cpu_devices",
]
