"""The chief and its workers over TCP, without training: who has which trial."""

import contextlib
import socket
import threading
import time

import numpy as np
import pytest

from mtl_keras.processes import free_ports
from mtl_keras.processes.channel import Channel
from mtl_keras.tuning import chief_link, remote_worker
from mtl_keras.tuning.chief_link import ChiefLink, UnreachableOracleError
from mtl_keras.tuning.remote_workers import NoWorkersError, RemoteWorkers
from mtl_keras.tuning.trial_messages import (
    pack_weights,
    read_task,
    task_message,
    unpack_weights,
)
from mtl_keras.tuning.trial_task import TrialTask

KEY = b"0123456789abcdef"
SETTINGS = {"epochs": 2, "space": {"width": "[2, 3]"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(chief_link, "_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(chief_link, "BEAT_SECONDS", 0.05)


@pytest.fixture
def address():
    return "127.0.0.1", free_ports(1)[0]


@pytest.fixture
def said():
    return []


@pytest.fixture
def chief(address, said):
    with make_chief(address, said) as crew:
        yield crew


def make_chief(address, said, wait_seconds=20, key=KEY):
    return RemoteWorkers(
        address,
        key,
        SETTINGS,
        lambda: {"left": 0.5},
        wait_seconds=wait_seconds,
        say=said.append,
    )


def make_link(address, name="w", key=KEY, settings=SETTINGS, wait=20):
    return ChiefLink(
        "{}:{}".format(*address),
        lambda: key,
        name,
        settings,
        wait_seconds=wait,
        say=lambda text: None,
    )


def trial(number, epochs=2):
    labels = {"width": number, "rate": 0.1 + number, "kind": None}
    return TrialTask(str(number), number, {"width": number}, epochs, labels)


def result_of(crew):
    """Returns the next result; workers may come meanwhile."""
    while (found := crew.next_result()) is None:
        pass
    return found


def wait_until(happens):
    until = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)


def join(crew, count):
    """Waits until so many workers are there."""
    while len(crew._workers) < count:
        crew.next_result()


def test_trials_and_weights_come_over_as_they_are(chief, address):
    weights = [np.arange(6.0).reshape(2, 3), np.array(7, "int32")]
    chief.start(trial(4))
    with make_link(address) as link:
        messages = link.messages()
        join(chief, 1)
        message = next(messages)
        assert message["references"] == {"left": 0.5}
        found = read_task(message["task"], lambda labels: {"width": 4})
        assert found == trial(4)
        record = {"status": "completed", "objectives": {"a": float("nan")}}
        link.hand_in(record, pack_weights(weights))
        number, handed, kept = result_of(chief)
    assert number == "4" and np.isnan(handed["objectives"]["a"])
    for ours, theirs in zip(kept, weights, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert unpack_weights(pack_weights(None)) is None


def test_each_worker_gets_a_trial_and_a_newcomer_asks_for_more(chief, address):
    assert chief.is_free
    chief.start(trial(0))
    assert not chief.is_free  # one waits, for who comes first
    with make_link(address, "a") as first, make_link(address, "b") as second:
        assert chief.next_result() is None and not chief.is_free
        assert chief.next_result() is None and chief.is_free
        chief.start(trial(1))
        assert not chief.is_free
        links = {
            next(link.messages())["task"]["trial_id"]: link
            for link in (first, second)
        }
        links["1"].hand_in({"status": "completed"}, b"")
        assert result_of(chief)[0] == "1"
        assert chief.is_free


def test_when_it_is_over_workers_are_told(chief, address):
    with make_link(address) as link:
        join(chief, 1)
        chief.announce_end()
        assert list(link.messages()) == []


def test_the_trial_of_a_lost_worker_goes_to_another(chief, address, said):
    chief.start(trial(0))
    with make_link(address, "first") as first:
        join(chief, 1)
        next(first.messages())
        first._closed.set()
        first._channel.close()  # as by a kill
        with make_link(address, "second") as second:
            message = []

            def work():
                message.append(next(second.messages()))
                second.hand_in({"status": "completed"}, b"")

            thread = threading.Thread(target=work)
            thread.start()
            assert result_of(chief)[0] == "0"
            thread.join()
    assert message[0]["task"] == task_message(trial(0))
    assert any("first has left: its connection was lost" in s for s in said)


@contextlib.contextmanager
def raw_worker(address):
    """Yields a worker that does nothing by itself."""
    with socket.create_connection(address, 5) as connected:
        channel = Channel(connected, KEY, is_server=False)
        channel.send({"name": "w", "settings": SETTINGS, "task": None})
        assert channel.receive()[0]["kind"] == "welcome"
        yield channel


def lose(chief, address, times, *, goodbye=False):
    """Lets workers take the trial and go."""
    for _ in range(times):
        with raw_worker(address) as channel:
            assert chief.next_result() is None
            assert channel.receive()[0]["task"]["trial_id"] == "0"
            if goodbye:
                channel.send({"kind": "bye"})
        # The next one must not come before this one was seen to go.
        wait_until(lambda: not chief._events.empty())


def test_a_trial_that_loses_three_workers_fails(chief, address):
    chief.start(trial(0))
    lose(chief, address, 3)
    number, record, weights = result_of(chief)
    assert (number, record["status"], weights) == ("0", "failed", None)
    assert "lost 3 times" in record["reason"]


def test_workers_that_say_goodbye_do_not_count(chief, address, said):
    chief.start(trial(0))
    lose(chief, address, 4, goodbye=True)
    with make_link(address) as link:
        assert chief.next_result() is None  # the last one left, and this came
        next(link.messages())
        link.hand_in({"status": "completed"}, b"")
        assert result_of(chief)[1] == {"status": "completed"}
    assert sum("it was stopped" in line for line in said) == 4


def test_a_worker_goes_on_after_the_chief_was_started_again(address, said):
    with make_link(address) as link:
        with make_chief(address, said) as first:
            first.start(trial(0))
            join(first, 1)
            message = next(link.messages())
        # The chief is gone; the result comes while nobody is there.
        link.hand_in({"status": "completed", "seconds": 3.0}, b"")
        time.sleep(0.1)
        with make_chief(address, said) as second:
            second.start(trial(0))
            second.start(trial(1))
            number, record, _ = result_of(second)
            assert (number, record["seconds"]) == ("0", 3.0)
            assert second.is_free is False  # it has trial 1 to do
            assert next(link.messages())["task"]["trial_id"] == "1"
    assert message["task"]["trial_id"] == "0"


def test_a_trial_that_is_still_trained_is_given_to_nobody_else(address, said):
    with make_link(address, "busy") as busy:
        with make_chief(address, said) as first:
            first.start(trial(0))
            join(first, 1)
            next(busy.messages())
        with make_chief(address, said) as second:
            second.start(trial(0))
            join(second, 1)
            with make_link(address, "idle"):
                join(second, 2)
                trials = {w.name: w.trial for w in second._workers}
                assert trials == {"busy": task_message(trial(0)), "idle": None}


def test_results_of_a_trial_that_has_ended_are_dropped(address, said):
    with make_link(address) as link:
        with make_chief(address, said) as first:
            first.start(trial(0))
            join(first, 1)
            next(link.messages())
            link.hand_in({"status": "completed"}, b"")
            result_of(first)  # written down, and not yet told
        with make_chief(address, said) as second:
            second.start(trial(1))

            def work():
                next(link.messages())
                link.hand_in({"status": "completed"}, b"")

            thread = threading.Thread(target=work)
            thread.start()
            assert result_of(second)[0] == "1"
            thread.join()


def test_a_silent_worker_is_lost(address, said, monkeypatch):
    monkeypatch.setattr(remote_worker, "SILENT_SECONDS", 0.1)
    with (
        make_chief(address, said) as crew,
        raw_worker(address),
    ):
        crew.start(trial(0))
        join(crew, 1)
        crew.wait_seconds = 0.05
        with pytest.raises(NoWorkersError):
            crew.next_result()
    assert any("it was silent for 0.1 s" in line for line in said)


def test_beats_are_answered_and_no_silence(address, said, monkeypatch):
    for module in (remote_worker, chief_link):
        monkeypatch.setattr(module, "SILENT_SECONDS", 0.5)
    with make_chief(address, said) as crew, make_link(address) as link:
        join(crew, 1)
        time.sleep(1.2)
        assert link._channel is not None and crew._events.empty()


def test_without_workers_it_says_so_and_ends(address, said):
    with (
        make_chief(address, said, wait_seconds=0.2) as crew,
        pytest.raises(NoWorkersError, match=r"for 0\.2 s\. Nothing is lost"),
    ):
        crew.start(trial(0))
        crew.next_result()
    with make_chief(address, said) as crew:
        with make_link(address):
            join(crew, 1)
        crew.wait_seconds = 0.2
        with pytest.raises(NoWorkersError):
            crew.next_result()
    assert any("No worker is left; waiting 0.2 s" in line for line in said)


def test_a_chief_that_is_not_there_is_told(address):
    with (
        make_link(address, wait=0.1) as link,
        pytest.raises(UnreachableOracleError, match=r"for 0\.1 s: .*refused"),
    ):
        next(link.messages())


def test_a_key_that_does_not_come_is_told(address):
    with (
        make_link(address, key=None, wait=0.1) as link,
        pytest.raises(UnreachableOracleError, match="not made a key yet"),
    ):
        next(link.messages())


def test_a_chief_that_is_lost_ends_the_training(
    address, said, default_interruption
):
    with make_link(address, wait=0.2) as link:
        with make_chief(address, said) as crew:
            crew.start(trial(0))
            join(crew, 1)
            next(link.messages())
        with pytest.raises(KeyboardInterrupt):
            for _ in range(2000):
                time.sleep(0.01)  # a training
        assert isinstance(link.error, UnreachableOracleError)


def test_another_study_is_refused_with_the_difference(chief, address, said):
    other = {"epochs": 3, "space": {"width": "[2, 4]"}}
    with (
        make_link(address, settings=other) as link,
        pytest.raises(
            ValueError, match="epochs is 2 at the chief and 3 at"
        ) as e,
    ):
        next(link.messages())
    assert "space: width is '[2, 3]' at the chief" in str(e.value)
    assert any("w was refused: epochs is 2" in line for line in said)


def test_another_key_is_refused_at_both_ends(chief, address, said):
    with (
        make_link(address, key=b"fedcba9876543210") as link,
        pytest.raises(ValueError, match="has another key"),
    ):
        next(link.messages())
    wait_until(lambda: any("it has another key" in line for line in said))


@pytest.mark.parametrize(
    "content", [b"", b"GET / HTTP/1.1\r\n\r\n" * 3, b"\0" * 100]
)
def test_strangers_do_no_harm(chief, address, content):
    with socket.create_connection(address, 5) as stranger:
        stranger.sendall(content)
        # One that stays and says nothing keeps nobody else out.
        with make_link(address):
            join(chief, 1)
            assert len(chief._workers) == 1


def test_a_hello_that_is_none_is_refused(chief, address):
    with socket.create_connection(address, 5) as connected:
        channel = Channel(connected, KEY, is_server=False)
        channel.send({"name": "old"})
        with pytest.raises(ConnectionResetError):
            channel.receive()
    with make_link(address):
        join(chief, 1)


def test_a_port_in_use_is_told(chief, address, said):
    with (
        pytest.raises(OSError, match="is in use by another program"),
        contextlib.ExitStack() as stack,
    ):
        stack.enter_context(make_chief(address, said))


def test_a_chief_that_moves_is_found_by_its_file(tmp_path, said):
    file = tmp_path / "oracle"
    link = ChiefLink(
        str(file), lambda: KEY, "w", SETTINGS, wait_seconds=20, say=said.append
    )
    with link:
        for port in free_ports(2):
            with make_chief(("127.0.0.1", port), said) as crew:
                file.write_text(f"127.0.0.1:{port}\n")
                join(crew, 1)
                assert len(crew._workers) == 1


def test_accepting_goes_on_after_an_error(address, said, monkeypatch):
    crew = make_chief(address, said)
    real = crew._listening
    errors = [OSError("too many open files")] * 2

    class Failing:
        def accept(self):
            if errors:
                raise errors.pop()
            return real.accept()

        def __getattr__(self, name):
            return getattr(real, name)

    crew._listening = Failing()
    with crew, make_link(address):
        join(crew, 1)
    assert errors == []


def test_what_is_no_address_is_refused_at_once():
    with pytest.raises(ValueError, match="not of the form HOST:PORT"):
        ChiefLink("node1", lambda: None, "w", SETTINGS, wait_seconds=600)
