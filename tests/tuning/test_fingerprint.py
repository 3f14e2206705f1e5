"""A fingerprint shows what differs between two searches."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from tuning_problem import build, build_eager, samples

from mtl_keras.tuning.fingerprint import (
    code_differences,
    data_differences,
    make_fingerprint,
)


def fingerprint(train=None, validation=None, callbacks=(), factory=build):
    train = samples() if train is None else train
    found = make_fingerprint(factory, train, validation, callbacks)
    return json.loads(json.dumps(found))  # as the journal returns it


def test_equal_searches_have_no_differences():
    stop = keras.callbacks.EarlyStopping
    first, again = (fingerprint(callbacks=[stop()]) for _ in range(2))
    assert first == again
    assert data_differences(first, again) == []
    assert code_differences(first, again) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda x, y: (x + 1, y), ["training inputs"]),
        (
            lambda x, y: (x, {**y, "right": y["left"]}),
            ["training targets 'right'"],
        ),
        (
            lambda x, y: (x, y, np.ones(len(x))),
            ["training sample weights"],
        ),
        (
            lambda x, y: (x, {"left": y["left"]}),
            ["training targets 'right'"],
        ),
    ],
)
def test_changed_arrays_are_named(change, expected):
    now = fingerprint(change(*samples()))
    assert data_differences(fingerprint(), now) == expected


def test_changed_validation_data_is_named():
    first = fingerprint(validation=samples(seed=1))
    now = fingerprint(validation=samples(20, seed=1))
    assert data_differences(first, now) == [
        "validation inputs",
        "validation targets 'left'",
        "validation targets 'right'",
    ]


def stream(seed=0, count=48, batch=8, shuffle=False):
    found = tf.data.Dataset.from_tensor_slices(samples(count, seed))
    return (found.shuffle(48) if shuffle else found).batch(batch)


def test_data_sets_are_compared_by_specification_size_and_first_batch():
    first = fingerprint(stream())
    assert data_differences(first, fingerprint(stream())) == []
    for other in (stream(seed=1), stream(count=40), stream(batch=6)):
        assert data_differences(first, fingerprint(other)) == ["training data"]


def test_the_first_batch_of_a_shuffled_data_set_is_not_compared():
    tf.random.set_seed(0)
    first, now = (fingerprint(stream(seed, shuffle=True)) for seed in (0, 1))
    assert first["data"]["training data"]["first batch"] is None
    assert data_differences(first, now) == []
    longer = fingerprint(stream(count=56, shuffle=True))
    assert data_differences(first, longer) == ["training data"]


def test_changed_callbacks_are_named_with_their_attributes():
    def given(*callbacks):
        return fingerprint(callbacks=callbacks)

    stop, stop_later = (
        keras.callbacks.EarlyStopping(patience=patience) for patience in (2, 3)
    )
    (found,) = code_differences(given(stop), given(stop_later))
    assert found == "callbacks (EarlyStopping: patience was 2 and is 3)"
    used = keras.callbacks.EarlyStopping(patience=2)
    used.set_params({"epochs": 3})
    assert code_differences(given(stop), given(used)) == []
    (found,) = code_differences(given(stop), given())
    assert "['EarlyStopping'] and are []" in found


def test_a_changed_factory_is_named():
    first, now = fingerprint(), fingerprint(factory=build_eager)
    assert code_differences(first, now) == ["factory (name, source)"]
    now = fingerprint()
    now["factory"]["source"] = None
    assert code_differences(first, now) == []
