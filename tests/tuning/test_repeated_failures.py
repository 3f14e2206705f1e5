"""Equal failures in a row are counted."""

from mtl_keras.tuning.repeated_failures import FAILURE_LIMIT, RepeatedFailures
from mtl_keras.tuning.trial_task import failure


def count(*reasons):
    failures = RepeatedFailures()
    for at, reason in enumerate(reasons):
        record = {"status": "completed"} if reason is None else None
        failures.add(str(at), record or failure(reason, 0.0))
    return failures


def test_equal_failures_in_a_row_reach_the_limit():
    reasons = [f"ValueError: a\ntrace {at}" for at in range(FAILURE_LIMIT)]
    assert count(*reasons).has_reached_limit
    assert not count(*reasons[1:]).has_reached_limit
    error = str(count("E: b", *reasons).error())
    assert "trials 1, 2, 3 failed" in error
    assert "ValueError: a. " in error and "retry_failed=True" in error


def test_other_results_interrupt_the_row():
    assert not count("a", "a", "b", "a").has_reached_limit
    assert not count("a", "a", None, "a").has_reached_limit
