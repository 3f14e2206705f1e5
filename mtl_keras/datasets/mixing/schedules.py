"""Makes the plan of a schedule, and checks its arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real

import numpy as np

from mtl_keras.datasets.arguments import check_count
from mtl_keras.datasets.mixing import plan
from mtl_keras.datasets.mixing.plan import Plan
from mtl_keras.spelling import did_you_mean

# The share of a data set is its number of samples to this power.
EXPONENTS = {"proportional": 1.0, "square_root": 0.5, "uniform": 0.0}
SCHEDULES = ("joint", "alternate", *EXPONENTS, "annealed")

Sizes = Mapping[str, float | None]


def make_plan(
    sizes: Sizes,
    schedule: str = "joint",
    *,
    batch_size: int = 32,
    shares: str | Mapping[str, float] | None = None,
    steps_per_epoch: str | int = "longest",
    anneal_epochs: int | None = None,
) -> Plan:
    """Makes the plan of a schedule, and checks its arguments.

    Args:
        sizes: Dict from the name of a data set to its number of samples:
            infinite if it repeats, `None` if it is unknown.
        schedule: One of `SCHEDULES`. Defaults to `"joint"`.
        batch_size: See `mix`. Defaults to 32.
        shares: See `mix`. Defaults to `None`.
        steps_per_epoch: See `mix`. Defaults to `"longest"`.
        anneal_epochs: See `mix`. Defaults to `None`.

    Returns:
        The `Plan`.

    Raises:
        ValueError: If an argument does not fit.
    """
    if schedule not in SCHEDULES:
        raise ValueError(
            f"`schedule` must name a schedule, found {schedule!r}. "
            f"{did_you_mean(schedule, SCHEDULES)}"
        )
    _check_belongs(schedule, "joint", "shares", shares)
    _check_belongs(schedule, "annealed", "anneal_epochs", anneal_epochs)
    steps = steps_per_epoch
    _check_steps(steps, sizes)
    values = list(sizes.values())
    if schedule == "joint":
        counts = _joint_counts(shares, sizes, batch_size)
        return plan.joint(values, counts, steps)
    if schedule == "alternate":
        return plan.alternate(values, batch_size, steps)
    if schedule != "uniform":
        _check_known(f"schedule={schedule!r}", sizes)
    if schedule == "annealed":
        check_count("anneal_epochs", anneal_epochs)
        return plan.annealed(values, anneal_epochs, batch_size, steps)
    return plan.sampled(values, EXPONENTS[schedule], batch_size, steps)


def _joint_counts(shares, sizes: Sizes, batch_size: int) -> np.ndarray:
    weights = _weights(shares, sizes)
    exact = weights / weights.sum()
    counts = plan.largest_remainder(batch_size, exact)
    if not counts.all():
        name = list(sizes)[int(np.argmin(counts))]
        least = max(len(sizes), math.ceil(1 / exact.min()))
        raise ValueError(
            f"`batch_size={batch_size}` leaves no sample for data set "
            f"{name!r}, whose share of the batch is {exact.min():.3g}; "
            "schedule='joint' needs samples of each in every batch. Pass "
            f"batch_size={least}, larger shares for small data sets, or "
            "another schedule."
        )
    return counts


def _weights(shares, sizes: Sizes) -> np.ndarray:
    if shares is None:
        shares = "uniform"
    if isinstance(shares, str):
        if shares not in EXPONENTS:
            raise ValueError(
                f"`shares` must be a dict or a name, found {shares!r}. "
                f"{did_you_mean(shares, EXPONENTS)}"
            )
        if shares == "uniform":
            return np.ones(len(sizes))
        _check_known(f"shares={shares!r}", sizes)
        return np.array(list(sizes.values())) ** EXPONENTS[shares]
    if not isinstance(shares, Mapping) or set(shares) != set(sizes):
        found = sorted(shares) if isinstance(shares, Mapping) else shares
        raise ValueError(
            f"`shares` must name each data set and no other, found {found!r}, "
            f"expected {sorted(sizes)}."
        )
    for name, share in shares.items():
        if not isinstance(share, Real) or not 0 < share < math.inf:
            raise ValueError(
                f"`shares` must be positive numbers, found {share!r} for "
                f"{name!r}. Leave out a data set whose share is 0."
            )
    return np.array([float(shares[name]) for name in sizes])


def _check_belongs(schedule: str, owner: str, argument: str, value) -> None:
    if value is not None and schedule != owner:
        raise ValueError(
            f"`{argument}` requires schedule={owner!r}, found schedule="
            f"{schedule!r}. Leave it out, or change the schedule."
        )


def _check_steps(steps, sizes: Sizes) -> None:
    if not isinstance(steps, str):
        check_count("steps_per_epoch", steps)
        return
    if steps not in ("longest", "shortest"):
        raise ValueError(
            "`steps_per_epoch` must be 'longest', 'shortest' or a number, "
            f"found {steps!r}. {did_you_mean(steps, ('longest', 'shortest'))}"
        )
    argument = f"steps_per_epoch={steps!r}"
    if steps == "longest":
        _check_known(argument, sizes)
        return
    finite = {n: size for n, size in sizes.items() if size != math.inf}
    _check_known(argument, finite or sizes)


def _check_known(argument: str, sizes: Sizes) -> None:
    for name, size in sizes.items():
        if size is None or size == math.inf:
            found = "is unknown" if size is None else "is infinite"
            raise ValueError(
                f"`{argument}` needs the number of samples of each data set, "
                f"but that of data set {name!r} {found}. Pass "
                "steps_per_epoch=<number of steps> with another schedule, or "
                "declare it: dataset.apply("
                "tf.data.experimental.assert_cardinality(n))."
            )
