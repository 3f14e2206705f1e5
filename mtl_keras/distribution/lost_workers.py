"""Says which worker of a training was lost."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from mtl_keras.distribution.workers import has_several_workers, worker_index

# What operations that need all workers raise when one does not answer.
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
    """A worker of a training was killed, or cannot be reached any more.

    Args:
        message: The message.
        workers: Numbers of the lost workers, as far as TensorFlow names them.
    """

    def __init__(self, message: str, workers: tuple[int, ...] = ()):
        super().__init__(message)
        self.workers = workers


@contextlib.contextmanager
def lost_workers_named(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Replaces the errors that TensorFlow raises where a worker is lost.

    It finds out by the connection, or by a missing heartbeat after some 10
    seconds.

    Args:
        strategy: The strategy. With one worker nothing changes.

    Raises:
        LostWorkerError: Inside of the block, where a worker is lost.
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
        raise _lost(strategy, text) from error


def _lost(strategy, text: str) -> LostWorkerError:
    spec = strategy.cluster_resolver.cluster_spec()
    offset = {"chief": 0, "worker": int("chief" in spec.jobs)}
    own = worker_index(strategy)
    found = {}
    for job, number in _TASK.findall(_most_telling(text)):
        index = int(number) + offset.get(job, 0)
        if index != own:
            address = spec.task_address(job, int(number))
            found[index] = f"worker {index} ({address})"
    named = " and ".join(found.values()) or "Another worker"
    said = next(line for line in reversed(text.splitlines()) if line.strip())
    if match := re.search("Collective ops is aborted by: (.*)", text):
        said = match[1]
    return LostWorkerError(
        f"{named[0].upper()}{named[1:]} was lost: it was killed, it failed, or "
        "its host cannot be reached. Each step needs all workers, so this one, "
        f"worker {own}, stops too. The log of the lost one may say why. Start "
        "all workers again; with mtl_keras.BackupAndRestore, or --resume on "
        "the command line, they go on from the last backup. (TensorFlow: "
        f"{said.strip()})",
        tuple(found),
    )


def _most_telling(text: str) -> str:
    """What names the worker that failed first, if TensorFlow knows."""
    _, unhealthy, names = text.partition("unhealthy")
    return names.partition("The tasks have crashed")[0] if unhealthy else text
