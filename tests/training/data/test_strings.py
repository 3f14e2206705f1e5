"""Sentences with more or fewer tokens than tags raise before training."""

import numpy as np
import pytest
import tensorflow as tf

import mtl_keras
from mtl_keras.training.data.strings import (
    check_token_counts,
    to_object_strings,
)

X = np.array(["play jazz", "play some jazz"], object)
Y = {"intent": np.array([0, 1]), "slots": np.array([[0, 1, -1], [0, 0, 1]])}


@pytest.fixture(scope="module")
def model():
    """Returns a small model on sentences."""
    model = mtl_keras.build_text_cls_tag(
        (3,),
        vocabulary=["play", "jazz"],
        hidden_units=(4,),
        num_classes=(2, 3),
    )
    model.compile("sgd", run_eagerly=True)
    return model


@pytest.mark.parametrize(
    ("x", "slots", "message"),
    [
        (X, [[0, 1, 2], [0, 0, 1]], "row 0 has 2 tokens .*a tag at step 2"),
        (X, [[0, 1], [0, 0]], "row 1 has 3 tokens, and targets have 2 columns"),
        (tf.constant(list(X)), [[0, 1, 2], [0, 0, 1]], "row 0 has 2 tokens"),
    ],
)
@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch"])
def test_tokens_and_tags_that_differ(model, call, x, slots, message):
    with pytest.raises(ValueError, match=f"Task 'slots': {message}"):
        getattr(model, call)(x, {**Y, "slots": np.array(slots)})


def test_the_first_batch_of_a_stream_is_checked(model):
    y = {**Y, "slots": np.array([[0, 1, 2], [0, 0, 1]])}
    stream = tf.data.Dataset.from_tensor_slices((list(X), y)).batch(2)
    with pytest.raises(ValueError, match="row 0 has 2 tokens"):
        model.fit(stream, verbose=0)


def test_labels_may_be_missing_within_a_sentence(model):
    slots = np.array([[-1, 1, -1], [-1, -1, -1]])
    loss = model.evaluate(X, {**Y, "slots": slots}, verbose=0)[0]
    assert np.isfinite(loss)
    check_token_counts(model, X, {**Y, "slots": None})


def test_one_hot_tags_are_counted_too(model):
    one_hot = np.eye(3)[np.maximum(Y["slots"], 0)]
    with pytest.raises(ValueError, match="row 0 has 2 tokens"):
        check_token_counts(model, X, {**Y, "slots": one_hot})
    one_hot[0, 2] = -1
    check_token_counts(model, X, {**Y, "slots": one_hot})


def test_only_strings_are_made_objects():
    number = np.zeros(3)
    assert to_object_strings(number) is number
    assert to_object_strings([number])[0] is number
    assert to_object_strings(None) is None
    for strings in (["a", "bc"], np.array(["a", "bc"])):
        found = to_object_strings(strings)
        assert found.dtype == object and found.tolist() == ["a", "bc"]
    assert to_object_strings({"text": ["a"]})["text"].dtype == object
