"""Weightings on the toy problem of CAGrad and Nash-MTL, with `fit`.

`benchmarks/two_objectives.py` does it for all methods.
"""

import numpy as np
import pytest
from two_objective_problem import descend, is_pareto, objectives

# From here, the sum of the objectives leads into a valley without way out.
HARD_STARTS = [(-8.5, 7.5), (9.0, 9.0)]
OTHER_START = (-8.5, -5.0)
# As its authors do here: decay draws FAMO to equal weights, and into a valley.
FAMO = {"class_name": "famo", "config": {"weight_decay": 0.0}}
STUCK = {HARD_STARTS[0]: (-5.0, 2.5), HARD_STARTS[1]: (5.0, 2.8)}


def start_name(start):
    return "{:g} {:g}".format(*start)


def test_objectives_at_points_known_by_hand():
    # Both are 0 on the axis between the valleys and the bowls.
    np.testing.assert_allclose(objectives(3.0, 0.0), [0, 0])
    # Far above, only the valleys count, and tanh is 1 there.
    np.testing.assert_allclose(
        objectives(1.0, 30.0), [np.log(3) + 6, np.log(2) + 6], rtol=1e-6
    )
    # At the foot of the first bowl, by its formula.
    np.testing.assert_allclose(objectives(7.0, -38.0), [-11, 8.6], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("start", [*HARD_STARTS, OTHER_START], ids=start_name)
@pytest.mark.parametrize(
    "weighting",
    ["mgda", "imtl_g", "nash", FAMO, "aligned"],
    ids=lambda w: w if isinstance(w, str) else w["class_name"],
)
def test_methods_that_reach_the_pareto_set(weighting, start):
    assert is_pareto(*descend(weighting, start)[-1])


@pytest.mark.slow
@pytest.mark.parametrize("start", HARD_STARTS, ids=start_name)
@pytest.mark.parametrize("weighting", [None, "equal", "rlw"])
def test_the_sum_of_losses_is_stuck_at_hard_starts(weighting, start):
    end = descend(weighting, start)[-1]
    np.testing.assert_allclose(end, STUCK[start], atol=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("weighting", [None, "equal", "rlw"])
def test_the_sum_of_losses_reaches_its_optimum_from_elsewhere(weighting):
    end = descend(weighting, OTHER_START)[-1]
    np.testing.assert_allclose(end, [0, -8.36], atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("start", HARD_STARTS, ids=start_name)
def test_pcgrad_needs_twice_the_steps(start):
    _, half_way, end = descend("pcgrad", start, steps=100_000, epochs=2)
    assert not is_pareto(*half_way)
    assert is_pareto(*end)
