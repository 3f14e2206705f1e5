"""Runs several processes and stops all of them when one fails."""

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
    """A process to start.

    Args:
        name: Name in messages.
        command: The command and its arguments.
        environment: All environment variables.
        log: File for the output, which must not exist.
        shown: Whether to show the output in the terminal too. Defaults to
            `False`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    shown: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a group of processes.

    Args:
        lost: Name of the worker that failed first, or `None`.
        reason: Description of its end, such as `"killed by SIGKILL"`.
        codes: Dict from name to return code, negative for a signal.
        interrupted: Whether the user interrupted the group. Defaults to
            `False`.
    """

    lost: str | None
    reason: str
    codes: dict[str, int]
    interrupted: bool = False


def run_workers(
    workers: Sequence[Worker],
    *,
    grace_seconds: float = 30.0,
    print_fn: Callable[[str], None] = print,
) -> Outcome:
    """Starts processes and waits until all have ended.

    When a process fails or is killed, the others have some time to end by
    themselves; then they are terminated. An interruption (Ctrl-C) is passed on
    to all processes. No process outlives this call.

    Args:
        workers: The processes.
        grace_seconds: Seconds that the other processes have after a failure.
            Defaults to 30.
        print_fn: Function that prints messages. Defaults to `print`.

    Returns:
        An `Outcome`.

    Raises:
        FileExistsError: If a log file exists.
    """
    started = {}
    with interrupt_on_sigterm(), contextlib.ExitStack() as open_files:
        try:
            for worker in workers:
                started[worker.name] = _start(worker, open_files)
            return _watch(started, grace_seconds, print_fn)
        except KeyboardInterrupt:
            return _interrupt(started, grace_seconds, print_fn)
        finally:
            _end(started.values(), 0.0)


def describe_exit_code(code: int) -> str:
    """Describes how a process ended.

    Args:
        code: The return code, negative for a signal.
    """
    if code >= 0:
        return f"ended with exit code {code}"
    return f"killed by {signal.Signals(-code).name}"


def _start(worker: Worker, open_files: contextlib.ExitStack):
    worker.log.parent.mkdir(parents=True, exist_ok=True)
    opened = open(worker.log, "xb", buffering=0)  # noqa: SIM115
    log = output = open_files.enter_context(opened)
    if worker.shown:
        source, output = _open_output()
    process = subprocess.Popen(
        list(worker.command),
        env=dict(worker.environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # The terminal signals only this process, which forwards the signal.
        start_new_session=True,
    )
    if worker.shown:
        os.close(output)
        copying = threading.Thread(
            target=_copy_output, args=(source, log), daemon=True
        )
        copying.start()
        # Print the last output before the message about the end.
        open_files.callback(copying.join, timeout=5.0)
    return process


def _open_output() -> tuple[int, int]:
    """Opens a pipe for output, or a pseudoterminal if stdout is a terminal.

    Progress bars check for a terminal.

    Returns:
        File descriptors to read from and to write to.
    """
    if not sys.stdout.isatty():
        return os.pipe()
    ours, theirs = pty.openpty()
    size = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    return ours, theirs


def _copy_output(source: int, log) -> None:
    """Copies the output of a process to a file and to the terminal."""
    terminal = getattr(sys.stdout, "buffer", None)
    # A closed pseudoterminal raises an error instead of end of file.
    with contextlib.suppress(OSError):
        while chunk := os.read(source, 65536):
            log.write(chunk)
            if terminal is None:  # a replaced stdout that accepts only text
                sys.stdout.write(chunk.decode(errors="replace"))
            else:
                terminal.write(chunk)
            sys.stdout.flush()
    os.close(source)


def _watch(started: dict, grace_seconds: float, print_fn: Callable) -> Outcome:
    while True:
        codes = {name: each.poll() for name, each in started.items()}
        lost = next((name for name, code in codes.items() if code), None)
        if lost is not None:
            break
        if all(code == 0 for code in codes.values()):
            return Outcome(None, "", codes)
        time.sleep(_POLL_SECONDS)
    reason = describe_exit_code(codes[lost])
    running = [name for name, code in codes.items() if code is None]
    if running:
        print_fn(
            f"{lost} was lost ({reason}). Waiting up to {grace_seconds:g} s "
            f"for {', '.join(running)} to end."
        )
    _end(started.values(), grace_seconds)
    return Outcome(lost, reason, _codes(started))


def _interrupt(started, grace_seconds, print_fn) -> Outcome:
    print_fn("Interrupted: waiting for the workers to end.")
    for process in started.values():
        _signal(process, signal.SIGINT)
    # A second Ctrl-C terminates them immediately.
    with contextlib.suppress(KeyboardInterrupt):
        _wait(started.values(), grace_seconds)
    _end(started.values(), 0.0)
    return Outcome(None, "interrupted", _codes(started), interrupted=True)


def _codes(started: dict) -> dict[str, int]:
    return {name: process.returncode for name, process in started.items()}


def _end(processes, grace_seconds: float) -> None:
    """Waits for processes, then terminates them, then kills them."""
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
    """Signals a process group, which may have ended already."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@contextlib.contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Handles SIGTERM, which schedulers send, like Ctrl-C within a block."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread, which receives signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
