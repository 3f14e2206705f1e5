"""Runs and monitors several processes on one host.

This package does not import TensorFlow, so a monitoring process stays small.
"""

from mtl_keras.processes.cluster import free_ports, worker_environments
from mtl_keras.processes.run_workers import (
    Outcome,
    Worker,
    interrupt_on_sigterm,
    run_workers,
)

__all__ = [
    "Outcome",
    "Worker",
    "free_ports",
    "interrupt_on_sigterm",
    "run_workers",
    "worker_environments",
]
