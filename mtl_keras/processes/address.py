"""Addresses of the form HOST:PORT."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path


def parse_address(text: str) -> tuple[str, int]:
    """Parses a host and a port.

    Args:
        text: `HOST:PORT`, with a numeric IPv6 host in brackets.

    Returns:
        A tuple of host and port.

    Raises:
        ValueError: If the text has another form.

    Example:

    >>> from mtl_keras.processes.address import parse_address
    >>> parse_address("node1:5000"), parse_address("[::1]:5000")
    (('node1', 5000), ('::1', 5000))
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""  # an IPv6 address without brackets
    if not (colon and host and port.isascii() and port.isdecimal()):
        raise ValueError(
            f"The address {text!r} is not of the form HOST:PORT, such as "
            "node1:5000."
        )
    if not 0 < int(port) < 65536:
        raise ValueError(
            f"The address {text!r} has the port {port}; expected a port from "
            "1 to 65535."
        )
    return host, int(port)


def resolve_address(text: str) -> tuple[str, int]:
    """Parses a host and a port, given as text or in a file.

    Args:
        text: `HOST:PORT`, or the path of a file that contains it.

    Returns:
        A tuple of host and port.

    Raises:
        FileNotFoundError: If the file does not exist (yet).
        ValueError: If the text has another form.
    """
    path = Path(text)
    if path.is_file():
        return parse_address(path.read_text().strip())
    if ":" not in text and os.sep in text:
        raise FileNotFoundError(f"there is no file '{path}' yet")
    return parse_address(text)


def listen(host: str, port: int) -> socket.socket:
    """Creates a socket that listens at an address of this host.

    Args:
        host: Name or IP address of this host.
        port: The port.

    Raises:
        OSError: If the port is in use, or the address belongs to another
            host.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OSError(
            f"The host {host!r} has no address here: {error}."
        ) from error
    try:
        # A killed process may leave connections on this port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(_describe_error(host, port, error)) from error
    return listener


def _describe_error(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use by another program, or by "
            "another search. Choose another port."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is not an address of this host. Start the chief on "
            f"{host}, or pass an address of this host."
        )
    return f"Cannot listen at {host}:{port}: {error.strerror}."
