"""A search that is killed at any time resumes without loss or repetition."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from factory_harness import mostly_slow
from tuning_problem import search_small

from mtl_keras.tuning import search_run, trial_runner
from mtl_keras.tuning.journal import Journal

# The settings are event 0, and three trials begin and end: events 1 to 6.


class Killed(BaseException):
    """Simulates SIGKILL; the package must not catch it."""


def outcomes(study):
    return [
        (t.number, t.labels, t.status, t.objectives, t.metrics)
        for t in study.trials
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return outcomes(search_small(tmp_path_factory.mktemp("whole")))


@pytest.fixture
def trained(monkeypatch):
    """Returns the seeds of all completed trainings."""
    seeds = []
    fit = trial_runner.fit_model

    def counted(model, part, seed, last, **arguments):
        history = fit(model, part, seed, last, **arguments)
        seeds.append(seed)
        return history

    monkeypatch.setattr(trial_runner, "fit_model", counted)
    return seeds


def kill_at(monkeypatch, event, how):
    """Kills the search while it writes an event."""
    append = Journal.append

    def killed(self, content):
        if len(self.events) != event:
            return append(self, content)
        if how == "before":
            raise Killed
        append(self, content)
        if how == "within":
            size = self.path.stat().st_size
            os.truncate(self.path, size - 10)
        raise Killed

    monkeypatch.setattr(Journal, "append", killed)


@pytest.mark.parametrize(
    ("event", "how"),
    [
        # "After" one is what "before" the next one leaves, but for what is
        # done between: a trial is proposed, or trained.
        pytest.param(0, "after", marks=pytest.mark.slow),
        pytest.param(1, "after", marks=pytest.mark.slow),
        pytest.param(2, "before", marks=pytest.mark.slow),
        pytest.param(2, "after", marks=pytest.mark.slow),
        pytest.param(4, "before", marks=pytest.mark.slow),
        pytest.param(6, "before", marks=pytest.mark.slow),
        pytest.param(6, "after", marks=pytest.mark.slow),
        # What is torn is as if it was not there, see test_journal.py.
        pytest.param(3, "within", marks=pytest.mark.slow),
        (4, "within"),
    ],
)
def test_killed_at_any_event(
    tmp_path, monkeypatch, trained, expected, event, how
):
    with monkeypatch.context() as patched:
        kill_at(patched, event, how)
        with pytest.raises(Killed):
            search_small(tmp_path)
    written = len(Journal(tmp_path / "small").events)
    assert written == event + (how == "after")
    ended = max(0, written - 1) // 2
    before = trained[:ended]
    found = search_small(tmp_path)
    assert outcomes(found) == expected
    # No trial that ended was run again.
    assert all(trained.count(seed) == 1 for seed in before)
    assert len(set(trained)) == 3


@pytest.mark.slow
def test_killed_within_a_training(tmp_path, monkeypatch, expected):
    fit = trial_runner.fit_model
    count = []

    def killed(*arguments, **more):
        count.append(1)
        history = fit(*arguments, **more)
        if len(count) == 2:
            raise Killed
        return history

    with monkeypatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", killed)
        with pytest.raises(Killed):
            search_small(tmp_path)
    assert outcomes(search_small(tmp_path)) == expected


@pytest.mark.parametrize(
    "name",
    mostly_slow(
        ["save_trial_weights", "drop_trial_weights"], ["save_trial_weights"]
    ),
)
def test_killed_while_weights_are_kept(tmp_path, monkeypatch, expected, name):
    def killed(*arguments):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(search_run, name, killed)
        with pytest.raises(Killed):
            search_small(tmp_path)
    study = search_small(tmp_path)
    assert outcomes(study) == expected
    for trial in study.pareto_front():
        study.best_model(trial)


@pytest.mark.slow
def test_killed_between_the_references(tmp_path, monkeypatch, trained):
    arguments = {"objective": "delta_m"}
    whole = search_small(tmp_path, name="whole", **arguments)
    trained.clear()
    with monkeypatch.context() as patched:
        kill_at(patched, 2, "before")
        with pytest.raises(Killed):
            search_small(tmp_path, **arguments)
    found = search_small(tmp_path, **arguments)
    assert found.references == whole.references
    assert outcomes(found) == outcomes(whole)
    # Both references, the second of them twice, and the trials.
    assert len(trained) == 2 + 1 + len(found.trials)


def test_ctrl_c_is_raised_and_the_search_goes_on(
    tmp_path, monkeypatch, expected
):
    def interrupted(*arguments, **more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(trial_runner, "fit_model", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search_small(tmp_path)
    assert outcomes(search_small(tmp_path)) == expected


SEARCH = """
import sys
sys.path.insert(0, sys.argv[1])
from tuning_problem import search_small
search_small(sys.argv[2], max_trials=200, verbose=1)
"""


@pytest.mark.slow
def test_sigkill_during_a_search(tmp_path):
    arguments = [
        sys.executable,
        "-c",
        SEARCH,
        str(Path(__file__).parents[1]),
        str(tmp_path),
    ]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()  # the first trial has ended
            time.sleep(0.1)
        finally:
            os.kill(process.pid, signal.SIGKILL)
    events = Journal(tmp_path / "small").events
    ended = [e["record"] for e in events if e["event"] == "end"]
    assert ended
    study = search_small(tmp_path, max_trials=len(ended) + 2)
    assert [trial.number for trial in study.trials] == list(
        range(len(ended) + 2)
    )
    for trial, record in zip(study.trials, ended, strict=False):
        assert trial.objectives == record["objectives"]
        assert trial.seconds == record["seconds"]
