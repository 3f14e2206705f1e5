"""Signed messages: complete, in order, and from the owner of the key."""

import socket
import threading

import pytest

from mtl_keras.processes.channel import Channel, WrongKeyError

KEY = b"a key that both have"


@pytest.fixture
def connected():
    """Connects both ends of a channel: the server's first."""
    made = []

    def connect(key=KEY, other=KEY):
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.settimeout(10)
        thread = threading.Thread(
            target=lambda: made.append(Channel(theirs, other, is_server=False))
        )
        thread.start()
        made.append(Channel(ours, key, is_server=True))
        thread.join()
        ends = made[-2:]
        return sorted(ends, key=lambda end: end._ours != b"server")

    yield connect
    for end in made:
        end.close()


def test_messages_arrive_whole_and_in_order(connected):
    server, client = connected()
    client.send({"kind": "a", "numbers": [1, 0.1, None]})
    client.send({"kind": "b"}, b"\0" * 1000)
    server.send({"kind": "c", "text": "é"})
    assert server.receive() == ({"kind": "a", "numbers": [1, 0.1, None]}, b"")
    assert server.receive() == ({"kind": "b"}, b"\0" * 1000)
    assert client.receive() == ({"kind": "c", "text": "é"}, b"")


def test_a_large_payload_arrives(connected):
    server, client = connected()
    payload = bytes(range(256)) * 20_000
    thread = threading.Thread(target=client.send, args=({}, payload))
    thread.start()
    assert server.receive() == ({}, payload)
    thread.join()


def test_both_ends_report_another_key(connected):
    server, client = connected(other=b"another key")
    client.send({"kind": "hello"})
    with pytest.raises(WrongKeyError):
        server.receive()
    server.send({"kind": "refused"})
    with pytest.raises(WrongKeyError):
        client.receive()


def recorded(client):
    """Returns the bytes of one client message."""
    sent = []
    real = client._socket

    class Recorder:
        def sendall(self, content):
            sent.append(content)
            real.sendall(content)

    client._socket = Recorder()
    client.send({"kind": "beat", "text": "x" * 10})
    client._socket = real
    return sent[0]


@pytest.mark.parametrize("what", ["replayed", "changed", "sent back"])
def test_a_message_that_is_not_the_next_one_is_refused(connected, what):
    server, client = connected()
    wire = recorded(client)
    assert server.receive()[0]["kind"] == "beat"
    if what == "sent back":
        server._socket.sendall(wire)
        with pytest.raises(WrongKeyError):
            client.receive()
        return
    if what == "changed":
        wire = wire.replace(b"xxx", b"xyx")
    client._socket.sendall(wire)
    with pytest.raises(WrongKeyError):
        server.receive()


def test_of_another_session_it_is_refused_too(connected):
    server, client = connected()
    wire = recorded(client)
    again, other = connected()
    other._socket.sendall(wire)
    with pytest.raises(WrongKeyError):
        again.receive()
    assert server.receive()


def test_a_message_that_is_too_long_is_not_read(connected):
    server, client = connected()
    client.send({}, b"x" * 100)
    with pytest.raises(ConnectionError, match="longer than 50"):
        server.receive(50)


def test_a_stranger_is_no_channel():
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(ConnectionError, match="does not use the protocol"):
            Channel(ours, KEY, is_server=True)
    assert ours.fileno() == -1  # it was closed


def test_a_closed_or_silent_end_raises(connected):
    server, client = connected()
    server.set_timeout(0.01)
    with pytest.raises(TimeoutError):
        server.receive()
    client.close()
    with pytest.raises(ConnectionResetError, match="closed"):
        server.receive()
