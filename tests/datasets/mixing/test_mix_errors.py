"""Tests the errors of mixtures."""

import numpy as np
import pytest
import tensorflow as tf
from numbered_sets import as_stream, numbered

from mtl_keras.datasets import concatenate, mix

A, B = numbered("a", 6), numbered("b", 4)
SETS = {"a": A, "b": B}
X = np.zeros((4, 2), "float32")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "joined"}, "found 'joined'. Did you mean 'joint'"),
        ({"schedule": None}, "found None. .*Known: 'alternate'"),
        ({"shares": {"a": 1}}, r"found \['a'\], expected \['a', 'b'\]"),
        ({"shares": {"a": 1, "b": 1, "c": 1}}, "each data set and no other"),
        ({"shares": {"a": 1, "b": 0}}, "found 0 for 'b'"),
        ({"shares": {"a": 1, "b": float("nan")}}, "found nan for 'b'"),
        ({"shares": {"a": 1, "b": "2"}}, "found '2' for 'b'"),
        ({"shares": [1, 2]}, r"found \[1, 2\]"),
        ({"shares": "sqrt"}, "found 'sqrt'. Did you mean 'square_root'"),
        (
            {"schedule": "alternate", "shares": {"a": 1, "b": 1}},
            "requires schedule='joint'",
        ),
        ({"shares": {"a": 99, "b": 1}}, "batch_size=100"),
        ({"batch_size": 1}, "batch_size=2"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"steps_per_epoch": "longst"}, "Did you mean 'longest'"),
        ({"steps_per_epoch": 0}, "`steps_per_epoch` must be an integer"),
        ({"schedule": "annealed"}, "`anneal_epochs` must be an integer"),
        ({"anneal_epochs": 3}, "requires schedule='annealed'"),
        ({"epochs": range(0)}, r"`epochs` .* found range\(0, 0\)"),
        ({"epochs": range(0, 4, 2)}, "consecutive epochs"),
        ({"seed": -1}, "`seed` must be"),
        ({"shuffle": -3}, "`shuffle` must be"),
    ],
)
def test_invalid_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        mix(SETS, **options)


def test_epochs_must_be_a_range():
    with pytest.raises(TypeError, match=r"range\(3, 10\), found 5"):
        mix(SETS, epochs=5)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({}, "dict from name to data set, found {}"),
        ([A, B], "found a list"),
        ({"a": A[0]}, "'a' must be a pair .* found a ndarray"),
        ({"a": (*A, X)}, "found a tuple of 3"),
        ({"a": (A[0], np.arange(6))}, "name the task .* found a ndarray"),
        ({"a": (A[0], None)}, "found no targets"),
        ({"a": ({"x": A[0]}, A[1])}, "one input, found a dict"),
        ({"a": as_stream(({"x": A[0]}, A[1]))}, "one input, found a dict"),
        ({"a": as_stream(A[0])}, "found a TensorSpec"),
        ({"a": (X, {"t": np.array(list("abcd"))})}, "'t' .* not numbers"),
    ],
)
def test_values_that_are_not_data_sets(sets, message):
    with pytest.raises(TypeError, match=message):
        mix(sets)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"a": A, "b": numbered("b", 0)}, "'b' is empty"),
        ({"a": A, "b": as_stream(B).take(0)}, "'b' is empty"),
        ({"a": A, "b": as_stream(B).filter(lambda *_: False)}, "'b' is empty"),
        ({"a": as_stream(A).batch(2)}, r"Pass dataset.unbatch\(\)"),
        ({"a": (X, {"t": np.zeros(3)})}, r"\(3,\) for 4 inputs"),
        (
            {"a": (X, {"t": X}), "b": (X, {"t": X[:, 0]})},
            r"'t' has targets of shape \(2,\) in data set 'a' and \(\) in 'b'",
        ),
    ],
)
def test_data_sets_that_do_not_fit_together(sets, message):
    with pytest.raises(ValueError, match=message):
        mix(sets)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"schedule": "alternate"},
        {"schedule": "proportional", "steps_per_epoch": 3},
        {"shares": "square_root", "steps_per_epoch": 3},
        {"steps_per_epoch": "shortest"},
    ],
)
@pytest.mark.parametrize(
    "change", [lambda d: d.filter(lambda *_: True), lambda d: d.repeat()]
)
def test_a_required_length_that_is_unknown(options, change):
    sets = {"a": change(as_stream(A))}
    with pytest.raises(ValueError, match=r"'a' .*assert_cardinality"):
        mix(sets, **options)


def test_targets_of_unknown_shape():
    ragged = tf.data.Dataset.from_generator(
        lambda: [(X[0], {"tags": [1, 2, 3]})],
        output_signature=(
            tf.TensorSpec((2,), tf.float32),
            {"tags": tf.TensorSpec((None,), tf.int32)},
        ),
    )
    with pytest.raises(ValueError, match=r"'tags' .* unknown shape .* Pad"):
        mix({"a": ragged})


def test_concatenate_takes_arrays():
    with pytest.raises(TypeError, match=r"'b' is a tf\.data.Dataset"):
        concatenate({"a": A, "b": as_stream(B)})
