"""Data that does not match the model raises before the first step."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow, random_data
from single_steps import count_traces

import mtl_keras
from mtl_keras import Classification, Regression, Segmentation
from mtl_keras.training import NonFiniteLossError


def build():
    """Builds a small model of a class, a number and a mask."""
    return mtl_keras.build_cnn_cls_seg(
        (8, 8, 1),
        [
            Classification("kind", 3),
            Regression("size"),
            Segmentation("mask", 1),
        ],
        filters=(4,),
        normalization=None,
    )


@pytest.fixture
def model():
    """Returns a new model, whose few steps are taken eagerly."""
    model = build()
    model.compile("adam", run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def untouched():
    """Returns one model for all data that is refused, and its weights."""
    model = build()
    return model, model.get_weights()


@pytest.fixture
def data(untouched, rng):
    """Inputs and targets that fit."""
    return random_data(untouched[0], 6, rng)


def assert_untouched(model, weights):
    """Checks that no step was taken."""
    assert int(model.optimizer.iterations) == 0
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def with_target(y, name, values):
    """Returns targets with those of one task exchanged."""
    return {**y, name: np.asarray(values)}


BAD_DATA = {
    "missing": (
        lambda x, y: (x, {k: v for k, v in y.items() if k != "size"}),
        ValueError,
        "Task 'size' has no targets",
    ),
    "misspelt": (
        lambda x, y: (x, {**y, "maks": y["mask"]}),
        ValueError,
        "Did you mean 'mask'",
    ),
    "list": (
        lambda x, y: (x, list(y.values())),
        TypeError,
        "Targets are a list",
    ),
    "one array": (
        lambda x, y: (x, y["size"]),
        TypeError,
        "Targets are a ndarray",
    ),
    "no targets": (lambda x, y: (x, None), TypeError, "Targets are None"),
    "class shape": (
        lambda x, y: (x, with_target(y, "kind", np.zeros((6, 2)))),
        ValueError,
        r"Task 'kind' .* shape \(6, 2\), expected \(n,\)",
    ),
    "one-hot shape": (
        lambda x, y: (x, with_target(y, "kind", np.zeros((6, 4)))),
        ValueError,
        r"or \(n, 3\) to fit",
    ),
    "mask size": (
        lambda x, y: (x, with_target(y, "mask", np.zeros((6, 4, 4, 1)))),
        ValueError,
        r"expected \(n, 8, 8, 1\) or \(n, 8, 8\)",
    ),
    "regression shape": (
        lambda x, y: (x, with_target(y, "size", np.zeros((6, 2)))),
        ValueError,
        "Task 'size'",
    ),
    "class out of range": (
        lambda x, y: (x, with_target(y, "kind", [0, 1, 2, 3, 0, 0])),
        ValueError,
        "Task 'kind': found label 3",
    ),
    "mask value": (
        lambda x, y: (x, with_target(y, "mask", 255 * y["mask"])),
        ValueError,
        "Task 'mask': found label 255",
    ),
    "regression inf": (
        lambda x, y: (x, with_target(y, "size", [0, 1, np.inf, 3, 4, 5])),
        ValueError,
        "Task 'size': found inf",
    ),
    "class below -1": (
        lambda x, y: (x, with_target(y, "kind", [0, 1, -2, -1, 0, 0])),
        ValueError,
        "Task 'kind': found label -2 at index",
    ),
    "class between": (
        lambda x, y: (x, with_target(y, "kind", [0, 1.5, np.nan, 1, 0, 0])),
        ValueError,
        "Task 'kind': found label 1.5 at index",
    ),
    "mask below -1": (
        lambda x, y: (x, with_target(y, "mask", -2 * y["mask"])),
        ValueError,
        "Task 'mask': found label -2 at index",
    ),
    "input NaN": (
        lambda x, y: (np.where(x > 1, np.nan, x), y),
        ValueError,
        "Input 'image': found nan at index",
    ),
    "input inf": (
        lambda x, y: (np.where(x > 1, np.inf, x), y),
        ValueError,
        "found inf at index",
    ),
    "list of samples": (
        lambda x, y: (list(x), y),
        ValueError,
        "list of 6 arrays.*numpy.stack",
    ),
    "list of labels": (
        lambda x, y: (x, {**y, "kind": y["kind"].tolist()}),
        TypeError,
        "Task 'kind': targets are a list",
    ),
    "counts": (
        lambda x, y: (x[:4], y),
        ValueError,
        "found 6 targets for 4 inputs",
    ),
    "no samples": (
        lambda x, y: (x[:0], {k: v[:0] for k, v in y.items()}),
        ValueError,
        "found no samples",
    ),
    "input shape": (
        lambda x, y: (x[:, :4], y),
        ValueError,
        r"found shape \(6, 4, 8, 1\), expected \(n, 8, 8, 1\)",
    ),
}


@pytest.fixture(params=sorted(BAD_DATA))
def bad(request, data):
    """Returns data that does not fit, the error and what it says."""
    spoil, error, message = BAD_DATA[request.param]
    return spoil(*data), error, message


def test_arrays_are_refused_by_every_method(untouched, data, bad):
    (x, y), error, message = bad
    model, weights = untouched
    calls = [
        lambda: model.fit(x, y, verbose=0),
        lambda: model.fit(*data, validation_data=(x, y), verbose=0),
        lambda: model.train_on_batch(x, y),
        lambda: model.evaluate(x, y, verbose=0),
        lambda: model.test_on_batch(x, y),
    ]
    for call in calls:
        with pytest.raises(error, match=message):
            call()
    assert_untouched(model, weights)


def test_streams_are_refused(untouched, bad):
    (x, y), error, message = bad
    if isinstance(x, list) or "targets are a list" in message:
        return  # a stream makes arrays of them
    if y is None:
        return  # a stream of inputs alone, tested elsewhere
    if isinstance(y, list):
        y = tuple(y)
    model, weights = untouched
    message = message.replace("a list", "a tuple").replace("ndarray", ".*")
    # Both streams have one batch, so whatever does not fit is in the first.
    dataset = tf.data.Dataset.from_tensors((x, y))
    with pytest.raises(error, match=message.replace(r"\(6", r"\(.*")):
        model.fit(dataset, shuffle=False, verbose=0)
    with pytest.raises(error, match=message):
        model.fit((batch for batch in [(x, y)]), shuffle=False, verbose=0)
    assert_untouched(model, weights)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_stream_is_started_once_an_epoch_and_trained_on_whole(model, data):
    x, y = data
    starts, seen = [], []

    class Record(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    def batches():
        starts.append(1)
        for i in range(0, 6, 3):
            yield x[i : i + 3], {k: v[i : i + 3] for k, v in y.items()}

    spec = tf.data.Dataset.from_tensor_slices((x, y)).batch(3).element_spec
    dataset = tf.data.Dataset.from_generator(batches, output_signature=spec)
    for _ in range(2):
        model.fit(dataset, callbacks=[Record()], shuffle=False, verbose=0)
    assert len(starts) == 2
    assert seen == [0, 1] * 2
    assert int(model.optimizer.iterations) == 4


@pytest.mark.parametrize("steps_per_execution", mostly_slow([1, 2], [1]))
def test_the_check_traces_nothing_more(rng, steps_per_execution):
    model = mtl_keras.build_mlp((3,), [Regression("a")], hidden_units=(4,))
    x, y = random_data(model, 6, rng)
    # Three batches, the last one smaller: the batch size is left open.
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    model.compile("sgd", steps_per_execution=steps_per_execution)
    traces = count_traces(model)
    model.fit(dataset, epochs=2, shuffle=False, verbose=0)
    checked = len(traces)
    model.compile("sgd", steps_per_execution=steps_per_execution)
    traces = count_traces(model)
    keras.Model.fit(model, dataset, epochs=2, shuffle=False, verbose=0)
    assert checked == len(traces) > 0


def test_validation_streams_are_checked(model, data):
    x, y = data
    bad = with_target(y, "kind", y["kind"] + 3)
    dataset = tf.data.Dataset.from_tensor_slices((x, bad)).batch(6)
    with pytest.raises(ValueError, match=r"first test batch.*'kind'"):
        model.fit(x, y, validation_data=dataset, verbose=0)
    with pytest.raises(ValueError, match=r"In validation_data.*'kind'"):
        model.fit(x, y, validation_data=(x, bad), verbose=0)


@pytest.mark.slow
def test_streams_are_checked_under_a_strategy(two_replicas, rng):
    with two_replicas.scope():
        model = mtl_keras.build_mlp((3,), [Classification("kind", 2)])
    x, y = random_data(model, 8, rng)
    bad = {"kind": y["kind"] + 2}
    dataset = tf.data.Dataset.from_tensor_slices((x, bad)).batch(4)
    with pytest.raises(ValueError, match="Task 'kind': found label"):
        model.fit(dataset, shuffle=False, verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    model.fit(dataset, shuffle=False, verbose=0)
    assert model.optimizer.iterations.numpy() == 2


@pytest.mark.slow
def test_py_datasets_are_checked(model, data):
    x, y = data

    class Batches(keras.utils.PyDataset):
        def __init__(self, y):
            super().__init__()
            self.y = y

        def __len__(self):
            return 2

        def __getitem__(self, index):
            rows = slice(3 * index, 3 * index + 3)
            return x[rows], {k: v[rows] for k, v in self.y.items()}

    model.fit(Batches(y), shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 2
    bad = Batches(with_target(y, "mask", 2 + y["mask"]))
    with pytest.raises(ValueError, match="Task 'mask': found label"):
        model.fit(bad, shuffle=False, verbose=0)


def test_sample_weights_are_checked(model, data):
    x, y = data
    ones = np.ones(6)
    full = {"kind": ones, "size": ones, "mask": ones}
    model.fit(x, y, sample_weight=full, verbose=0)
    model.fit(x, y, sample_weight=ones, verbose=0)
    for wrong, message in [
        ({**full, "kinds": ones}, "Did you mean 'kind'"),
        ({"kind": ones, "size": ones}, "no entry for task 'mask'"),
        ({**full, "size": np.nan * ones}, r"sample_weight\['size'\]"),
        (np.inf * ones, "'sample_weight'"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit(x, y, sample_weight=wrong, verbose=0)


def test_fit_without_inputs_says_so(model):
    with pytest.raises(TypeError, match="x is None"):
        model.fit()


@pytest.mark.slow
def test_large_finite_inputs_pass(rng):
    model = mtl_keras.build_mlp((3,), [Regression("y")], normalization="batch")
    x = np.full((4, 3), 3e38, "float32")
    with pytest.raises(NonFiniteLossError):  # the sum overflows, the check not
        model.fit(x, {"y": np.zeros(4)}, verbose=0, epochs=2)


@pytest.mark.slow
def test_inputs_of_other_kinds_pass(rng):
    import pandas

    model = mtl_keras.build_mlp((3,), [Regression("y")])
    model.compile("sgd", run_eagerly=True)
    x = rng.normal(size=(4, 3))
    y = rng.normal(size=4)
    expected = model.evaluate(x, {"y": y}, verbose=0)
    for inputs, targets in [
        (pandas.DataFrame(x), {"y": y}),
        (tf.constant(x), {"y": tf.constant(y)}),
        (x, y),
    ]:
        found = model.evaluate(inputs, targets, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("stream", mostly_slow([False, True], [True]))
def test_a_loss_that_becomes_nan_names_task_and_step(rng, stream):
    model = mtl_keras.build_mlp(
        (3,),
        [Regression("calm"), Regression("wild")],
        hidden_units=(),
        optimizer="sgd",
    )
    x = rng.normal(size=(40, 3))
    y = {"calm": np.zeros(40), "wild": np.zeros(40)}
    y["wild"][20:] = 1e30  # squared, beyond float32
    arguments = {"x": x, "y": y, "batch_size": 4}
    if stream:
        dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
        arguments = {"x": dataset}
    with pytest.raises(
        NonFiniteLossError, match=r"task 'wild' \(inf\).* epoch 1, at step 6"
    ):
        model.fit(**arguments, epochs=2, shuffle=False, verbose=0)


@pytest.mark.slow
def test_one_hot_targets_train_as_integers_do(model, data):
    x, y = data
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    one_hot = with_target(y, "kind", np.eye(3)[y["kind"]])
    first = model.fit(x, y, verbose=0, shuffle=False).history
    second = twin.fit(x, one_hot, verbose=0, shuffle=False).history
    for key, values in first.items():
        np.testing.assert_allclose(second[key], values, rtol=1e-5)


@pytest.mark.slow
def test_a_stream_is_fitted_without_a_warning_about_shuffling(model, data):
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(3)
    model.fit(dataset, verbose=0)  # a warning would be an error here
    with pytest.warns(UserWarning, match="shuffle=True"):
        model.fit(dataset, shuffle=True, verbose=0)
    assert model.optimizer.iterations.numpy() == 4
