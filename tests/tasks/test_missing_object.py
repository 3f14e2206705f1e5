"""Placeholders for losses and metrics that could not be loaded."""

import keras
import numpy as np
import pytest

from mtl_keras import Regression
from mtl_keras.tasks.missing_object import (
    MissingObject,
    deserialize_or_keep,
    serialize,
)


def make_objects():
    """Returns a function and two objects that are not registered with Keras."""

    def own_error(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    class OwnLoss(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return own_error(y_true, y_pred)

    class OwnMetric(keras.metrics.MeanAbsoluteError):
        pass

    return own_error, OwnLoss(name="own"), OwnMetric(name="mine")


OBJECTS = dict(zip(("function", "loss", "metric"), make_objects(), strict=True))
NAMES = {
    "function": ("own_error", "own_error"),
    "loss": ("OwnLoss", "own"),
    "metric": ("OwnMetric", "mine"),
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_an_unknown_object_keeps_its_config(kind):
    config = keras.saving.serialize_keras_object(OBJECTS[kind])
    found = deserialize_or_keep(config)
    assert isinstance(found, MissingObject)
    assert (found.object_name, found.name) == NAMES[kind]
    assert serialize(found) == config
    assert NAMES[kind][0] in repr(found)


@pytest.mark.parametrize("nested", [list, tuple])
def test_known_objects_are_loaded_next_to_unknown_ones(nested):
    values = nested(
        ["mae", keras.metrics.MeanAbsoluteError(), *OBJECTS.values()]
    )
    found = deserialize_or_keep(keras.saving.serialize_keras_object(values))
    assert found[0] == "mae"
    assert type(found[1]) is keras.metrics.MeanAbsoluteError
    assert all(isinstance(each, MissingObject) for each in found[2:])
    again = [deserialize_or_keep(config) for config in serialize(list(found))]
    assert [each.config for each in again[2:]] == [
        each.config for each in found[2:]
    ]


@pytest.mark.parametrize(
    "value",
    [None, 1.5, "mse", True, keras.losses.Huber(0.3)],
    ids=lambda value: type(value).__name__,
)
def test_known_values_are_restored(value):
    config = keras.saving.serialize_keras_object(value)
    found = deserialize_or_keep(config)
    if isinstance(value, keras.losses.Loss):
        assert found.get_config() == value.get_config()
    else:
        assert found == value


@pytest.mark.parametrize("kind", OBJECTS)
def test_calling_it_explains_how_to_load_it(kind):
    found = deserialize_or_keep(
        keras.saving.serialize_keras_object(OBJECTS[kind])
    )
    name = NAMES[kind][0]
    for call in (
        lambda: found(np.ones(2), np.ones(2)),
        lambda: raise_of(found),
    ):
        with pytest.raises(TypeError, match=f"needs '{name}'") as error:
            call()
        for part in ("custom_objects", "register_keras_serializable", name):
            assert part in str(error.value)


def raise_of(found):
    raise found.error("task 'age'")


@pytest.mark.parametrize("field", ["loss", "metrics"])
def test_a_task_keeps_unknown_objects(field):
    _, loss, metric = OBJECTS.values()
    task = Regression("size", loss=loss, metrics=["rmse", metric])
    config = task.get_config()
    again = Regression.from_config(config)
    assert isinstance(again.loss, MissingObject)
    assert again.get_config() == config
    assert again.primary_metric == "rmse"
    with pytest.raises(TypeError, match="Task 'size'"):
        again.make_metrics()
    known = {"OwnLoss": type(loss), "OwnMetric": type(metric)}
    with keras.saving.custom_object_scope(known):
        whole = Regression.from_config(again.get_config())
    value = getattr(whole, field)
    value = value[1] if field == "metrics" else value
    assert type(value) is type(loss if field == "loss" else metric)
