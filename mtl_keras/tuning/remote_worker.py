"""A worker on another host, as the chief of a search sees it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Any

from mtl_keras.processes.channel import Channel, WrongKeyError
from mtl_keras.tuning.search_settings import differences
from mtl_keras.tuning.trial_messages import task_message
from mtl_keras.tuning.trial_task import TrialTask

# A worker reports every few seconds that it is alive.
BEAT_SECONDS, SILENT_SECONDS = 5.0, 60.0
_HANDSHAKE_SECONDS = 10.0
_HELLO_BYTES = 2**20
_DIFFERENCE = "{name} is {before} at the chief and {now} at the worker"


class RemoteWorker:
    """A worker that is connected.

    Args:
        channel: The connection.
        name: Its name.
        trial: Description of the trial that it trains already, or `None`.
    """

    def __init__(self, channel: Channel, name: str, trial: Mapping | None):
        self.channel = channel
        self.name = name
        self.trial = trial

    def trains(self, task: TrialTask) -> bool:
        """Returns whether the worker trains this trial."""
        return self.trial == task_message(task)

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends a message, unless the connection is lost.

        The thread that reads from the worker reports the loss.
        """
        with contextlib.suppress(OSError):
            self.channel.send(message)

    def read(self, take: Callable[[dict, bytes], None]) -> tuple[str, bool]:
        """Reads results until the worker is gone.

        Args:
            take: Takes each result.

        Returns:
            Why it is gone, and whether it was lost; else it said goodbye.
        """
        try:
            while True:
                message, payload = self.channel.receive()
                if message["kind"] == "bye":
                    return "it was stopped", False
                if message["kind"] == "beat":
                    self.channel.send({"kind": "beat"})
                else:
                    take(message, payload)
        except TimeoutError:
            return f"it was silent for {SILENT_SECONDS:g} s", True
        except (OSError, ValueError) as error:
            return f"its connection was lost, {error}", True


def welcome(
    connected: socket.socket,
    peer: str,
    key: bytes,
    settings: Mapping[str, Any],
    say: Callable[[str], None],
) -> RemoteWorker | None:
    """Lets a worker in, if it has the key and the same study.

    Args:
        connected: The connection.
        peer: Address of the other end.
        key: The key.
        settings: What is searched.
        say: Takes messages for the user.

    Returns:
        The worker, or `None` if it was refused.
    """
    connected.settimeout(_HANDSHAKE_SECONDS)
    try:
        channel = Channel(connected, key, is_server=True)
    except OSError:
        return None  # a stranger, who knows nothing of channels
    try:
        hello, _ = channel.receive(_HELLO_BYTES)
        found = differences(settings, hello["settings"], _DIFFERENCE)
        if not found:
            channel.send({"kind": "welcome"})
            channel.set_timeout(SILENT_SECONDS)
            return RemoteWorker(channel, hello["name"], hello["task"])
        say(f"{hello['name']} was refused: {'; '.join(found)}")
        channel.send({"kind": "refused", "reason": "; ".join(found)})
    except WrongKeyError:
        say(f"A process at {peer} was refused: it has another key")
        # It cannot read this, and so knows that the key is another one.
        with contextlib.suppress(OSError):
            channel.send({"kind": "refused", "reason": "another key"})
    except (OSError, ValueError, KeyError, TypeError):
        pass  # it is gone, or of another version: it will come back or end
    channel.close()
    return None
