"""Trains trials in processes on other hosts, which come and go."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mtl_keras.processes.address import listen
from mtl_keras.tuning.remote_worker import RemoteWorker, welcome
from mtl_keras.tuning.trial_messages import task_message, unpack_weights
from mtl_keras.tuning.trial_task import TrialTask, failure

# A trial that loses this many workers is itself the reason.
_MOST_LOSSES = 3
_RETRY_SECONDS = 0.1


class NoWorkersError(RuntimeError):
    """A search had no worker for too long."""


class RemoteWorkers:
    """The chief's end: hands trials to workers that connect.

    The trial of a lost worker goes to another one. A worker that was cut off
    and is still training continues its trial, even if the chief was restarted
    meanwhile.

    Args:
        address: Host and port to listen at.
        key: What workers have to know.
        settings: What is searched; a worker with other settings is refused.
        references: Returns metrics of single-task models by task.
        wait_seconds: How long to continue without any worker.
        say: Takes messages for the user.

    Raises:
        OSError: If the port is in use, or the host is another one.
    """

    def __init__(
        self,
        address: tuple[str, int],
        key: bytes,
        settings: Mapping[str, Any],
        references: Callable[[], Mapping[str, float]],
        *,
        wait_seconds: float,
        say: Callable[[str], None] = print,
    ):
        self.address = address
        self.wait_seconds = wait_seconds
        self._key, self._settings = key, settings
        self._references = references
        self._say = say
        self._listening = listen(*address)
        # Threads only put events here; the rest is this thread's alone.
        self._events: queue.Queue = queue.Queue()
        self._workers: list[RemoteWorker] = []
        self._open: dict[str, TrialTask] = {}
        self._waiting: list[TrialTask] = []
        self._losses: dict[str, int] = {}
        self._unacknowledged: list[RemoteWorker] = []
        self._alone_since = time.monotonic()
        self._is_closed = False

    def __enter__(self) -> RemoteWorkers:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._is_closed = True
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listening.close()
        for worker in self._with_newcomers():
            worker.channel.close()

    def announce_end(self) -> None:
        """Notifies all workers that there are no more trials."""
        self._acknowledge_results()
        for worker in self._with_newcomers():
            worker.send({"kind": "over"})

    def _with_newcomers(self) -> list[RemoteWorker]:
        """Adds workers that joined during the last trial; returns all."""
        while not self._events.empty():
            event, worker, *_ = self._events.get()
            if event == "joined":
                self._workers.append(worker)
        return self._workers

    @property
    def is_free(self) -> bool:
        """Returns whether another trial can start."""
        self._acknowledge_results()
        return len(self._open) < max(1, len(self._workers))

    def start(self, task: TrialTask) -> None:
        """Takes a trial.

        Args:
            task: The trial.
        """
        if not self._workers:
            self._alone_since = time.monotonic()
        self._open[task.trial_id] = task
        self._waiting.append(task)
        self._hand_out()

    def next_result(self) -> tuple[str, dict, list[np.ndarray] | None] | None:
        """Waits for a trial, and returns its number, record and weights.

        Returns:
            `None` if a worker came that could take another trial.

        Raises:
            NoWorkersError: If there was none for too long.
        """
        self._acknowledge_results()
        while True:
            event, worker, *content = self._next_event()
            if event == "joined":
                self._join(worker)
                return None
            if event == "left":
                result = self._leave(worker, *content)
            else:
                result = self._take(worker, *content)
            self._hand_out()
            if result is not None:
                return result

    def _next_event(self) -> tuple:
        if self._workers:
            return self._events.get()
        left = self._alone_since + self.wait_seconds - time.monotonic()
        try:
            return self._events.get(timeout=max(0.0, left))
        except queue.Empty:
            host, port = self.address
            raise NoWorkersError(
                f"No worker has been at {host}:{port} for "
                f"{self.wait_seconds:g} s. Nothing is lost: start the chief "
                "again, and workers, to go on."
            ) from None

    def _join(self, worker: RemoteWorker) -> None:
        self._workers.append(worker)
        self._say(f"{worker.name} is here ({len(self._workers)} in all)")
        if worker.trial is not None:  # it was cut off while it trained
            self._waiting = [t for t in self._waiting if not worker.trains(t)]
        self._hand_out()

    def _leave(self, worker: RemoteWorker, reason: str, is_lost: bool):
        self._workers.remove(worker)
        self._say(f"{worker.name} has left: {reason}")
        if not self._workers:
            self._alone_since = time.monotonic()
            self._say(
                f"No worker is left; waiting {self.wait_seconds:g} s for one"
            )
        task = next((t for t in self._open.values() if worker.trains(t)), None)
        if task is None or any(other.trains(task) for other in self._workers):
            return None
        losses = self._losses.get(task.trial_id, 0) + is_lost
        self._losses[task.trial_id] = losses
        if losses < _MOST_LOSSES:
            self._waiting.insert(0, task)
            return None
        del self._open[task.trial_id]
        about = f"Its worker was lost {losses} times; the last one: {reason}."
        return task.trial_id, failure(about, 0.0), None

    def _take(self, worker: RemoteWorker, message: dict, payload: bytes):
        self._unacknowledged.append(worker)
        task = self._open.get(message["task"]["trial_id"])
        if task is None or message["task"] != task_message(task):
            self._acknowledge_results()  # another worker was sooner
            return None
        del self._open[task.trial_id]
        self._waiting = [t for t in self._waiting if t is not task]
        weights = unpack_weights(payload) if payload else None
        return task.trial_id, message["record"], weights

    def _acknowledge_results(self) -> None:
        """Notifies workers whose results are on the disk, or not needed."""
        for worker in self._unacknowledged:
            worker.trial = None
            worker.send({"kind": "taken"})
        self._unacknowledged = []
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in self._workers:
            if self._waiting and worker.trial is None:
                task = self._waiting.pop(0)
                worker.trial = task_message(task)
                worker.send(
                    {
                        "kind": "task",
                        "task": worker.trial,
                        "references": dict(self._references()),
                    }
                )

    def _accept(self) -> None:
        while True:
            try:
                connected, peer = self._listening.accept()
            except OSError:
                if self._is_closed:
                    return
                time.sleep(_RETRY_SECONDS)  # such as too many open files
                continue
            threading.Thread(
                target=self._serve, args=(connected, peer[0]), daemon=True
            ).start()

    def _serve(self, connected: socket.socket, peer: str) -> None:
        """Runs in a separate thread for each connection."""
        worker = welcome(connected, peer, self._key, self._settings, self._say)
        if worker is None:
            return
        self._events.put(("joined", worker))

        def take(message: dict, payload: bytes) -> None:
            self._events.put(("result", worker, message, payload))

        self._events.put(("left", worker, *worker.read(take)))
        worker.channel.close()
