"""Signed messages between processes over TCP."""

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

# The last digit is the version of the message format.
_MAGIC = b"mtlkeras-msgs-v1"
_NONCE, _TAG = 16, 32
_LENGTHS = struct.Struct("!II")


class WrongKeyError(ConnectionError):
    """The other end has a different key."""


class Channel:
    """A connection whose messages are signed with a shared key.

    A message is a JSON dict with optional bytes; pickle is not used. Its
    signature, an HMAC-SHA256 of the session, the direction, the message number
    and the content, is verified before the content is parsed: messages cannot
    be forged, replayed or reflected. Messages are not encrypted.

    Args:
        connected: A connected socket, which the channel owns.
        key: The shared key.
        is_server: Whether this end accepted the connection.

    Raises:
        ConnectionError: If the other end is not a channel of this version.
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
            nonce, other = self._exchange_nonces()
        except BaseException:
            self.close()
            raise
        nonces = other + nonce if is_server else nonce + other
        self._key = hmac.digest(key, nonces, hashlib.sha256)

    def set_timeout(self, seconds: float) -> None:
        """Sets the timeout of `send` and `receive`.

        Args:
            seconds: Seconds until they raise a `TimeoutError`.
        """
        self._socket.settimeout(seconds)

    def send(self, message: Mapping, payload: bytes = b"") -> None:
        """Sends a message. This method is thread-safe.

        Args:
            message: A dict that can be serialized to JSON.
            payload: Bytes of the message. Defaults to none.

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

    def receive(self, max_bytes: int = 2**32) -> tuple[dict, bytes]:
        """Waits for a message.

        Args:
            max_bytes: Maximum size of the message. Defaults to 4 GiB.

        Returns:
            A tuple of the dict and the bytes.

        Raises:
            ConnectionError: If the message is too long.
            OSError: If the connection is lost; a `TimeoutError` on timeout.
            WrongKeyError: If the signature is wrong.
        """
        lengths = self._read(_LENGTHS.size)
        tag = self._read(_TAG)
        text_length, payload_length = _LENGTHS.unpack(lengths)
        if text_length + payload_length > max_bytes:
            raise ConnectionError(
                f"a message of {text_length + payload_length} bytes is longer "
                f"than {max_bytes}"
            )
        content = self._read(text_length + payload_length)
        expected = self._tag(self._theirs, self._received, lengths + content)
        if not hmac.compare_digest(tag, expected):
            raise WrongKeyError("the signature of a message is wrong")
        self._received += 1
        return json.loads(content[:text_length]), content[text_length:]

    def close(self) -> None:
        """Closes the connection; a waiting `receive` raises an error."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _exchange_nonces(self) -> tuple[bytes, bytes]:
        nonce = os.urandom(_NONCE)
        self._socket.sendall(_MAGIC + nonce)
        start = self._read(len(_MAGIC) + _NONCE)
        if not start.startswith(_MAGIC):
            raise ConnectionError(
                "the other end does not use the protocol of this version"
            )
        return nonce, start[len(_MAGIC) :]

    def _tag(self, sender: bytes, number: int, content: bytes) -> bytes:
        signed = sender + struct.pack("!Q", number) + content
        return hmac.digest(self._key, signed, hashlib.sha256)

    def _read(self, count: int) -> bytes:
        chunks, remaining = [], count
        while remaining:
            chunk = self._socket.recv(min(remaining, 2**20))
            if not chunk:
                raise ConnectionResetError("the other end closed it")
            chunks.append(chunk)
            remaining -= len(chunk)
        return b"".join(chunks)
