"""A search continues only with the data and code that it began with."""

import json

import keras
import numpy as np
import pytest
from tuning_problem import build_eager, build_in_numpy, samples, search_small

from mtl_keras import tuning
from mtl_keras.tuning.journal import Journal
from mtl_keras.tuning.search_history import read_history
from mtl_keras.tuning.trial_runner import TrialRunner

X, Y = samples()
GRID = {"tuner": "grid", "max_trials": None}


class Failing(keras.callbacks.Callback):
    """Fails trials by their width."""

    def __init__(self, *widths):
        super().__init__()
        self.widths = list(widths)

    def on_train_begin(self, logs=None):
        width = self.model.layers[1].units
        if width in self.widths:
            raise RuntimeError(f"width {width}")


def outcomes(study):
    return [(t.number, t.labels, t.status, t.metrics) for t in study.trials]


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"train": (X * 0, Y)}, "training inputs"),
        ({"train": (X, {**Y, "left": Y["right"]})}, "training targets 'left'"),
        ({"validation": samples(40, seed=1)}, "validation inputs"),
    ],
)
def test_changed_data_are_refused_unless_overwritten(tmp_path, other, name):
    search_small(tmp_path, max_trials=1)
    for arguments in (other, {**other, "retry_failed": True}):
        with pytest.raises(ValueError, match=f"differ: {name}.*overwrite=True"):
            search_small(tmp_path, **arguments)
    study = search_small(tmp_path, **other, overwrite=True, max_trials=2)
    expected = search_small(tmp_path, **other, max_trials=2, name="new")
    assert outcomes(study) == outcomes(expected)


def test_overwriting_starts_from_nothing(tmp_path):
    search_small(tmp_path, max_trials=3, objective=["left_loss", "right_loss"])
    study = search_small(tmp_path, max_trials=1, overwrite=True)
    assert len(study.trials) == 1
    assert len(Journal(study.folder).events) == 3
    files = [path.name for path in (study.folder / "tensorboard").iterdir()]
    assert files == ["0000"]
    assert len(list(study.folder.rglob("*.npz"))) == 1


def test_changed_callbacks_are_refused_unless_failed_trials_are_retried(
    tmp_path,
):
    space = {"width": [2, 3, 4]}
    arguments = {**GRID, "space": space}
    first = search_small(tmp_path, **arguments, callbacks=Failing(2, 4))
    assert [trial.completed for trial in first.trials] == [False, True, False]
    with pytest.raises(
        ValueError, match=r"these differ: callbacks \(they were .*retry_failed"
    ):
        search_small(tmp_path, **arguments)
    study = search_small(tmp_path, **arguments, retry_failed=True)
    expected = search_small(tmp_path, **arguments, name="undisturbed")
    found = sorted(outcomes(study))
    assert [each[0] for each in found] == [0, 1, 2]
    assert found == sorted(outcomes(expected))
    (event,) = (
        event
        for event in Journal(study.folder).events
        if event["event"] == "retry"
    )
    assert list(map(int, event["trials"])) == [0, 2]
    assert "Failing" in event["changes"][0]
    # The change is accepted from now on.
    again = search_small(tmp_path, **arguments)
    assert outcomes(again) == outcomes(study)


def test_a_changed_factory_is_refused_unless_failed_trials_are_retried(
    tmp_path,
):
    space = {"width": [2, 3], "fails_at": [(2,)]}
    arguments = {**GRID, "space": space}
    search_small(tmp_path, build_in_numpy, **arguments)

    def build_in_numpy_again(width, fails_at=()):
        return build_in_numpy(width)

    build_in_numpy_again.__name__ = "build_in_numpy"
    with pytest.raises(ValueError, match=r"differ: factory \(source\)"):
        search_small(tmp_path, build_in_numpy_again, **arguments)
    study = search_small(
        tmp_path, build_in_numpy_again, **arguments, retry_failed=True
    )
    assert [trial.completed for trial in study.trials] == [True, True]


def test_until_a_trial_completes_anything_may_change(tmp_path, capsys):
    fails = {"width": [2, 4], "fails_at": [(2, 4)]}
    with pytest.raises(tuning.AllTrialsFailedError, match="retry_failed=True"):
        search_small(tmp_path, space=fails, **GRID)
    study = search_small(
        tmp_path,
        build_eager,
        {"width": [3, 5]},
        **GRID,
        train=samples(32),
        callbacks=keras.callbacks.TerminateOnNaN(),
        verbose=1,
    )
    assert "so it starts over" in capsys.readouterr().out
    assert [trial.completed for trial in study.trials] == [True, True]


