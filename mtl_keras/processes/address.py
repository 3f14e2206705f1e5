"""Where a process listens: HOST:PORT."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path


def read_address(text: str) -> tuple[str, int]:
    """Reads a host and a port.

    Args:
        text: `HOST:PORT`; a numeric IPv6 host stands in brackets.

    Raises:
        ValueError: If it has another form.

    Example:

    >>> from mtl_keras.processes.address import read_address
    >>> read_address("node1:5000"), read_address("[::1]:5000")
    (('node1', 5000), ('::1', 5000))
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""  # an address of IPv6 without brackets
    if not (colon and host and port.isascii() and port.isdecimal()):
        raise ValueError(
            f"The address {text!r} is not of the form HOST:PORT, such as "
            "node1:5000."
        )
    if not 0 < int(port) < 65536:
        raise ValueError(f"The address {text!r}: a port is from 1 to 65535.")
    return host, int(port)


def find_address(text: str) -> tuple[str, int]:
    """Reads a host and a port, or the file that says both.

    Args:
        text: `HOST:PORT`, or the path of a file with that in it.

    Raises:
        FileNotFoundError: If it is the path of a file that is not there (yet).
        ValueError: If it has another form.
    """
    path = Path(text)
    if path.is_file():
        return read_address(path.read_text().strip())
    if ":" not in text and os.sep in text:
        raise FileNotFoundError(f"there is no file '{path}' yet")
    return read_address(text)


def listen(host: str, port: int) -> socket.socket:
    """Listens at an address of this host.

    Args:
        host: Name or number of this host.
        port: The port.

    Raises:
        OSError: If the port is in use, or the host is another one.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(
            f"The host {host!r} has no address here: {error}."
        ) from error
    try:
        # What is left of connections of a process that was killed.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        raise OSError(_reason(host, port, error)) from error
    return found


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use by another program, or by "
            "another search. Choose another port."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is no address of this host. Start the chief on {host}, or "
            "name this host."
        )
    return f"Nothing can listen at {host}:{port}: {error.strerror}."
