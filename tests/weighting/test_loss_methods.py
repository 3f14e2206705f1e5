"""Loss methods against numpy, and special properties of each."""

import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow
from numpy_weightings import REFERENCES
from weighting_harness import TASKS, make, take_step

from mtl_keras.weighting import (
    DWA,
    FAMO,
    RLW,
    STCH,
    UWSO,
    Importance,
    Uncertainty,
)


def check_against(weighting, reference, epochs):
    """Compares a method with its reference over steps and epochs."""
    for epoch in epochs:
        for losses in epoch:
            after = losses * np.linspace(0.3, 1.2, len(losses))
            loss, weights = take_step(weighting, losses, after)
            expected_loss, expected = reference.step(losses)
            np.testing.assert_allclose(weights, expected, 2e-4, 1e-30)
            np.testing.assert_allclose(loss, expected_loss, rtol=2e-4)
            reference.after(after)
        weighting.on_epoch_end(epoch.mean(axis=0))
        reference.epoch(epoch.mean(axis=0))


def draw_losses(rng, num_tasks, epochs=6, steps=2):
    """Draws losses from 0.1 to 10."""
    return np.exp(rng.uniform(-2.3, 2.3, size=(epochs, steps, num_tasks)))


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_method_is_the_numpy_version(name, rng):
    reference = REFERENCES[name](len(TASKS))
    check_against(make(name), reference, draw_losses(rng, len(TASKS)))


@pytest.mark.parametrize("num_tasks", mostly_slow([1, 2, 8], [8]))
@pytest.mark.parametrize("name", sorted(set(REFERENCES) - {"importance"}))
def test_any_number_of_tasks(name, num_tasks, rng):
    tasks = [f"task_{i}" for i in range(num_tasks)]
    epochs = draw_losses(rng, num_tasks, steps=1)
    check_against(make(name, tasks), REFERENCES[name](num_tasks), epochs)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("uw_so", {"temperature": 7.5}),
        ("dwa", {"temperature": 0.5}),
        ("stch", {"mu": 0.3, "warmup_epochs": 2}),
        ("stch", {"mu": 3.0, "warmup_epochs": 1}),
    ],
)
def test_arguments_are_those_of_the_formula(name, arguments, rng):
    reference = REFERENCES[name](len(TASKS))
    vars(reference).update(arguments)
    epochs = draw_losses(rng, len(TASKS), steps=1)
    check_against(make(name, **arguments), reference, epochs)


def test_famo_arguments(rng):
    reference = REFERENCES["famo"](len(TASKS))
    reference.rate, reference.decay = 0.2, 0.1
    weighting = make("famo", learning_rate=0.2, weight_decay=0.1)
    check_against(weighting, reference, draw_losses(rng, len(TASKS)))


# Uncertainty


def test_uncertainty_has_no_factor_for_classification(rng):
    reference = REFERENCES["uncertainty"](len(TASKS))
    reference.factor = np.array([0.5, 1.0, 0.5])
    weighting = make("uncertainty", classification=["middle"])
    check_against(weighting, reference, draw_losses(rng, len(TASKS)))


@pytest.mark.parametrize("classification", [[], TASKS])
def test_uncertainty_converges_to_inverse_losses(classification):
    weighting = make("uncertainty", classification=classification)
    losses = tf.constant([0.5, 1.0, 4.0])
    step = tf.function(take_step)
    for _ in range(200):
        _, weights = step(weighting, losses)
    np.testing.assert_allclose(weights, 1 / (2 * losses), rtol=1e-3)


def test_imtl_l_converges_to_scaled_losses_of_one():
    weighting = make("imtl_l")
    losses = tf.constant([0.5, 1.0, 4.0])
    step = tf.function(take_step)
    for _ in range(200):
        _, weights = step(weighting, losses)
    np.testing.assert_allclose(weights * losses, 1.0, rtol=1e-3)


@pytest.mark.parametrize("name", ["uncertainty", "imtl_l"])
def test_an_absent_task_moves_no_variable(name):
    weighting = make(name)
    take_step(weighting, np.array([2.0, 0.0, 3.0]))
    (variable,) = weighting.trainable_variables
    assert variable.numpy()[1] == 0
    assert variable.numpy()[[0, 2]].all()


# Absent tasks


@pytest.mark.parametrize("name", ["uw_so", "gls", "stch", "famo"])
def test_weights_are_those_of_the_tasks_that_are_present(name):
    losses = np.array([0.7, 2.0], "float32")
    _, expected = take_step(make(name, ["left", "right"]), losses)
    with_gap = np.array([0.7, 0.0, 2.0], "float32")
    _, found = take_step(make(name), with_gap)
    np.testing.assert_allclose(found, [expected[0], 0, expected[1]], rtol=1e-6)


