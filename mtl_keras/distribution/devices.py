"""Lists GPUs, and creates logical CPU devices that stand in for them."""

from __future__ import annotations

import tensorflow as tf


def use_cpu_devices(count: int) -> list[str]:
    """Divides the CPU into logical devices, one for each replica.

    Args:
        count: Number of devices.

    Returns:
        Names of the devices, such as `["CPU:0", "CPU:1"]`.

    Raises:
        RuntimeError: If TensorFlow has already started with fewer devices.
    """
    names = [f"CPU:{index}" for index in range(count)]
    (cpu,) = tf.config.list_physical_devices("CPU")[:1]
    configured = tf.config.get_logical_device_configuration(cpu)
    if count <= len(configured or [None]):
        return names
    devices = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(cpu, devices)
    except RuntimeError as error:
        found = len(tf.config.list_logical_devices("CPU"))
        raise RuntimeError(
            f"replicas={count}, but TensorFlow has already started with "
            f"{found} CPU device(s). Call mtl_keras.distribution.strategy(...) "
            "first, before any tensor, model or data set is created. In a "
            "notebook, restart the kernel."
        ) from error
    return names


def use_gpus(replicas: int | None) -> list[str]:
    """Picks GPUs of this machine.

    Args:
        replicas: Number of GPUs, or `None` for all.

    Returns:
        Names of the GPUs, such as `["GPU:0", "GPU:1"]`.

    Raises:
        ValueError: If the machine has fewer GPUs.
    """
    found = num_gpus()
    if replicas is not None and replicas > found:
        raise ValueError(
            f"replicas={replicas}, but this machine has {found} GPU(s). Pass "
            f"{found} or less, or leave replicas out to use all GPUs."
        )
    return [f"GPU:{index}" for index in range(replicas or found)]


def num_gpus() -> int:
    """Counts the GPUs that TensorFlow may use, without starting TensorFlow."""
    return len(tf.config.get_visible_devices("GPU"))
