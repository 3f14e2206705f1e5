"""Messages between processes that share a key, over TCP."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import socket
import struct
import threading
from collections.abc import Mapping

# The last digit changes with the form of messages.
_MAGIC = b"mtlkeras-msgs-v1"
_NONCE, _TAG = 16, 32
_LENGTHS = struct.Struct("!II")


class WrongKeyError(ConnectionError):
    """The other end has another key."""


class Channel:
    """A connection whose messages are signed with a key that both ends have.

    A message is a dict of what JSON takes and, if need be, bytes; nothing is
    unpickled. Its signature, a HMAC-SHA256 of the session, the direction, the
    number of the message and its content, is checked before anything is made
    of it: none can be forged, replayed or sent back. Messages are not
    encrypted.

    Args:
        connected: A connected socket, which the channel then owns.
        key: The key.
        is_server: Whether this is the end that was connected to.

    Raises:
        ConnectionError: If the other end is no channel.
    """

    def __init__(
        self, connected: socket.socket, key: bytes, *, is_server: bool
    ):
        self._socket = connected
        self._sending = threading.Lock()
        self._sent = self._received = 0
        ends = b"server", b"client"
        self._ours, self._theirs = ends if is_server else ends[::-1]
        try:
            own, other = self._exchange_nonces()
        except BaseException:
            self.close()
            raise
        nonces = other + own if is_server else own + other
        self._key = hmac.digest(key, nonces, hashlib.sha256)

    def set_timeout(self, seconds: float) -> None:
        """Sets how long the other end may be silent.

        Args:
            seconds: After these, `send` and `receive` raise a `TimeoutError`.
        """
        self._socket.settimeout(seconds)

    def send(self, message: Mapping, payload: bytes = b"") -> None:
        """Sends a message. Several threads may.

        Args:
            message: A dict of what JSON takes.
            payload: Bytes that go with it.

        Raises:
            OSError: If the connection is lost.
        """
        text = json.dumps(message).encode()
        lengths = _LENGTHS.pack(len(text), len(payload))
        with self._sending:
            content = lengths + text + payload
            tag = self._tag(self._ours, self._sent, content)
            self._sent += 1
            self._socket.sendall(lengths + tag + text + payload)

    def receive(self, most: int = 2**32) -> tuple[dict, bytes]:
        """Waits for a message.

        Args:
            most: Number of bytes that it may have. Defaults to 4 GiB.

        Returns:
            The dict and the bytes that go with it.

        Raises:
            OSError: If the connection is lost, also as `TimeoutError`.
            WrongKeyError: If the signature is wrong.
        """
        lengths = self._read(_LENGTHS.size)
        tag = self._read(_TAG)
        text_length, payload_length = _LENGTHS.unpack(lengths)
        if text_length + payload_length > most:
            raise ConnectionError(
                f"a message of {text_length + payload_length} bytes is longer "
                f"than {most}"
            )
        content = self._read(text_length + payload_length)
        expected = self._tag(self._theirs, self._received, lengths + content)
        if not hmac.compare_digest(tag, expected):
            raise WrongKeyError("the signature of a message is wrong")
        self._received += 1
        return json.loads(content[:text_length]), content[text_length:]

    def close(self) -> None:
        """Ends the connection; who waits for a message is told."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _exchange_nonces(self) -> tuple[bytes, bytes]:
        own = os.urandom(_NONCE)
        self._socket.sendall(_MAGIC + own)
        start = self._read(len(_MAGIC) + _NONCE)
        if not start.startswith(_MAGIC):
            raise ConnectionError(
                "what is at the other end does not speak as this version does"
            )
        return own, start[len(_MAGIC) :]

    def _tag(self, sender: bytes, number: int, content: bytes) -> bytes:
        signed = sender + struct.pack("!Q", number) + content
        return hmac.digest(self._key, signed, hashlib.sha256)

    def _read(self, count: int) -> bytes:
        parts, left = [], count
        while left:
            part = self._socket.recv(min(left, 2**20))
            if not part:
                raise ConnectionResetError("the other end closed it")
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
