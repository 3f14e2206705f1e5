"""Runs several processes as one, and ends all when one is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_POLL_SECONDS = 0.1


@dataclasses.dataclass(frozen=True)
class Worker:
    """A process to be started.

    Args:
        name: What messages call it.
        command: The command and its arguments.
        environment: All its environment variables.
        log: File that takes its output, which must not exist yet.
        shown: Whether the output goes to the terminal as well.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    shown: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a group of processes ended.

    Args:
        lost: Name of the worker that failed first, or `None`.
        reason: How it ended, in words, such as `"killed by SIGKILL"`.
        codes: Dict from name to return code; negative for a signal.
        interrupted: Whether the user ended them.
    """

    lost: str | None
    reason: str
    codes: dict[str, int]
    interrupted: bool = False


def run_workers(
    workers: Sequence[Worker],
    *,
    grace_seconds: float = 30.0,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Starts processes, and waits until all have ended.

    When one fails or is killed, the others have some time to find out and to
    end by themselves; then they are ended. An interruption (Ctrl-C) is handed
    on to all of them. None outlives this call.

    Args:
        workers: The processes.
        grace_seconds: How long the others may go on, in seconds, once one is
            lost. Defaults to 30.
        say: Takes messages for the user.

    Returns:
        An `Outcome`.

    Raises:
        FileExistsError: If a log is there already.
    """
    started = {}
    with ended_on_terminate(), contextlib.ExitStack() as open_files:
        try:
            for worker in workers:
                started[worker.name] = _start(worker, open_files)
            return _watch(started, grace_seconds, say)
        except KeyboardInterrupt:
            return _hand_on_interruption(started, grace_seconds, say)
        finally:
            _end(started.values(), 0.0)


def describe_code(code: int) -> str:
    """Says how a process ended.

    Args:
        code: Its return code, negative for a signal.
    """
    if code >= 0:
        return f"ended with exit code {code}"
    return f"killed by {signal.Signals(-code).name}"


def _start(worker: Worker, open_files: contextlib.ExitStack):
    worker.log.parent.mkdir(parents=True, exist_ok=True)
    opened = open(worker.log, "xb", buffering=0)  # noqa: SIM115
    log = output = open_files.enter_context(opened)
    if worker.shown:
        source, output = _connect()
    process = subprocess.Popen(
        list(worker.command),
        env=dict(worker.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Signals of the terminal come to us alone: we hand them on once.
        start_new_session=True,
    )
    if worker.shown:
        os.close(output)
        copying = threading.Thread(
            target=_copy, args=(source, log), daemon=True
        )
        copying.start()
        # The last words come before what is said of the end.
        open_files.callback(copying.join, timeout=5.0)
    return process


def _connect() -> tuple[int, int]:
    """Makes a way for output, which is a terminal where ours is one.

    Progress bars ask for that.

    Returns:
        File descriptors to read from and to write to.
    """
    if not sys.stdout.isatty():
        return os.pipe()
    ours, theirs = pty.openpty()
    size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return ours, theirs


def _copy(source: int, log) -> None:
    """Copies what a process says to a file and to the terminal."""
    terminal = getattr(sys.stdout, "buffer", None)
    # A terminal whose other end was closed gives an error, not an end.
    with contextlib.suppress(OSError):
        while chunk := os.read(source, 65536):
            log.write(chunk)
            if terminal is None:  # a stand-in that takes text alone
                sys.stdout.write(chunk.decode(errors="replace"))
            else:
                terminal.write(chunk)
            sys.stdout.flush()
    os.close(source)


def _watch(started: dict, grace_seconds: float, say: Callable) -> Outcome:
    while True:
        codes = {name: each.poll() for name, each in started.items()}
        lost = next((name for name, code in codes.items() if code), None)
        if lost is not None:
            break
        if all(code == 0 for code in codes.values()):
            return Outcome(None, "", codes)
        time.sleep(_POLL_SECONDS)
    reason = describe_code(codes[lost])
    running = [name for name, code in codes.items() if code is None]
    if running:
        say(
            f"{lost} was lost ({reason}). Waiting up to {grace_seconds:g} s "
            f"for {', '.join(running)} to end."
        )
    _end(started.values(), grace_seconds)
    return Outcome(lost, reason, _codes(started))


def _hand_on_interruption(started, grace_seconds, say) -> Outcome:
    say("Interrupted: waiting for the workers to end.")
    for process in started.values():
        _signal(process, signal.SIGINT)
    # A second Ctrl-C ends them at once.
    with contextlib.suppress(KeyboardInterrupt):
        _wait(started.values(), grace_seconds)
    _end(started.values(), 0.0)
    return Outcome(None, "interrupted", _codes(started), interrupted=True)


def _codes(started: dict) -> dict[str, int]:
    return {name: process.returncode for name, process in started.items()}


def _end(processes, grace_seconds: float) -> None:
    """Waits for processes, then asks them to end, then kills them."""
    _wait(processes, grace_seconds)
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        running = [each for each in processes if each.poll() is None]
        for process in running:
            _signal(process, number)
        _wait(running, patience)


def _wait(processes, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if all(process.poll() is not None for process in processes):
            return
        time.sleep(_POLL_SECONDS)


def _signal(process, number: int) -> None:
    """Signals a process and what it started; it may have ended meanwhile."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@contextlib.contextmanager
def ended_on_terminate() -> Iterator[None]:
    """Takes SIGTERM, which a scheduler sends, for an interruption (Ctrl-C)."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # only the main thread is signalled
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