@pytest.mark.parametrize("tuner", ["random", "bayesian", "grid"])
def test_failed_trials_are_run_again_from_their_seeds(
    tmp_path, monkeypatch, tuner
):
    arguments = {
        "space": {"width": [2, 3, 4, 5, 6, 7, 8, 9], "learning_rate": 0.1},
        "tuner": tuner,
        "max_trials": 7,
    }
    expected = search_small(tmp_path, **arguments, name="undisturbed")
    run = TrialRunner.run

    def fail_twice(self, number, *rest):
        if number in (1, 4):
            raise RuntimeError("disk full")
        return run(self, number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(TrialRunner, "run", fail_twice)
        study = search_small(tmp_path, **arguments)
    assert [t.number for t in study.trials if not t.completed] == [1, 4]
    study = search_small(tmp_path, **arguments, retry_failed=True)
    assert len(study.completed) == 7
    found = {t.number: t for t in study.trials}
    for trial in expected.trials:
        if found[trial.number].labels == trial.labels:
            assert found[trial.number].metrics == trial.metrics
    assert found[1].labels == expected.trials[1].labels
    again = search_small(tmp_path, **arguments)
    assert outcomes(again) == outcomes(study)
    more = search_small(tmp_path, **{**arguments, "max_trials": 8})
    assert len(more.completed) == 8


def test_hyperband_restores_trials_that_were_run_again(tmp_path, monkeypatch):
    arguments = {
        "space": {"learning_rate": (1e-2, 1.0)},
        "tuner": "hyperband",
        "max_trials": None,
        "epochs": 3,
    }
    run = TrialRunner.run

    def fail_once(self, number, *rest):
        if number == 1:
            raise RuntimeError("disk full")
        return run(self, number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(TrialRunner, "run", fail_once)
        first = search_small(tmp_path, **arguments)
    study = search_small(tmp_path, **arguments, retry_failed=True)
    assert len(first.completed) == len(first.trials) - 1
    assert len(study.completed) == len(study.trials)
    assert outcomes(search_small(tmp_path, **arguments)) == outcomes(study)


class Killed(BaseException):
    """Simulates SIGKILL."""


@pytest.mark.parametrize("event", [7, 8, 9])
def test_a_retry_survives_kills(tmp_path, monkeypatch, event):
    arguments = {**GRID, "space": {"width": [2, 3, 4]}}
    search_small(tmp_path, **arguments, callbacks=Failing(2, 4))
    assert len(Journal(tmp_path / "small").events) == 7
    append = Journal.append

    def kill(self, content):
        if len(self.events) == event:
            raise Killed
        append(self, content)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", kill)
        with pytest.raises(Killed):
            search_small(tmp_path, **arguments, retry_failed=True)
    study = search_small(tmp_path, **arguments, retry_failed=event == 7)
    expected = search_small(tmp_path, **arguments, name="undisturbed")
    assert sorted(outcomes(study)) == sorted(outcomes(expected))


def test_equal_failures_in_a_row_stop_the_search(tmp_path):
    def build_small(width):
        if width > 3:
            raise RuntimeError("too little memory")
        return build_in_numpy(width)

    arguments = {**GRID, "space": {"width": [3, 4, 5, 6, 7, 8]}}
    with pytest.raises(
        tuning.RepeatedFailuresError, match="trials 1, 2, 3 failed"
    ):
        search_small(tmp_path, build_small, **arguments)
    events = Journal(tmp_path / "small").events
    assert [e["event"] for e in events] == ["study"] + ["begin", "end"] * 4
    assert (tmp_path / "small" / "trials.csv").is_file()
    # The same call continues with the next trial.
    study = search_small(tmp_path, build_small, **arguments)
    assert len(study.trials) == 6 and len(study.completed) == 1


def test_a_journal_of_an_earlier_version_is_refused(tmp_path):
    study = search_small(tmp_path, max_trials=1)
    path = study.folder / "journal.jsonl"
    first, *others = path.read_text().splitlines()
    event = json.loads(first)
    del event["fingerprint"]
    path.write_text("\n".join([json.dumps(event), *others, ""]))
    with pytest.raises(ValueError, match=r"earlier version.*overwrite=True"):
        search_small(tmp_path)
    assert len(search_small(tmp_path, overwrite=True).trials) == 3


def test_the_history_of_a_journal_is_read():
    def end(trial, status):
        return {"event": "end", "trial": trial, "record": {"status": status}}

    events = [
        {"event": "study", "settings": {"seed": 0}, "fingerprint": {"a": 1}},
        {"event": "begin", "trial": "0"},
        end("0", "failed"),
        end("1", "completed"),
        {"event": "retry", "trials": ["0"], "fingerprint": {"a": 2}},
        end("2", "failed"),
    ]
    found = read_history(events)
    assert found.fingerprint == {"a": 2} and found.completed == 1
    assert found.failed == ("2",)
    assert read_history(events[:3]).failed == ("0",)


def test_fingerprints_are_values_of_json(tmp_path):
    callback = keras.callbacks.EarlyStopping(
        "left_accuracy", mode="max", baseline=-np.inf
    )
    study = search_small(tmp_path, max_trials=1, callbacks=callback)
    assert search_small(tmp_path, max_trials=1, callbacks=callback).trials
    text = (study.folder / "journal.jsonl").read_text().splitlines()[0]
    assert json.loads(text)["fingerprint"]["factory"]["name"] == (
        "build_in_numpy"
    )
