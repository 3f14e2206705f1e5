"""A search on several hosts: one process proposes, the others train."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mtl_keras.processes.address import resolve_address
from mtl_keras.tuning.chief_link import ChiefLink
from mtl_keras.tuning.oracle_key import make_key, read_key
from mtl_keras.tuning.remote_workers import RemoteWorkers
from mtl_keras.tuning.run_plan import run_plan
from mtl_keras.tuning.search_plan import SearchPlan
from mtl_keras.tuning.study import Study
from mtl_keras.tuning.trial_messages import pack_weights, read_task
from mtl_keras.tuning.trial_report import TrialReport
from mtl_keras.tuning.trial_runner import TrialRunner
from mtl_keras.tuning.trial_task import run_task

WAIT_SECONDS = 600.0


def lead_search(
    plan: SearchPlan,
    folder: Path,
    oracle: str,
    *,
    wait_seconds: float,
    report: TrialReport,
    **restart: bool,
) -> Study:
    """Runs a search whose trials are trained by others.

    Args:
        plan: The search.
        folder: Its folder. Only this process writes into it.
        oracle: `HOST:PORT` to listen at, or a file that contains it.
        wait_seconds: How long to continue without any worker.
        report: Shows what happens.
        **restart: `resume`, `retry_failed` and `overwrite` of `run_plan`.

    Returns:
        A `Study`.

    Raises:
        NoWorkersError: If there was no worker for too long.
        OSError: If the port is in use.
    """
    crew = RemoteWorkers(
        resolve_address(oracle),
        make_key(folder),
        shared_settings(plan),
        lambda: plan.runner.references,
        wait_seconds=wait_seconds,
        say=report.say,
    )

    @contextlib.contextmanager
    def until_all_have_ended(_) -> Iterator[RemoteWorkers]:
        yield crew
        # A chief that was stopped may be started again: they wait for it.
        crew.announce_end()

    with crew:
        return run_plan(
            plan, folder, until_all_have_ended, report=report, **restart
        )


def join_search(
    plan: SearchPlan,
    folder: Path,
    oracle: str,
    *,
    wait_seconds: float,
    say: Callable[[str], None],
) -> int:
    """Trains trials of a search, until it is over.

    Args:
        plan: The search.
        folder: Its folder, where the chief's key is. Nothing is written there.
        oracle: `HOST:PORT` of the chief, or a file that contains it.
        wait_seconds: How long to try to reach the chief.
        say: Takes messages for the user.

    Returns:
        Number of trials that were trained here.

    Raises:
        UnreachableOracleError: If the chief could not be reached.
        ValueError: If the chief has another key or another study.
    """
    link = ChiefLink(
        oracle,
        lambda: read_key(folder),
        f"Worker {socket.gethostname()}:{os.getpid()}",
        shared_settings(plan),
        wait_seconds=wait_seconds,
        say=say,
    )
    with link:
        try:
            return _train(plan.runner, link, say)
        except KeyboardInterrupt:
            if link.error is not None:
                raise link.error from None
            raise


def _train(
    runner: TrialRunner, link: ChiefLink, say: Callable[[str], None]
) -> int:
    count = 0
    for message in link.messages():
        space = runner.hyper_model.space
        task = read_task(message["task"], space.values_from_labels)
        number = int(task.trial_id)
        say(f"trial {number} begins")
        runner.references = message["references"]
        record, weights = run_task(task, runner)
        link.hand_in(record, pack_weights(weights))
        say(f"trial {number} {record['status']}")
        count += 1
    return count


def shared_settings(plan: SearchPlan) -> dict[str, Any]:
    """Settings that a chief and its workers have in common.

    Args:
        plan: The search.
    """
    version = importlib.metadata.version("mtl-keras")
    settings = {**plan.settings, "version of mtl_keras": version}
    return json.loads(json.dumps(settings))  # as they are after a message
