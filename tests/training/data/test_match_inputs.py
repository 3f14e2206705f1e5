"""A dict of inputs is matched by name, in any order."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from factory_harness import mostly_slow

from mtl_keras import MultiTaskModel, Regression

COUNT = 8
SHAPES = {"num": (3,), "cat": (3,), "aux": (1,)}


def build(structure):
    """Returns a model of three inputs, two of one shape, in a structure."""
    keras.utils.set_random_seed(2)
    inputs = {n: keras.Input(shape, name=n) for n, shape in SHAPES.items()}
    task = Regression("size")
    joined = keras.layers.Concatenate()(
        [inputs["num"], 10 * inputs["cat"], inputs["aux"]]
    )
    given = {
        "list": list(inputs.values()),
        "tuple": tuple(inputs.values()),
        "dict": inputs,
    }[structure]
    model = MultiTaskModel(given, {"size": task.head(joined)}, tasks=[task])
    model.compile(
        keras.optimizers.SGD(0.0), metrics={"size": []}, run_eagerly=True
    )
    return model


@pytest.fixture(
    scope="module",
    params=mostly_slow(["list", "tuple", "dict"], ["list"]),
)
def model(request):
    return build(request.param)


@pytest.fixture(scope="module")
def x():
    rng = np.random.default_rng(4)
    return {
        name: rng.normal(size=(COUNT, *shape)).astype("float32")
        for name, shape in SHAPES.items()
    }


@pytest.fixture(scope="module")
def y(x):
    return {"size": x["num"][:, 0]}


def outputs_of(model, x):
    """Returns the head in numpy."""
    kernel, bias = model.get_weights()
    joined = np.concatenate([x["num"], 10 * x["cat"], x["aux"]], axis=1)
    return joined @ kernel + bias


def orders(x):
    """Returns the same dict in several orders."""
    return [{name: x[name] for name in names} for names in ORDERS]


ORDERS = [("num", "cat", "aux"), ("aux", "cat", "num"), ("cat", "num", "aux")]


def test_a_call_and_predict(model, x):
    expected = outputs_of(model, x)
    for given in orders(x):
        found = model(given)["size"].numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    found = model.predict(given, verbose=0)["size"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


class Batches(keras.utils.PyDataset):
    """Two batches of dicts."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return 2

    def __getitem__(self, index):
        part = slice(4 * index, 4 * index + 4)
        return {n: v[part] for n, v in self.x.items()}, {
            "size": self.y["size"][part]
        }


def in_container(container, x, y):
    if container == "arrays":
        return {"x": x, "y": y, "batch_size": 4}
    if container == "tf_data":
        return {"x": tf.data.Dataset.from_tensor_slices((x, y)).batch(4)}
    batches = Batches(x, y)
    if container == "generator":
        return {"x": (batches[i] for i in range(2)), "steps": 2}
    return {"x": batches}


CONTAINERS = ["arrays", "tf_data", "generator", "py_dataset"]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("order", mostly_slow(ORDERS, [ORDERS[1]]))
def test_evaluate(model, x, y, container, order):
    given = {name: x[name] for name in order}
    logs = model.evaluate(
        **in_container(container, given, y), return_dict=True, verbose=0
    )
    expected = np.mean((outputs_of(model, x)[:, 0] - y["size"]) ** 2)
    assert logs["size_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("container", mostly_slow(CONTAINERS[:2], ["arrays"]))
def test_fit_and_validation(model, x, y, container):
    given = in_container(container, orders(x)[1], y)
    history = model.fit(
        **given, validation_data=(orders(x)[2], y), verbose=0
    ).history
    expected = np.mean((outputs_of(model, x)[:, 0] - y["size"]) ** 2)
    assert history["size_loss"][0] == pytest.approx(expected, rel=1e-4)
    assert history["val_size_loss"][0] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
def test_single_batches(model, x, y, method):
    model.reset_metrics()
    logs = getattr(model, method)(orders(x)[1], y, return_dict=True)
    expected = np.mean((outputs_of(model, x)[:, 0] - y["size"]) ** 2)
    assert logs["size_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("call", ["fit", "evaluate", "predict", "call"])
@pytest.mark.parametrize("fault", ["lacks", "names"])
def test_a_dict_with_other_names_is_refused(x, y, call, fault):
    model = build("list")
    given = dict(x)
    if fault == "lacks":
        del given["cat"]
        message = "Inputs lack 'cat'"
    else:
        given["cats"] = given.pop("cat")
        message = "Inputs name 'cats'.*Did you mean 'cat'"
    calls = {
        "fit": lambda: model.fit(given, y, verbose=0),
        "evaluate": lambda: model.evaluate(given, y, verbose=0),
        "predict": lambda: model.predict(given, verbose=0),
        "call": lambda: model(given),
    }
    with pytest.raises(ValueError, match=message):
        calls[call]()


def test_lists_stay_in_the_order_of_the_model(x, y):
    model = build("list")
    given = [x[name] for name in SHAPES]
    found = model.predict(given, verbose=0)["size"]
    np.testing.assert_allclose(
        found, outputs_of(model, x), rtol=1e-4, atol=1e-5
    )
