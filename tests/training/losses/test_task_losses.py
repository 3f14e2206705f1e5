"""Epoch losses against plain sums over all labels."""

import contextlib

import keras
import pytest
from factory_harness import build_small, mostly_slow, random_data

FACTORY = {"name": "build_mlp", "l2": 0.01}


def logs_of(model, data):
    """Returns the losses of two epochs and of an evaluation."""
    how = {"batch_size": 4, "verbose": 0}
    logs = model.fit(
        *data, epochs=2, shuffle=False, validation_data=data, **how
    ).history
    evaluated = model.evaluate(*data, return_dict=True, **how)
    logs |= {f"evaluated_{name}": value for name, value in evaluated.items()}
    return {name: logs[name] for name in logs if name.endswith("loss")}


@pytest.mark.parametrize("replicas", mostly_slow([1, 2], [1]))
def test_losses_of_missing_labels_are_means_over_labels(
    replicas, two_replicas, rng
):
    """However they lie in batches and on replicas."""
    scope = two_replicas.scope() if replicas > 1 else contextlib.nullcontext()
    with scope:
        model = build_small(**FACTORY)
        model.compile(keras.optimizers.SGD(0.0))
    x, y = random_data(model, 9, rng)
    first, _ = (task.name for task in model.tasks)
    y[first][[0, 1, 2, 5]] = -1
    labelled = y[first] >= 0
    expected = model.evaluate(
        x[labelled],
        {name: values[labelled] for name, values in y.items()},
        return_dict=True,
        verbose=0,
    )
    logs = logs_of(model, (x, y))
    for name in (f"{first}_loss", f"val_{first}_loss"):
        assert logs[name][0] == pytest.approx(
            expected[f"{first}_loss"], rel=1e-5
        )
