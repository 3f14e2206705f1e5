"""A worker's connection to the chief of a search, which may be cut."""

from __future__ import annotations

import _thread
import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mtl_keras.processes.address import resolve_address
from mtl_keras.processes.channel import Channel, WrongKeyError
from mtl_keras.tuning.remote_worker import BEAT_SECONDS, SILENT_SECONDS

_CONNECT_SECONDS, _RETRY_SECONDS = 10.0, 1.0


class UnreachableOracleError(RuntimeError):
    """A worker could not reach the chief of its search."""


class ChiefLink:
    """The worker's end: gets trials from the chief, and hands results in.

    Where the connection is lost, it is made again, while a trial is trained as
    well; a result is handed in until the chief has it.

    Args:
        oracle: `HOST:PORT` of the chief, or a file that contains it.
        read_key: Returns the key, or `None` while there is none.
        name: Name of the worker, for the chief's messages.
        settings: What the worker takes to be searched.
        wait_seconds: How long to try to reach the chief.
        say: Takes messages for the user.

    Raises:
        ValueError: If `oracle` is neither an address nor the path of a file.
    """

    def __init__(
        self,
        oracle: str,
        read_key: Callable[[], bytes | None],
        name: str,
        settings: Mapping[str, Any],
        *,
        wait_seconds: float,
        say: Callable[[str], None] = print,
    ):
        with contextlib.suppress(FileNotFoundError):  # it may come yet
            resolve_address(oracle)
        self.oracle = oracle
        self.wait_seconds = wait_seconds
        self._read_key = read_key
        self._hello = {"name": name, "settings": dict(settings)}
        self._say = say
        self._inbox: queue.Queue = queue.Queue()
        self._state = threading.Lock()
        self._channel: Channel | None = None
        self._task: dict | None = None  # until the chief has its result
        self._result: tuple[dict, bytes] | None = None
        self._closed = threading.Event()
        self._error: Exception | None = None

    def __enter__(self) -> ChiefLink:
        for run in (self._listen, self._beat):
            threading.Thread(target=run, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        with self._state:
            self._closed.set()
            channel = self._channel
        if channel is not None:
            self._say_goodbye(channel)

    def messages(self) -> Iterator[dict]:
        """Waits for trials, and ends when the search is over.

        Yields:
            The chief's message about a trial: `"task"` and `"references"`.

        Raises:
            UnreachableOracleError: If the chief is lost for good.
            ValueError: If the chief searches something else.
        """
        while (message := self._inbox.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message

    def hand_in(self, record: Mapping[str, Any], payload: bytes) -> None:
        """Hands the result of the last trial in.

        Args:
            record: Its record.
            payload: Its weights, as bytes.
        """
        with self._state:
            result = {"kind": "result", "task": self._task, "record": record}
            self._result = (result, payload)
            channel = self._channel
        if channel is not None:
            self._send(channel, *self._result)

    @property
    def error(self) -> Exception | None:
        """Why the chief was given up while a trial was trained, if it was."""
        return self._error

    def _listen(self) -> None:
        """Runs in a thread: connects, and reads the chief's messages."""
        try:
            while not self._closed.is_set():
                channel = self._connect()
                if channel is None or self._is_over(channel):
                    self._inbox.put(None)
                    return
        except Exception as error:  # this thread has nobody who would see it
            self._error = error
            self._inbox.put(error)
            with self._state:
                is_training = self._task is not None and self._result is None
            if is_training:
                _thread.interrupt_main()  # nobody waits for the trial

    def _is_over(self, channel: Channel) -> bool:
        """Reads until the connection is lost or the search is over."""
        with self._state:
            self._channel = channel
            result = self._result
            is_closed = self._closed.is_set()
        if is_closed:  # while it was connecting
            self._say_goodbye(channel)
            return True
        if result is not None:
            self._send(channel, *result)
        try:
            while True:
                message, _ = channel.receive()
                if message["kind"] == "over":
                    return True
                self._take(message)
        except (OSError, ValueError) as error:
            if not self._closed.is_set():
                self._say(
                    f"The chief was lost, {error}; trying to reach it for "
                    f"{self.wait_seconds:g} s"
                )
            return False
        finally:
            with self._state:
                self._channel = None
            channel.close()

    def _take(self, message: dict) -> None:
        if message["kind"] == "task":
            with self._state:
                self._task = message["task"]
            self._inbox.put(message)
        elif message["kind"] == "taken":
            with self._state:
                self._task = self._result = None

    def _connect(self) -> Channel | None:
        """Connects to the chief; `None` if the link was closed meanwhile."""
        until = time.monotonic() + self.wait_seconds
        problem = "there was no time"
        while not self._closed.is_set():
            try:
                key = self._read_key()
                if key is not None:
                    return self._greet(key)
                problem = "the chief has not made a key yet"
            except OSError as error:
                problem = str(error)
            if time.monotonic() >= until:
                raise UnreachableOracleError(
                    f"The chief of the search could not be reached at "
                    f"{self.oracle} for {self.wait_seconds:g} s: {problem}. Is "
                    "it running, with the same study, output folder and "
                    "address, and is the port open between the hosts?"
                )
            self._closed.wait(_RETRY_SECONDS)
        return None

    def _greet(self, key: bytes) -> Channel:
        address = resolve_address(self.oracle)
        connected = socket.create_connection(address, _CONNECT_SECONDS)
        channel = Channel(connected, key, is_server=False)
        try:
            with self._state:
                hello = {**self._hello, "task": self._task}
            channel.send(hello)
            answer, _ = channel.receive()
        except WrongKeyError as error:
            channel.close()
            raise ValueError(
                "The chief of the search has another key. Worker and chief "
                "need the same output folder, or the same key in the "
                "environment."
            ) from error
        except BaseException:
            channel.close()
            raise
        if answer["kind"] == "refused":
            channel.close()
            raise ValueError(
                f"The chief searches something else: {answer['reason']}. Start "
                "both with the same study, options and version."
            )
        channel.set_timeout(SILENT_SECONDS)
        return channel

    def _beat(self) -> None:
        """Runs in a thread: reports that this worker is alive."""
        while not self._closed.wait(BEAT_SECONDS):
            with self._state:
                channel = self._channel
            if channel is not None:
                self._send(channel, {"kind": "beat"})

    def _say_goodbye(self, channel: Channel) -> None:
        self._send(channel, {"kind": "bye"})
        channel.close()

    def _send(
        self, channel: Channel, message: Mapping, payload: bytes = b""
    ) -> None:
        # Whoever reads finds out that the connection is lost.
        with contextlib.suppress(OSError):
            channel.send(message, payload)
