"""Tests synthetic regression: the formula and the correlation."""

import math

import numpy as np
import pytest

from mtl_keras.datasets import synthetic_regression

CORRELATIONS = (0.0, 0.3, 0.6, 0.9, 1.0)


def by_loop(x, weight, frequencies, phases):
    """Returns the formula, one sample and one term at a time."""
    found = []
    for sample in x:
        z = sum(a * b for a, b in zip(weight, sample, strict=True))
        terms = zip(frequencies, phases, strict=True)
        found.append(z + sum(math.sin(a * z + b) for a, b in terms))
    return found


def test_targets_follow_the_formula():
    (x, y), (x_test, y_test) = synthetic_regression.load_data(
        0.6, num_train=20, num_test=5, num_inputs=4, num_sines=3, noise=0
    )
    # What the seed draws, drawn again; the directions by Gram and Schmidt.
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 2)).T
    u = a / np.linalg.norm(a)
    v = b - (b @ u) * u
    v /= np.linalg.norm(v)
    frequencies, phases = rng.normal(size=(2, 3))

    def mismatch(sign_u, sign_v):
        weights = (sign_u * u, 0.6 * sign_u * u + 0.8 * sign_v * v)
        return max(
            np.abs(by_loop(x, w, frequencies, phases) - y[name]).max()
            for (x, y) in ((x, y), (x_test, y_test))
            for w, name in zip(weights, ("first", "second"), strict=True)
        )

    # Which way the directions point is the solver's choice.
    assert min(mismatch(s, t) for s in (1, -1) for t in (1, -1)) < 1e-5


def test_the_correlation_of_the_targets_increases():
    found = []
    for correlation in CORRELATIONS:
        (_, y), _ = synthetic_regression.load_data(correlation, noise=0)
        found.append(np.corrcoef(y["first"], y["second"])[0, 1])
    assert (np.diff(found) > 0.05).all()
    assert abs(found[0]) < 0.05
    assert found[-1] == pytest.approx(1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_sines_the_targets_have_the_correlation(seed):
    (x, y), _ = synthetic_regression.load_data(
        0.7, scale=1e-3, noise=0, seed=seed, num_inputs=10
    )
    # Of small numbers the sines are lines, so the targets are linear in x.
    weights = np.linalg.lstsq(
        np.column_stack([x, np.ones(len(x))]),
        np.stack([y["first"], y["second"]], axis=1),
    )[0][:-1].T
    first, second = weights
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert cosine == pytest.approx(0.7, abs=1e-2)


def test_seeds_pair_correlations():
    def load(correlation, seed=3):
        return synthetic_regression.load_data(correlation, seed=seed)

    (x, y), (x_test, y_test) = load(0.2)
    (again, other), (again_test, other_test) = load(0.8)
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(x_test, again_test)
    np.testing.assert_array_equal(y["first"], other["first"])
    np.testing.assert_array_equal(y_test["first"], other_test["first"])
    assert not np.array_equal(y["second"], other["second"])
    assert not np.array_equal(x, load(0.2, seed=4)[0][0])
    assert not np.array_equal(x[:2000], x_test)


def test_noise_has_the_given_deviation():
    (_, clean), _ = synthetic_regression.load_data(noise=0)
    (_, noisy), _ = synthetic_regression.load_data(noise=0.5)
    for name in clean:
        assert np.std(noisy[name] - clean[name]) == pytest.approx(0.5, rel=0.05)


def test_shapes_dtypes_and_tasks():
    train, test = synthetic_regression.load_data(
        num_train=7, num_test=3, num_inputs=5
    )
    names = [task.name for task in synthetic_regression.tasks()]
    for (x, y), count in ((train, 7), (test, 3)):
        assert x.shape == (count, 5)
        assert list(y) == names
        arrays = [x, *y.values()]
        assert {array.dtype for array in arrays} == {np.dtype("float32")}
        assert {len(array) for array in arrays} == {count}


@pytest.mark.parametrize(
    "arguments",
    [
        {"correlation": 1.1},
        {"correlation": float("nan")},
        {"num_train": 0},
        {"num_test": 2.5},
        {"num_inputs": 1},
        {"num_sines": 0},
        {"scale": 0},
        {"noise": -1},
        {"seed": None},
    ],
)
def test_arguments_are_checked(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"`{name}`"):
        synthetic_regression.load_data(**arguments)
