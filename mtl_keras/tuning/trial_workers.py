"""Trains several trials at a time, in processes that may die."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from multiprocessing import connection
from typing import Any

import numpy as np

from mtl_keras.processes.gpus import gpu_shares, visible_gpus
from mtl_keras.processes.run_workers import describe_exit_code
from mtl_keras.tuning.trial_task import TrialTask, failure, run_task

# A trial that ends this many workers is itself the reason.
_MOST_DEATHS = 3
_READY = "ready"
# From when its pipe is closed.
_SECONDS_TO_END = 1.0


class WorkerFailedError(RuntimeError):
    """A worker of a search could not begin."""


@dataclasses.dataclass(frozen=True)
class WorkerSetup:
    """All that a process needs to train trials.

    Args:
        hyper_model: Arguments of `make_hyper_model`, by name.
        runner: Arguments of `TrialRunner`, but for the strategy.
        references: Metrics of single-task models, by task.
        distribution: Name of a strategy.
        replicas: Number of its devices, or `None` for all.
    """

    hyper_model: Mapping[str, Any]
    runner: Mapping[str, Any]
    references: Mapping[str, float]
    distribution: str
    replicas: int | None = None


class TrialWorkers:
    """Processes that train a trial each.

    The trial of a process that dies is given to another one, or is trained
    anew by its successor, from the same seed. None outlives the `with` block.

    Args:
        setup: What they need.
        count: Number of processes.

    Raises:
        TypeError: If what they need cannot be handed to another process.
    """

    def __init__(self, setup: WorkerSetup, count: int):
        self.count = count
        self._content = _pickled(setup)
        self._variables = worker_variables(count)
        self._workers: list[_Worker] = []
        self._waiting: list[TrialTask] = []
        self._deaths: dict[str, int] = {}
        self._lost_starts = 0

    def __enter__(self) -> TrialWorkers:
        try:
            for variables in self._variables:
                self._workers.append(_Worker(self._content, variables))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for worker in self._workers:
            worker.end()

    @property
    def is_free(self) -> bool:
        """Whether another trial can start."""
        busy = sum(worker.task is not None for worker in self._workers)
        return busy + len(self._waiting) < self.count

    def start(self, task: TrialTask) -> None:
        """Takes a trial.

        Args:
            task: The trial.
        """
        self._waiting.append(task)
        self._hand_out()

    def next_result(self) -> tuple[str, dict, list[np.ndarray] | None]:
        """Waits for a trial, and returns its number, record and weights.

        Raises:
            WorkerFailedError: If a worker could not begin.
        """
        while True:
            by_end = {worker.link: worker for worker in self._workers}
            for link in connection.wait(list(by_end)):
                worker = by_end[link]
                try:
                    found = worker.link.recv()
                except (EOFError, OSError, pickle.UnpicklingError):
                    result = self._replace(worker)
                else:
                    result = worker.take(found)
                self._hand_out()
                if result is not None:
                    return result

    def _hand_out(self) -> None:
        for worker in self._workers:
            if self._waiting and worker.is_ready and worker.task is None:
                worker.give(self._waiting.pop(0))

    def _replace(self, worker: _Worker):
        """Starts another worker, and has the trial of the dead one run."""
        # How it ended by itself, before it is ended for sure.
        worker.process.join(_SECONDS_TO_END)
        worker.end()
        code = worker.process.exitcode
        how = describe_exit_code(code)
        self._lost_starts += not worker.is_ready
        # By a signal, it may have been the system that was short of memory.
        if not worker.is_ready and (
            code >= 0 or self._lost_starts == _MOST_DEATHS
        ):
            raise WorkerFailedError(
                f"A worker of the search {how} before it could begin. It "
                "imports the script that called search: put the call under "
                "`if __name__ == '__main__':`, and the factory at the top of "
                "a module."
            )
        at = self._workers.index(worker)
        self._workers[at] = _Worker(self._content, self._variables[at])
        task = worker.task
        if task is None:
            return None
        deaths = self._deaths.get(task.trial_id, 0) + 1
        self._deaths[task.trial_id] = deaths
        if deaths < _MOST_DEATHS:
            self._waiting.insert(0, task)
            return None
        reason = f"Its worker was lost {deaths} times; the last one {how}."
        seconds = time.monotonic() - worker.began
        return task.trial_id, failure(reason, seconds), None


class _Worker:
    """A process, and what it does at present."""

    def __init__(self, content: bytes, variables: Mapping[str, str]):
        context = multiprocessing.get_context("spawn")
        self.link, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, content), daemon=True
        )
        with _environment(variables):
            self.process.start()
        # Ours alone would keep the pipe open when the process has died.
        theirs.close()
        self.task: TrialTask | None = None
        self.is_ready = False
        self.began = time.monotonic()

    def give(self, task: TrialTask) -> None:
        self.task, self.began = task, time.monotonic()
        # A dead one is found when its end of the pipe is read.
        with contextlib.suppress(OSError):
            self.link.send(task)

    def take(self, found):
        if found == _READY:
            self.is_ready = True
            return None
        if isinstance(found, str):
            raise WorkerFailedError(f"A worker could not begin: {found}")
        task, self.task = self.task, None
        return (task.trial_id, *found)

    def end(self) -> None:
        self.link.close()
        self.process.kill()
        self.process.join()


def _work(link: connection.Connection, content: bytes) -> None:
    """What a process does: it trains what it is given, until nobody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that asks decides
    try:
        runner = _make_runner(pickle.loads(content))
    except BaseException:
        link.send(traceback.format_exc())
        raise
    with contextlib.suppress(EOFError, OSError):
        link.send(_READY)
        while True:
            link.send(run_task(link.recv(), runner))


def _make_runner(setup: WorkerSetup):
    from mtl_keras import distribution
    from mtl_keras.tuning.make_hyper_model import make_hyper_model
    from mtl_keras.tuning.trial_runner import TrialRunner

    strategy = distribution.strategy(setup.distribution, setup.replicas)
    with strategy.scope():
        hyper_model = make_hyper_model(**setup.hyper_model)
    runner = TrialRunner(hyper_model, strategy=strategy, **setup.runner)
    runner.references = dict(setup.references)
    return runner


def _pickled(setup: WorkerSetup) -> bytes:
    try:
        return pickle.dumps(setup)
    except Exception as error:
        raise TypeError(
            "With several workers, the factory, the space, the data and the "
            f"callbacks go to other processes, and one cannot: {error}. Define "
            "the factory at the top of a module, and pass arrays; or pass "
            "workers=1."
        ) from error


def worker_variables(count: int) -> list[dict[str, str]]:
    """Makes environment variables by which workers share this host.

    Each has its share of the GPUs and of the cores.

    Args:
        count: Number of workers.
    """
    threads = str(max(1, (os.cpu_count() or 1) // count))
    common = {
        "OMP_NUM_THREADS": threads,
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        # Of a GPU that several share, each takes what it needs.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        # Where modules are found that this process has found.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    gpus = visible_gpus(os.environ)
    if not gpus:
        return [common] * count
    return [
        {**common, "CUDA_VISIBLE_DEVICES": share}
        for share in gpu_shares(gpus, count)
    ]


@contextlib.contextmanager
def _environment(changed: Mapping[str, str]) -> Iterator[None]:
    """Has a process that starts here find some variables."""
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
