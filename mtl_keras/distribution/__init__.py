"""`tf.distribute` strategies, from one machine without GPUs to many hosts."""

from mtl_keras.distribution.build import build
from mtl_keras.distribution.devices import use_cpu_devices
from mtl_keras.distribution.lost_workers import (
    LostWorkerError,
    lost_workers_named,
)
from mtl_keras.distribution.made_inside import check_made_inside
from mtl_keras.distribution.shared_content import (
    of_all_workers,
    text_from_chief,
)
from mtl_keras.distribution.split_batches import split_batches
from mtl_keras.distribution.strategy import strategy
from mtl_keras.distribution.workers import (
    check_agreement,
    from_chief,
    has_several_workers,
    is_chief,
    run_on_chief,
    synchronize,
    worker_index,
)

__all__ = [
    "LostWorkerError",
    "build",
    "check_agreement",
    "check_made_inside",
    "from_chief",
    "has_several_workers",
    "is_chief",
    "lost_workers_named",
    "of_all_workers",
    "run_on_chief",
    "split_batches",
    "strategy",
    "synchronize",
    "text_from_chief",
    "use_cpu_devices",
    "worker_index",
]
