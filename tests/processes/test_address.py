"""Valid and invalid addresses."""

import socket

import pytest

from mtl_keras.processes import free_ports
from mtl_keras.processes.address import listen, parse_address, resolve_address


@pytest.mark.parametrize(
    "text",
    ["node1", "node1:", ":5000", "node1:x", "node1:²", "::1:5000", "a:70000"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="The address"):
        parse_address(text)


def test_it_listens_and_is_reached():
    (port,) = free_ports(1)
    with (
        listen("127.0.0.1", port),
        socket.create_connection(("127.0.0.1", port), 5) as reached,
    ):
        assert reached.getpeername() == ("127.0.0.1", port)


def test_a_port_in_use_raises():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} of .* is in use"):
            listen("127.0.0.1", port)


def test_another_host_raises():
    (port,) = free_ports(1)
    # An address of documentation (RFC 5737), which nobody has.
    with pytest.raises(
        OSError, match=r"192\.0\.2\.1 is not an address of this"
    ):
        listen("192.0.2.1", port)


def test_an_unknown_name_raises():
    with pytest.raises(OSError, match=r"'no\.host\.invalid' has no address"):
        listen("no.host.invalid", 5000)


def test_a_file_may_say_it(tmp_path):
    path = tmp_path / "oracle"
    with pytest.raises(FileNotFoundError, match="oracle' yet"):
        resolve_address(str(path))
    path.write_text("node1:5000\n")
    assert resolve_address(str(path)) == ("node1", 5000)
    assert resolve_address("node1:5001") == ("node1", 5001)
    with pytest.raises(ValueError, match="HOST:PORT"):
        resolve_address("nonsense")
