"""Names the worker that a training run has lost."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from mtl_keras.distribution.workers import has_several_workers, worker_index

# Errors of operations that need all workers, if one of them does not answer.
_ERRORS = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnavailableError,
    tf.errors.UnknownError,
)
_SIGNS = re.compile(
    "Collective ops is aborted|heartbeat|[Cc]oordination|GRPC|grpc|"
    "Connection re(set|fused)|Socket closed"
)
_TASK = re.compile(r"/job:(\w+)(?:/replica:\d+)?/task:(\d+)")


class LostWorkerError(RuntimeError):
    """Raised if a worker was killed or can no longer be reached.

    Args:
        message: The message.
        workers: Indices of the lost workers, if TensorFlow names them.
    """

    def __init__(self, message: str, workers: tuple[int, ...] = ()):
        super().__init__(message)
        self.workers = workers


@contextlib.contextmanager
def name_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Replaces TensorFlow's errors about a lost worker by one that names it.

    TensorFlow notices a closed connection at once, and missing heartbeats
    after about 10 seconds.

    Args:
        strategy: The strategy. With one worker, nothing changes.

    Raises:
        LostWorkerError: Within the block, if a worker is lost.
    """
    if not has_several_workers(strategy):
        yield
        return
    try:
        yield
    except _ERRORS as error:
        text = str(error)
        if not _SIGNS.search(text):
            raise
        raise _lost_worker_error(strategy, text) from error


def _lost_worker_error(strategy, text: str) -> LostWorkerError:
    spec = strategy.cluster_resolver.cluster_spec()
    offset = {"chief": 0, "worker": int("chief" in spec.jobs)}
    own = worker_index(strategy)
    found = {}
    for job, number in _TASK.findall(_first_failure(text)):
        index = int(number) + offset.get(job, 0)
        if index != own:
            address = spec.task_address(job, int(number))
            found[index] = f"worker {index} ({address})"
    lost = " and ".join(found.values()) or "Another worker"
    reason = next(line for line in reversed(text.splitlines()) if line.strip())
    if match := re.search("Collective ops is aborted by: (.*)", text):
        reason = match[1]
    return LostWorkerError(
        f"{lost[0].upper()}{lost[1:]} was lost: it was killed, it failed, or "
        "its host cannot be reached. Each step needs all workers, so this one, "
        f"worker {own}, stops too. See the log of the lost worker. Start all "
        "workers again; with mtl_keras.BackupAndRestore, or --resume on the "
        "command line, they continue from the last backup. (TensorFlow: "
        f"{reason.strip()})",
        tuple(found),
    )


def _first_failure(text: str) -> str:
    """Returns the part of a message that names the first worker to fail."""
    _, unhealthy, names = text.partition("unhealthy")
    return names.partition("The tasks have crashed")[0] if unhealthy else text
