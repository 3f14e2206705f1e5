"""Click, conversion, and their product."""

import keras
import numpy as np
import pytest
from factory_harness import (
    build_small,
    eager,
    mostly_slow,
    predictions,
    random_data,
)

from mtl_keras import BinaryClassification, Regression, build_esmm


def test_the_third_output_is_the_product(rng):
    model = build_small("build_esmm")
    x, _ = random_data(model, 6, rng)
    p = predictions(model, x)
    np.testing.assert_allclose(
        p["click_and_conversion"], p["click"] * p["conversion"], rtol=1e-6
    )


def test_the_loss_is_that_of_click_and_product_over_all_samples(rng):
    model = build_small("build_esmm")
    x, y = random_data(model, 16, rng)
    y["click_and_conversion"] = y["click"] * y["conversion"]
    # The conversion is unknown without a click.
    y["conversion"] = np.where(y["click"] == 1, y["conversion"], -1)
    logs = eager(model).evaluate(
        x, y, batch_size=16, return_dict=True, verbose=0
    )
    p = predictions(model, x)
    expected = 0
    for name in ("click", "click_and_conversion"):
        q, t = p[name].ravel(), y[name].ravel()
        loss = -np.mean(t * np.log(q) + (1 - t) * np.log(1 - q))
        assert logs[f"{name}_loss"] == pytest.approx(loss, rel=1e-4)
        expected += loss
    assert logs["loss"] == pytest.approx(expected, rel=1e-4)


def test_the_conversion_tower_learns_only_from_the_product(rng):
    model = build_small("build_esmm", optimizer=keras.optimizers.SGD(1.0))
    x, y = random_data(model, 16, rng)
    head = model.get_layer("conversion")
    start = eager(model).get_weights()
    moved = []
    for labels in (y["conversion"], 1 - y["conversion"]):
        model.set_weights(start)
        before = head.kernel.numpy()
        model.train_on_batch(x, {**y, "conversion": labels})
        moved.append(head.kernel.numpy() - before)
    assert np.abs(moved[0]).max() > 0
    np.testing.assert_array_equal(*moved)


def test_tasks_may_have_custom_names():
    names = ("ad", "buy", "ad_and_buy")
    model = build_esmm((4,), [BinaryClassification(name) for name in names])
    assert model.loss_weights["buy"] == 1.0
    assert sorted(model.output_names) == ["ad", "ad_and_buy", "buy"]


def test_other_tasks_are_refused():
    three = [BinaryClassification(name) for name in ("a", "b", "c")]
    with pytest.raises(ValueError, match="expected three BinaryClassific"):
        build_esmm((4,), three[:2])
    with pytest.raises(ValueError, match="'Regression'"):
        build_esmm((4,), [*three[:2], Regression("c")])
    logits = BinaryClassification("b", activation=None)
    with pytest.raises(ValueError, match="Task 'b' has activation=None"):
        build_esmm((4,), [three[0], logits, three[2]])


@pytest.mark.parametrize("trained", mostly_slow([False, True], [False]))
def test_cutting_the_graph_does_not_change_the_model(trained, rng, tmp_path):
    """The product reads outputs, which are copied where the graph is cut."""
    plain = build_small("build_esmm")
    model = build_small("build_esmm", weighting="mgda")
    assert [x.name for x in model.layers] == [x.name for x in plain.layers]
    assert model.get_config()["layers"] == plain.get_config()["layers"]
    x, y = random_data(model, 8, rng)
    if trained:
        model.train_on_batch(x, y)
    else:
        model.build_optimizer()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name, values in model(x).items():
        np.testing.assert_allclose(loaded(x)[name], values, rtol=1e-5)
    if not trained:
        return
    expected = model.train_on_batch(x, y, return_dict=True)
    found = loaded.train_on_batch(x, y, return_dict=True)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name
