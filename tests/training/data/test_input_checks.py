"""Image sizes that a model accepts, and columns with different scales."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import (
    BinaryClassification,
    Classification,
    MultiTaskModel,
    Regression,
    Segmentation,
    build_cnn_cls_seg,
    build_cnn_multi_task,
    build_mlp,
    build_mtan,
)

TASKS = [Classification("kind", 2), Segmentation("mask", 1)]


def halving(levels, size=(None, None)):
    """Returns a U-Net that halves maps so many times and joins them again."""
    model = build_cnn_cls_seg(
        (*size, 1),
        tasks=TASKS,
        filters=(2,) * (levels + 1),
        normalization=None,
    )
    model.run_eagerly = True
    return model


@pytest.fixture(scope="module")
def network():
    """Returns one that halves maps twice: sizes divide by 4."""
    return halving(2)


def images(height, width, count=2):
    return np.zeros((count, height, width, 1), "float32")


def targets(x):
    return {
        "kind": np.arange(len(x)) % 2,
        "mask": np.ones(x.shape[:3], int),
    }


def calls_on(model, x):
    y = targets(x)
    return {
        "predict": lambda: model.predict(x, verbose=0),
        "fit": lambda: model.fit(x, y, verbose=0),
        "evaluate": lambda: model.evaluate(x, y, verbose=0),
        "train_on_batch": lambda: model.train_on_batch(x, y),
        "validation": lambda: model.fit(
            images(4, 4),
            targets(images(4, 4)),
            validation_data=(x, y),
            verbose=0,
        ),
    }


@pytest.mark.parametrize(
    ("size", "crop", "pad"),
    [
        ((17, 19), "16 x 16", "20 x 20"),
        ((8, 13), "8 x 12", "8 x 16"),
        ((6, 6), "4 x 4", "8 x 8"),
    ],
)
@pytest.mark.parametrize(
    "call",
    mostly_slow(
        ["predict", "fit", "evaluate", "train_on_batch", "validation"],
        ["predict", "fit"],
    ),
)
def test_a_size_that_cannot_be_joined_is_refused(
    network, call, size, crop, pad
):
    with pytest.raises(ValueError, match="divisible by 4") as error:
        calls_on(network, images(*size))[call]()
    for part in (f"{size[0]} x {size[1]}", f"to {crop}", f"to {pad}"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    "size", mostly_slow([(4, 4), (8, 12), (20, 4)], [(8, 12)])
)
@pytest.mark.parametrize(
    "call", mostly_slow(["predict", "fit", "evaluate"], ["evaluate"])
)
def test_a_size_that_fits_is_taken(network, call, size):
    calls_on(network, images(*size))[call]()
    assert network(images(*size))["mask"].shape == (2, *size, 1)


@pytest.mark.parametrize(
    ("levels", "divisor"),
    [(1, 2), pytest.param(3, 8, marks=pytest.mark.slow)],
)
def test_the_divisor_is_that_of_the_network(levels, divisor):
    model = halving(levels)
    with pytest.raises(ValueError, match=f"divisible by {divisor}:"):
        model.predict(images(divisor + 1, divisor), verbose=0)
    assert model(images(divisor, 3 * divisor))["mask"].shape[1:3] == (
        divisor,
        3 * divisor,
    )


def test_one_side_that_is_fixed():
    model = halving(2, (8, None))
    with pytest.raises(ValueError, match="divisible by 4"):
        model.predict(images(8, 10), verbose=0)


def test_one_side_that_is_fixed_to_another_size():
    model = halving(2, (8, None))
    with pytest.raises(ValueError, match=r"expected \(n, 8, any, 1\)"):
        model.fit(images(12, 8), targets(images(12, 8)), verbose=0)


def test_the_first_batch_of_a_stream_is_checked(network):
    x = images(6, 8)
    stream = tf.data.Dataset.from_tensor_slices((x, targets(x))).batch(2)
    for call in (network.fit, network.evaluate):
        with pytest.raises(ValueError, match="divisible by 4"):
            call(stream, verbose=0)


@pytest.mark.slow
@pytest.mark.parametrize("build", [build_cnn_multi_task, build_mtan])
def test_other_networks_of_maps(build):
    model = build((None, None, 1), tasks=TASKS, filters=(2, 2, 2))
    model.run_eagerly = True
    x = images(6, 10)
    try:
        shape = model(x)["mask"].shape
    except Exception:
        with pytest.raises(ValueError, match="divisible by"):
            model.fit(x, targets(x), verbose=0)
        return
    if shape[1:3] == (6, 10):
        model.fit(x, targets(x), verbose=0)
    else:
        with pytest.raises(ValueError, match="mask"):
            model.fit(x, targets(x), verbose=0)


# Images of several sizes in an array of objects.


def objects(*shapes):
    found = np.empty(len(shapes), object)
    for index, shape in enumerate(shapes):
        found[index] = np.zeros(shape, "float32")
    return found


@pytest.mark.parametrize("call", ["predict", "fit", "evaluate"])
def test_images_of_several_sizes_are_refused_by_name(network, call):
    x = objects((17, 20, 1), (8, 8, 1), (8, 12, 1))
    y = {"kind": np.zeros(3, int), "mask": np.zeros((3, 8, 8), int)}
    with pytest.raises(ValueError, match="object array") as error:
        if call == "predict":
            network.predict(x, verbose=0)
        else:
            getattr(network, call)(x, y, verbose=0)
    for part in ("8 x 8", "17 x 20", "3 samples", "numpy.stack"):
        assert part in str(error.value)


def test_images_of_several_sizes_for_a_model_of_one_size():
    model = halving(1, (8, 8))
    with pytest.raises(ValueError, match="The model takes 8 x 8") as error:
        model.predict(objects((8, 8, 1), (9, 9, 1)), verbose=0)
    assert repr(model.inputs[0].name) in str(error.value)


def test_an_object_array_of_rows_of_several_lengths():
    model = build_mlp((3,), [Regression("size")], hidden_units=(2,))
    with pytest.raises(ValueError, match=r"object array.*numpy\.stack"):
        model.fit(objects((3,), (4,)), {"size": np.zeros(2)}, verbose=0)


# Scales of columns.

COUNT = 60


def columns(*found):
    return np.stack(found, axis=1).astype("float32")


def wide(rng):
    """Returns two columns whose scales differ by 100,000."""
    return columns(rng.normal(size=COUNT), 1e5 * rng.normal(size=COUNT) + 3e5)


def told(model, x, call="evaluate"):
    """Returns the warnings of a call."""
    y = {task.name: np.arange(len(x)) % 2 for task in model.tasks}
    model.run_eagerly = True
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        getattr(model, call)(x, y, verbose=0)
    return [str(each.message) for each in found]


def plain(width=2):
    return build_mlp(
        (width,), [BinaryClassification("kind")], hidden_units=(4,)
    )


def test_different_scales_warn_once(rng):
    model, x = plain(), wide(rng)
    (message,) = told(model, x)
    low, high = (float(np.std(column)) for column in x.T.astype("float64"))
    for part in (
        f"differ by a factor of {high / low:.2g}",
        f"{low:.3g} in column 0",
        f"{high:.3g} in column 1",
        "Normalization",
        "StandardScaler",
    ):
        assert part in message
    assert told(model, x, "fit") == []


def test_a_model_with_several_inputs_names_the_one(rng):
    inputs = [keras.Input((2,), name="small"), keras.Input((2,), name="wide")]
    task = BinaryClassification("kind")
    joined = keras.layers.Concatenate()(inputs)
    model = MultiTaskModel(inputs, {"kind": task.head(joined)}, tasks=[task])
    model.compile("sgd", run_eagerly=True)
    x = [rng.normal(size=(COUNT, 2)).astype("float32"), wide(rng)]
    with pytest.warns(UserWarning, match="Input 'wide'.*scales"):
        model.fit(x, {"kind": np.arange(COUNT) % 2}, verbose=0)


def unsuspicious(rng):
    """Columns beside which one of normal numbers is not told."""
    normal, uniform = rng.normal(size=COUNT), rng.uniform(size=COUNT)
    return {
        "equal": 50 * normal,
        "constant": np.full(COUNT, 1e6 + 0.5),
        "two_valued": np.where(uniform > 0.5, 1234.5, -1e5),
        "sparse": np.where(uniform > 0.8, 1e6 * normal, 0),
        "integers": np.rint(1e6 * normal),
        "zeros": np.zeros(COUNT),
    }


@pytest.mark.parametrize(
    "kind",
    mostly_slow(
        ["equal", "constant", "two_valued", "sparse", "integers", "zeros"],
        ["two_valued", "sparse", "integers"],
    ),
)
def test_columns_that_do_not_warn(kind, rng):
    x = columns(rng.normal(size=COUNT), unsuspicious(rng)[kind])
    assert told(plain(), x) == []


def test_integer_arrays_and_single_columns_do_not_warn(rng):
    x = (1e6 * rng.normal(size=(COUNT, 2))).astype("int64")
    x[:, 0] = rng.integers(5, size=COUNT)
    assert told(plain(), x) == []
    assert told(plain(1), wide(rng)[:, 1:]) == []


@pytest.mark.parametrize(
    "kind", mostly_slow(["layer", "batch", "rescaling"], ["layer"])
)
def test_a_model_that_normalizes_does_not_warn(kind, rng):
    x = wide(rng)
    inputs = keras.Input((2,))
    if kind == "layer":
        layer = keras.layers.Normalization()
        layer.adapt(x)
    elif kind == "batch":
        layer = keras.layers.BatchNormalization()
    else:
        layer = keras.layers.Rescaling(1e-5)
    task = BinaryClassification("kind")
    model = MultiTaskModel(
        inputs, {"kind": task.head(layer(inputs))}, tasks=[task]
    )
    model.compile("sgd")
    assert told(model, x) == []


def test_the_inputs_are_trained_on_as_they_are(rng):
    """A warning is all: the loss is that of the inputs that were given."""
    inputs = keras.Input((2,))
    task = Regression("kind")
    model = MultiTaskModel(inputs, {"kind": task.head(inputs)}, tasks=[task])
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    x = wide(rng)
    with pytest.warns(UserWarning, match="scales"):
        history = model.fit(x, {"kind": np.zeros(COUNT)}, verbose=0).history
    expected = np.mean(model(x)["kind"].numpy() ** 2.0)
    assert history["kind_loss"][0] == pytest.approx(expected, rel=1e-4)