@pytest.mark.parametrize("name", ["equal", "dwa", "rlw", "importance"])
def test_weights_do_not_depend_on_present_tasks(name):
    one, two = make(name), make(name)
    for mean in (np.ones(3), np.array([0.5, 0.9, 0.7])):
        one.on_epoch_end(mean)
        two.on_epoch_end(mean)
    _, expected = take_step(one, np.ones(3))
    _, found = take_step(two, np.array([1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(found, expected * np.array([1, 0, 1]))


# Properties


@pytest.mark.parametrize("seed", range(5))
def test_dwa_sums_to_the_number_of_tasks(seed):
    rng = np.random.default_rng(seed)
    weighting = make("dwa")
    for losses in np.exp(rng.normal(size=(4, 3))):
        _, weights = take_step(weighting, losses)
        assert float(tf.reduce_sum(weights)) == pytest.approx(3, rel=1e-5)
        weighting.on_epoch_end(losses)


def test_dwa_skips_an_epoch_without_labels():
    weighting = make("dwa")
    for mean in ([4.0, 4.0, 4.0], [2.0, 0.0, 2.0], [2.0, 2.0, 2.0]):
        weighting.on_epoch_end(np.array(mean, "float32"))
    _, weights = take_step(weighting, np.ones(3))
    ratios = np.exp(np.array([1.0, 0.5, 1.0]) / 2)
    np.testing.assert_allclose(weights, 3 * ratios / ratios.sum(), rtol=1e-5)


def test_rlw_draws_from_a_normal_distribution():
    weighting = make("rlw")
    step = tf.function(take_step)
    draws = np.array([step(weighting, tf.ones(3))[1] for _ in range(1000)])
    np.testing.assert_allclose(draws.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(draws.mean(axis=0), 1 / 3, atol=0.03)
    # Log weights differ by the difference of two standard normal draws.
    differences = np.log(draws[:, 0] / draws[:, 1])
    assert differences.std() == pytest.approx(np.sqrt(2), rel=0.1)
    assert len(np.unique(draws[:, 0])) > 990


def test_rlw_repeats_by_seed_and_step():
    def draws(seed):
        weighting = make("rlw", seed=seed)
        return [take_step(weighting, np.ones(3))[1].numpy() for _ in range(3)]

    np.testing.assert_array_equal(draws(1), draws(1))
    assert not np.allclose(draws(1), draws(2))


@pytest.mark.parametrize("scale", [1e-6, 0.5, 1e6])
def test_gls_is_homogeneous_and_levels_the_scales(scale, rng):
    losses = np.exp(rng.normal(size=3)).astype("float32")
    loss, weights = take_step(make("gls"), losses)
    scaled, _ = take_step(make("gls"), scale * losses)
    assert float(scaled) == pytest.approx(scale * float(loss), rel=1e-4)
    # Each task adds the same: its weight times its loss.
    np.testing.assert_allclose(weights * losses, loss / 3, rtol=1e-4)


def test_gls_does_not_overflow():
    tasks = [f"task_{i}" for i in range(20)]
    for size in (1e-9, 1e9):
        loss, _ = take_step(make("gls", tasks), np.full(20, size))
        assert float(loss) == pytest.approx(size, rel=1e-4)


def test_stch_with_small_mu_follows_the_largest():
    weighting = make("stch", mu=1e-3, warmup_epochs=1)
    weighting.on_epoch_end(np.array([1.0, 2.0, 4.0], "float32"))
    losses = np.array([0.5, 1.8, 3.0])
    loss, weights = take_step(weighting, losses)
    assert float(loss) == pytest.approx(3 * np.log(0.9), rel=1e-4)
    np.testing.assert_allclose(weights, [0, 3 / 1.8, 0], rtol=1e-4)


def test_stch_without_warmup_is_the_plain_smooth_maximum():
    preferences = {"left": 0.2, "right": 2.0}
    weighting = make("stch", mu=0.5, warmup_epochs=0, preferences=preferences)
    losses, p = np.array([1.0, 2.0, 0.7]), np.array([0.2, 1.0, 2.0])
    loss, weights = take_step(weighting, losses)
    powers = np.exp(p * losses / 0.5)
    assert float(loss) == pytest.approx(3 * 0.5 * np.log(powers.sum()))
    np.testing.assert_allclose(
        weights, 3 * p * powers / powers.sum(), rtol=1e-5
    )


def test_stch_sets_the_nadir_of_a_late_task_when_it_appears():
    weighting = make("stch", warmup_epochs=1)
    for mean in ([1.0, 0.0, 1.0], [9.0, 5.0, 9.0], [9.0, 7.0, 9.0]):
        weighting.on_epoch_end(np.array(mean, "float32"))
    _, weights = take_step(weighting, np.array([2.0, 10.0, 2.0]))
    np.testing.assert_allclose(weights * [2.0, 10.0, 2.0], 1.0, rtol=1e-5)


def test_famo_weights_lie_on_the_simplex_and_favour_the_slowest(rng):
    weighting = make("famo")
    for losses in np.exp(rng.normal(size=(50, 3))):
        after = losses * np.array([0.5, 0.99, 0.7])
        _, weights = take_step(weighting, losses, after)
        z = weights * (losses + 1e-8)
        assert float(tf.reduce_sum(weights)) == pytest.approx(1, rel=1e-5)
        z = z.numpy() / z.numpy().sum()
        assert (z > 0).all()
    assert z.argmax() == 1
    assert z[1] > 0.5


def test_famo_subtracts_min_losses(rng):
    shifted = make("famo", min_losses={"left": 2.0, "right": -1.0})
    plain = make("famo")
    shift = np.array([2.0, 0.0, -1.0])
    for losses in np.exp(rng.normal(size=(5, 3))):
        after = losses * np.array([0.3, 0.5, 0.9])
        loss, weights = take_step(plain, losses, after)
        found = take_step(shifted, losses + shift, after + shift)
        np.testing.assert_allclose(found[0], loss, rtol=1e-3)
        np.testing.assert_allclose(found[1], weights, rtol=1e-3)


def test_famo_is_finite_for_losses_that_reach_zero():
    weighting = make("famo", min_losses={"left": 2.0})
    for _ in range(3):
        _, weights = take_step(
            weighting, np.array([1.5, 1.0, 1.0]), np.array([1.0, 0.0, 1.0])
        )
        assert np.isfinite(weights).all()
    assert np.isfinite(weighting.variables[-1].numpy()).all()


def test_importances_scale_to_the_number_of_tasks():
    importances = {"left": 1.0, "middle": 0.0, "right": 4.0}
    weighting = Importance(importances)
    weighting.build(TASKS)
    _, weights = take_step(weighting, np.ones(3))
    np.testing.assert_allclose(weights, [0.6, 0.0, 2.4], rtol=1e-6)


def test_sample_counts_in_proportion():
    weighting = Importance(
        sample_counts={"right": 60, "left": 10, "middle": 20}, inverse=False
    )
    weighting.build(TASKS)
    _, weights = take_step(weighting, np.ones(3))
    np.testing.assert_allclose(weights, [1 / 3, 2 / 3, 2], rtol=1e-6)


# Errors


@pytest.mark.parametrize(
    ("make_wrong", "error", "match"),
    [
        (lambda: UWSO(0.0), ValueError, "temperature=0.0; .*greater than 0"),
        (lambda: UWSO("1"), TypeError, "temperature='1' is not a number"),
        (lambda: DWA(-1), ValueError, "temperature=-1; .*greater than 0"),
        (lambda: DWA(float("nan")), ValueError, "temperature=nan"),
        (lambda: RLW(seed=-1), ValueError, "seed=-1; expected 0 or more"),
        (lambda: RLW(seed=0.5), TypeError, "seed=0.5 is not an integer"),
        (lambda: STCH(mu=0), ValueError, "mu=0; .*greater than 0"),
        (lambda: STCH(warmup_epochs=-1), ValueError, "warmup_epochs=-1"),
        (
            lambda: STCH(preferences={"left": -1}),
            ValueError,
            r"preferences\['left'\]=-1; .*0 or more",
        ),
        (lambda: STCH(preferences=[1]), TypeError, "preferences=.*a dict"),
        (lambda: FAMO(0), ValueError, "learning_rate=0; .*greater than 0"),
        (lambda: FAMO(weight_decay=-1), ValueError, "weight_decay=-1"),
        (lambda: Uncertainty("age"), TypeError, r"such as \['age'\]"),
        (Importance, ValueError, "expected exactly one of them"),
        (
            lambda: Importance({"left": 1}, {"left": 1}),
            ValueError,
            "expected exactly one of them",
        ),
        (lambda: Importance({"left": 0}), ValueError, "all zero"),
        (
            lambda: Importance(sample_counts={"left": 0}),
            ValueError,
            r"sample_counts\['left'\]=0; .*greater than 0",
        ),
    ],
)
def test_impossible_arguments(make_wrong, error, match):
    with pytest.raises(error, match=match):
        make_wrong()


@pytest.mark.parametrize(
    ("weighting", "match"),
    [
        (Uncertainty(["lefd"]), "classification names 'lefd'.*'left'"),
        (STCH(preferences={"lefd": 1}), "preferences names 'lefd'.*'left'"),
        (FAMO(min_losses={"lefd": 1}), "min_losses names 'lefd'.*'left'"),
        (
            Importance(dict.fromkeys(["lefd", *TASKS], 1)),
            "importances names 'lefd'.*'left'",
        ),
        (
            Importance(sample_counts={"left": 1, "right": 1}),
            r"sample_counts lacks \['middle'\]",
        ),
    ],
)
def test_unknown_task_names(weighting, match):
    with pytest.raises(ValueError, match=match):
        weighting.build(TASKS)
