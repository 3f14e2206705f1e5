"""Groups of processes, with real processes and real signals."""

import os
import pty
import signal
import sys
import threading
import time

import pytest

from mtl_keras.processes import Worker, run_workers

SLEEP = "import time; time.sleep(60)"


def worker(tmp_path, name, code, shown=False, **environment):
    return Worker(
        name,
        [sys.executable, "-u", "-c", code],
        {**os.environ, **environment},
        tmp_path / "logs" / f"{name}.log",
        shown,
    )


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_end_and_their_output_is_kept(tmp_path, capfd):
    group = [
        worker(tmp_path, f"worker-{i}", f"print('this is {i}')", shown=i == 0)
        for i in range(3)
    ]
    outcome = run_workers(group)
    assert outcome.lost is None
    assert set(outcome.codes.values()) == {0}
    for i in range(3):
        assert group[i].log.read_text() == f"this is {i}\n"
    assert capfd.readouterr().out == "this is 0\n"


def test_a_worker_on_a_terminal_sees_one(tmp_path, monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        code = "import sys; print(sys.stdout.isatty())"
        group = [worker(tmp_path, "a", code, shown=True)]
        assert run_workers(group).lost is None
        monkeypatch.undo()
        assert os.read(ours, 100).split() == [b"True"]
    os.close(ours)
    assert group[0].log.read_text().strip() == "True"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    ],
)
def test_when_one_is_lost_the_others_end(tmp_path, code, reason):
    group = [worker(tmp_path, "a", SLEEP), worker(tmp_path, "b", code)]
    said = []
    outcome = run_workers(group, grace_seconds=0.3, print_fn=said.append)
    assert (outcome.lost, outcome.reason) == ("b", reason)
    assert outcome.codes["a"] == -signal.SIGTERM
    assert "b was lost" in said[0] and "a to end" in said[0]


def test_the_others_may_end_by_themselves(tmp_path):
    group = [
        worker(tmp_path, "a", "import time; time.sleep(1); print('bye')"),
        worker(tmp_path, "b", "raise SystemExit(1)"),
    ]
    outcome = run_workers(group, grace_seconds=30, print_fn=lambda text: None)
    assert outcome.codes == {"a": 0, "b": 1}
    assert group[0].log.read_text() == "bye\n"


def test_one_that_refuses_to_end_is_killed_with_its_children(tmp_path):
    stubborn = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time;"
        "time.sleep(60)'])\n"
        "print(child.pid)\n"
        "time.sleep(60)\n"
    )
    group = [
        worker(tmp_path, "a", stubborn),
        worker(tmp_path, "b", "import time; time.sleep(2); raise ValueError"),
    ]
    outcome = run_workers(group, grace_seconds=0, print_fn=lambda text: None)
    assert outcome.codes["a"] == -signal.SIGKILL
    child = int(group[0].log.read_text())
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_is_handed_on(number, tmp_path, default_interruption):
    polite = (
        "import time\n"
        "print('ready')\n"
        "try:\n    time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('saved')\n"
    )
    group = [worker(tmp_path, name, polite) for name in "ab"]

    def interrupt():
        while not all(
            each.log.exists() and each.log.read_text() for each in group
        ):
            time.sleep(0.05)
        os.kill(os.getpid(), number)

    threading.Thread(target=interrupt, daemon=True).start()
    outcome = run_workers(group, print_fn=lambda text: None)
    assert outcome.interrupted and outcome.lost is None
    assert [each.log.read_text() for each in group] == ["ready\nsaved\n"] * 2


def test_a_log_is_not_overwritten(tmp_path):
    group = [worker(tmp_path, "a", "print(1)")]
    run_workers(group)
    with pytest.raises(FileExistsError):
        run_workers(group)
