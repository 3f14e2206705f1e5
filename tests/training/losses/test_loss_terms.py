"""Logs of the terms of compound losses, against plain numpy."""

import contextlib

import keras
import numpy as np
import pytest

from mtl_keras import MultiTaskModel, Regression, Segmentation
from mtl_keras.evaluation import evaluate_by_task, plot_history
from mtl_keras.losses import CrossentropyDice

COUNT, BATCH = 7, 3  # the last batch has one sample
DICE = 0.5
TERMS = {"mask_crossentropy_loss", "mask_dice_loss"}


def build(strategy=None, *, log_loss_terms=True, name="mask", metrics=()):
    """Returns a network whose weights stay."""
    with strategy.scope() if strategy else contextlib.nullcontext():
        inputs = keras.Input((4, 4, 2))
        hidden = keras.layers.Conv2D(3, 1, activation="tanh")(inputs)
        tasks = [
            Segmentation(
                name,
                1,
                loss=CrossentropyDice(dice_weight=DICE),
                log_loss_terms=log_loss_terms,
                metrics=[],
            ),
            Regression("size", metrics=list(metrics)),
        ]
        flat = keras.layers.GlobalAveragePooling2D()(hidden)
        outputs = {name: tasks[0].head(hidden), "size": tasks[1].head(flat)}
        model = MultiTaskModel(inputs, outputs, tasks=tasks)
        model.compile(keras.optimizers.SGD(0.0), loss_weights={name: 3.0})
    return model


def make_data(missing):
    """Inputs and targets, with missing pixels, masks and a missing batch."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(COUNT, 4, 4, 2)).astype("float32")
    mask = rng.integers(2, size=(COUNT, 4, 4, 1)).astype("int32")
    if missing:
        mask[rng.random(mask.shape) < 0.3] = -1
        mask[1] = -1
        mask[3:6] = -1  # the second batch
    return x, {"mask": mask, "size": rng.normal(size=COUNT)}


def expected_terms(model, x, mask, weights=None):
    """Returns the terms from predictions, pixel by pixel."""
    predicted = model.predict(x, verbose=0)["mask"].astype("float64")
    weights = np.ones(len(x)) if weights is None else weights
    entropy, pixels, dice, samples = 0.0, 0, 0.0, 0
    for p, t, weight in zip(predicted, mask, weights, strict=True):
        known = t >= 0
        p, t = p[known], t[known]
        if not known.any():
            continue
        entropy -= weight * (t * np.log(p) + (1 - t) * np.log(1 - p)).sum()
        pixels += known.sum()
        dice += weight * (1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1))
        samples += 1
    return entropy / pixels, DICE * dice / samples


@pytest.fixture(scope="module")
def model():
    """Returns one model that logs terms."""
    return build()


@pytest.mark.parametrize("missing", [False, True])
def test_fit_and_evaluate(model, missing):
    x, y = make_data(missing)
    entropy, dice = expected_terms(model, x, y["mask"])
    history = model.fit(
        x, y, batch_size=BATCH, verbose=0, shuffle=False, validation_data=(x, y)
    ).history
    logs = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    for found in (
        {name: values[0] for name, values in history.items()},
        {name[4:]: v[0] for name, v in history.items() if name[:4] == "val_"},
        logs,
    ):
        np.testing.assert_allclose(
            found["mask_crossentropy_loss"], entropy, rtol=1e-5
        )
        np.testing.assert_allclose(found["mask_dice_loss"], dice, rtol=1e-5)
        np.testing.assert_allclose(
            found["mask_loss"], entropy + dice, rtol=1e-5
        )


def test_sample_weights(model):
    x, y = make_data(True)
    weights = np.linspace(0.5, 2.0, COUNT).astype("float32")
    entropy, dice = expected_terms(model, x, y["mask"], weights)
    logs = model.evaluate(
        x,
        y,
        sample_weight={"mask": weights, "size": np.ones(COUNT)},
        batch_size=BATCH,
        verbose=0,
        return_dict=True,
    )
    np.testing.assert_allclose(logs["mask_crossentropy_loss"], entropy, 1e-5)
    np.testing.assert_allclose(logs["mask_dice_loss"], dice, 1e-5)


def test_a_list_of_results_has_all_logs(model):
    x, y = make_data(False)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    results = model.evaluate(x, y, verbose=0)
    assert sorted(results) == pytest.approx(sorted(logs.values()))


@pytest.mark.slow
def test_replicas(model, two_replicas):
    x, y = make_data(True)
    expected = model.evaluate(x, y, verbose=0, return_dict=True)
    spread = build(two_replicas)
    spread.set_weights(model.get_weights())
    logs = spread.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    assert logs.keys() > TERMS
    for name in (*TERMS, "mask_loss"):
        np.testing.assert_allclose(logs[name], expected[name], rtol=1e-5)


def test_the_default_logs_no_terms(model):
    other = build(log_loss_terms=False)
    names = {log.name for log in other.metrics}
    assert not TERMS & names
    assert names | TERMS | {"loss_terms"} == {log.name for log in model.metrics}


def test_the_variables_are_the_same(model):
    other = build(log_loss_terms=False)
    count = [len(m.metrics_variables) for m in (model, other)]
    assert count[0] == count[1]


def test_less_is_better(model):
    found = model.compiled_parts.logs.directions()
    assert {found[name] for name in TERMS} == {"min"}


def test_a_loss_of_one_term_is_an_error():
    model = build()
    with pytest.raises(ValueError, match="'mask': log_loss_terms=True, but"):
        model.compile(loss={"mask": "binary_crossentropy"})


def test_a_task_without_loss_logs_no_terms():
    model = build()
    model.compile(loss={"mask": None})
    assert not TERMS & {log.name for log in model.metrics}


def test_another_log_of_the_same_name_is_an_error():
    tasks = [Regression("mask_dice"), Segmentation("mask", 1)]
    inputs = keras.Input((4, 4, 2))
    flat = keras.layers.Flatten()(inputs)
    outputs = {"mask": tasks[1].head(inputs), "mask_dice": tasks[0].head(flat)}
    model = MultiTaskModel(inputs, outputs, tasks=tasks)
    model.compile()
    tasks[1] = Segmentation("mask", 1, log_loss_terms=True)
    model = MultiTaskModel(inputs, outputs, tasks=tasks)
    with pytest.raises(ValueError, match="'mask_dice_loss', which is also"):
        model.compile()


def test_a_reloaded_model_logs_terms(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert {log.name for log in model.metrics} == {
        log.name for log in loaded.metrics
    }


def test_results_by_task(model):
    x, y = make_data(False)
    found = evaluate_by_task(model, x, y)["mask"]
    assert list(found) == ["crossentropy_loss", "dice_loss", "loss"]
    assert found["loss"] == pytest.approx(
        found["crossentropy_loss"] + found["dice_loss"]
    )


def test_terms_are_panels_of_their_task(model):
    x, y = make_data(False)
    history = model.fit(x, y, epochs=2, verbose=0)
    for given in (history, history.history):
        titles = [a.get_title() for a in plot_history(given).axes]
        assert "mask: dice_loss" in titles
        assert not any(title.startswith("mask_dice") for title in titles)
