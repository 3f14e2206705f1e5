"""Searches whose workers die, with threads in place of processes."""

import contextlib
import multiprocessing
import os
import threading
from multiprocessing import connection
from types import SimpleNamespace

import pytest
from tuning_problem import build_in_numpy, search_small

from mtl_keras.tuning import trial_workers
from mtl_keras.tuning.trial_workers import WorkerFailedError

# A worker has its own interpreter; threads train one after another.
LOCK = threading.Lock()


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the package may catch it."""


class ThreadAsProcess:
    """Runs the program of a worker in a thread."""

    kills_at_start = 0
    started = 0

    def __init__(self, target, args, daemon):
        self.exitcode = None
        self._target, self._args = target, args

    def start(self):
        link, *rest = self._args
        # The search closes its own copy of the other end.
        own = connection.Connection(os.dup(link.fileno()))
        self._thread = threading.Thread(target=self._run, args=(own, *rest))
        self._thread.start()

    def _run(self, link, *rest):
        ThreadAsProcess.started += 1
        with link, contextlib.suppress(Killed):
            if ThreadAsProcess.kills_at_start:
                ThreadAsProcess.kills_at_start -= 1
                raise Killed
            self._target(link, *rest)

    def join(self, timeout=None):
        self._thread.join(timeout)
        self.exitcode = -9

    def kill(self):
        pass


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """Has each worker begin as a thread."""
    context = SimpleNamespace(
        Pipe=multiprocessing.Pipe, Process=ThreadAsProcess
    )
    monkeypatch.setattr(
        trial_workers.multiprocessing, "get_context", lambda _: context
    )
    monkeypatch.setattr(
        trial_workers,
        "signal",
        SimpleNamespace(signal=lambda *_: None, SIGINT=None, SIG_IGN=None),
    )
    monkeypatch.setattr(ThreadAsProcess, "kills_at_start", 0)
    monkeypatch.setattr(ThreadAsProcess, "started", 0)
    for name in ("_make_runner", "run_task"):
        monkeypatch.setattr(
            trial_workers, name, one_at_a_time(getattr(trial_workers, name))
        )


def one_at_a_time(function):
    def locked(*arguments):
        with LOCK:
            return function(*arguments)

    return locked


class Deaths:
    """Ends a worker a number of times, while it builds a trial."""

    left = 0


def build_once_deadly(width=3, loss_weights=None, optimizer="sgd"):
    if loss_weights is not None and Deaths.left:
        Deaths.left -= 1
        raise Killed
    return build_in_numpy(width, loss_weights, optimizer)


def test_the_trial_of_a_killed_worker_is_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Deaths, "left", 1)
    # Another one ends before it can begin.
    monkeypatch.setattr(ThreadAsProcess, "kills_at_start", 1)
    study = search_small(tmp_path, build_once_deadly, workers=2, max_trials=2)
    assert Deaths.left == 0 and ThreadAsProcess.started == 4
    assert [trial.number for trial in study.trials] == [0, 1]
    expected = search_small(tmp_path, name="unharmed", max_trials=2)
    for found, other in zip(study.trials, expected.trials, strict=True):
        assert found.labels == other.labels
        assert found.metrics == other.metrics
    assert study.best_model().count_params() > 0


def test_workers_that_are_killed_as_they_start_end_the_search(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(ThreadAsProcess, "kills_at_start", 3)
    with pytest.raises(WorkerFailedError, match="killed by SIGKILL"):
        search_small(tmp_path, workers=2)


def test_a_worker_that_cannot_begin_raises(tmp_path, monkeypatch):
    monkeypatch.setattr(trial_workers, "_pickled", lambda _: b"no pickle")
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(WorkerFailedError, match="could not begin"):
        search_small(tmp_path, workers=2)
