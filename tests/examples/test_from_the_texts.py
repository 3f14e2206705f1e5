"""The usual listings of docs/from-the-texts.md: their faults and length."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from markdown_files import ROOT, code_blocks

GUIDE = ROOT / "docs" / "from-the-texts.md"


def test_listings_have_15_lines_at_most():
    _, *listings = code_blocks(GUIDE.read_text(encoding="utf-8"), "python")
    assert len(listings) >= 6
    assert max(len(code.strip().splitlines()) for code in listings) <= 15


def test_a_list_of_weights_follows_the_alphabet(rng):
    inputs = keras.Input((4,))
    heads = {n: keras.layers.Dense(1, name=n)(inputs) for n in ("size", "age")}
    model = keras.Model(inputs, heads)
    losses = dict.fromkeys(heads, "mse")
    model.compile("sgd", loss=losses, loss_weights=[1.0, 0.0])
    before = {n: model.get_layer(n).kernel.numpy() for n in heads}
    x = rng.normal(size=(8, 4))
    model.fit(x, {"size": x[:, 0], "age": x[:, 1]}, verbose=0)
    changed = {
        n: not np.array_equal(model.get_layer(n).kernel, before[n])
        for n in heads
    }
    assert changed == {"size": False, "age": True}


def test_one_number_trains_on_a_mask(rng):
    inputs = keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(flat))
    x = rng.random((4, 4, 4, 1))
    mask = (x > 0.5).astype("float32")
    model.compile("sgd", loss="mse")
    numbers = model.predict(x, verbose=0)
    history = model.fit(x, mask, shuffle=False, verbose=0)
    # The number of image i meets column i of every mask.
    expected = np.mean((numbers - mask) ** 2)
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="shapes"):
        model.fit(x, mask, batch_size=2, verbose=0)
    model.compile("sgd", loss="binary_crossentropy")
    with pytest.raises(ValueError, match="same rank"):
        model.fit(x, mask, verbose=0)


def test_three_classes_under_one_sigmoid_have_no_lowest_loss():
    loss = keras.losses.BinaryCrossentropy()
    target = np.array([[2.0]])
    assert (
        0 > loss(target, np.array([[0.9]])) > loss(target, np.array([[0.99]]))
    )
