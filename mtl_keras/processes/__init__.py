"""Several processes on one host: started, watched and ended together.

Nothing here loads TensorFlow, so that what watches over workers stays small.
"""

from mtl_keras.processes.cluster import free_ports, worker_environments
from mtl_keras.processes.workers import (
    Outcome,
    Worker,
    ended_on_terminate,
    run_workers,
)

__all__ = [
    "Outcome",
    "Worker",
    "ended_on_terminate",
    "free_ports",
    "run_workers",
    "worker_environments",
]
