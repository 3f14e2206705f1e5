"""Failed trials: recorded, reported, and never the best."""

import pytest
from tuning_problem import build_eager, search_small

from mtl_keras import tuning


def test_failed_trials_are_recorded_and_never_best(tmp_path):
    study = search_small(
        tmp_path,
        space={"width": [2, 3, 4, 5], "fails_at": [(2, 4)]},
        tuner="grid",
        max_trials=None,
        objective=["left_accuracy", "parameters"],
    )
    statuses = {trial.values["width"]: trial for trial in study.trials}
    assert [statuses[width].completed for width in (2, 3, 4, 5)] == [
        False,
        True,
        False,
        True,
    ]
    assert statuses[2].reason.startswith("ValueError: no width of 2")
    assert {t.values["width"] for t in study.pareto_front()} <= {3, 5}
    assert study.best.completed


def test_losses_that_are_not_finite_fail_the_trial(tmp_path):
    study = search_small(
        tmp_path,
        build_eager,  # numpy's loss overflows with a warning
        space={"learning_rate": [1e-3, 1e30], "optimizer": "sgd"},
        tuner="grid",
        max_trials=None,
        epochs=2,
    )
    good, bad = study.trials
    assert good.completed and not bad.completed
    assert "NonFinite" in bad.reason
    assert study.best == good


def test_the_first_reason_is_reported_if_all_trials_fail(tmp_path):
    for _ in range(2):
        with pytest.raises(
            tuning.AllTrialsFailedError, match=r"All 2 trials failed.*width of"
        ):
            search_small(
                tmp_path,
                space={"width": [2, 4], "fails_at": [(2, 4)]},
                tuner="grid",
                max_trials=None,
            )


def test_a_line_for_each_trial_is_printed(tmp_path, capsys):
    search_small(
        tmp_path,
        space={"width": [2, 3], "fails_at": [(2,)]},
        tuner="grid",
        max_trials=None,
        verbose=1,
    )
    first, second = capsys.readouterr().out.splitlines()
    assert "trial   0  failed: ValueError: no width of 2" in first
    assert "trial   1  left_accuracy=" in second and "width=3" in second
