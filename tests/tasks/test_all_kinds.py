"""The contract of all kinds of tasks."""

import dataclasses

import keras
import numpy as np
import pytest

from mtl_keras.tasks import (
    BinaryClassification,
    Classification,
    DenseRegression,
    MultiLabelClassification,
    Regression,
    Segmentation,
    SequenceTagging,
)

KINDS = {
    "classification": (Classification("t", 3), (8,), (3,)),
    "classification_logits": (
        Classification("t", 3, activation=None),
        (8,),
        (3,),
    ),
    "binary": (BinaryClassification("t"), (8,), (1,)),
    "binary_logits": (BinaryClassification("t", activation=None), (8,), (1,)),
    "multi_label": (MultiLabelClassification("t", 4), (8,), (4,)),
    "regression": (Regression("t"), (8,), (1,)),
    "regressions": (Regression("t", 2, metrics=["r2", "mae"]), (8,), (2,)),
    "binary_mask": (Segmentation("t", 1), (4, 4, 8), (4, 4, 1)),
    "mask": (Segmentation("t", 3), (4, 4, 8), (4, 4, 3)),
    "depth": (DenseRegression("t"), (4, 4, 8), (4, 4, 1)),
    "normals": (DenseRegression("t", 3), (4, 4, 8), (4, 4, 3)),
    "tags": (SequenceTagging("t", 5), (6, 8), (6, 5)),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    """Returns a task with the shapes of its features and of its output."""
    return KINDS[request.param]


def test_head_has_the_name_and_shape(kind):
    task, features, output = kind
    tensor = task.head(keras.Input(features))
    assert tensor.shape == (None, *output)
    assert tensor._keras_history.operation.name == "t"
    assert tensor.dtype == "float32"


def test_head_refuses_features_of_another_rank(kind):
    task, features, _ = kind
    with pytest.raises(ValueError, match=r"'t'.*features of rank"):
        task.head(keras.Input((*features, 2)))


def test_config_round_trip(kind):
    task, _, _ = kind
    config = keras.saving.serialize_keras_object(task)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(task)
    for field in dataclasses.fields(task):
        if field.name != "loss":  # Keras compares losses by identity.
            assert getattr(again, field.name) == getattr(task, field.name)
    assert again.loss.get_config() == task.loss.get_config()


def test_tasks_are_frozen(kind):
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind[0].loss_weight = 3.0


def test_metrics_are_fresh_and_named(kind):
    task, _, _ = kind
    first, second = task.make_metrics(), task.make_metrics()
    assert [metric.name for metric in first] == list(task.metrics)
    assert not {id(metric) for metric in first} & {id(m) for m in second}
    assert task.primary_metric in task.metrics
    assert task.direction in ("min", "max")


def test_all_named_metrics_can_be_created_and_updated(kind, rng):
    task, _, output = kind
    task = dataclasses.replace(
        task, metrics=task.metric_names(), primary_metric=None, direction=None
    )
    y_pred = rng.uniform(size=(6, *output)).astype("float32")
    y_true = rng.integers(2, size=(6, *task.target_shapes(output)[0]))
    for metric in task.make_metrics():
        metric.update_state(y_true.astype("float32"), y_pred)
        assert np.isfinite(float(metric.result())), metric.name


def test_every_target_shape_gives_the_same_loss(kind, rng):
    task, _, output = kind
    y_pred = rng.uniform(0.1, 0.9, size=(6, *output)).astype("float32")
    y_true = rng.integers(2, size=(6, *task.target_shapes(output)[0]))
    values = set()
    for shape in task.target_shapes(output):
        if np.prod(shape, initial=1) == y_true[0].size:
            targets = y_true.reshape(6, *shape)
        else:
            targets = np.eye(output[-1])[y_true.reshape(6, *output[:-1])]
        task.check_target_values(targets, output)
        values.add(round(float(task.loss(targets, y_pred)), 4))
    assert len(values) == 1


@pytest.mark.parametrize(
    "name", ["", "a/b", "1st", "with space", "ünïcode", "_a", "a:b"]
)
def test_invalid_names(name):
    with pytest.raises(ValueError, match="cannot name a Keras layer"):
        Regression(name)


@pytest.mark.parametrize("name", ["a", "left_eye", "x.y-z", "Task2"])
def test_valid_names(name, rng, tmp_path):
    output = Regression(name).head(keras.Input((2,)))
    assert output._keras_history.operation.name == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss_weight": -1.0}, "loss_weight=-1.0"),
        ({"loss_weight": float("nan")}, "loss_weight=nan"),
        ({"loss_weight": "big"}, "loss_weight='big' is not a number"),
        ({"loss": "no_such_loss"}, "Keras has no loss 'no_such_loss'"),
        ({"metrics": ["acuracy"]}, "Did you mean 'accuracy'"),
        (
            {"metrics": ["accuracy", "accuracy"]},
            "two metrics have the same name",
        ),
        ({"metrics": [3]}, "metrics holds 3"),
        ({"primary_metric": "f1"}, "primary_metric='f1' is not among"),
        ({"direction": "up"}, "direction='up'"),
        ({"num_classes": 1}, "num_classes: found 1, expected 2 or more"),
        ({"num_classes": 2.0}, "num_classes: 2.0 is not an integer"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Classification("t", **{"num_classes": 3, **arguments})


def test_name_must_be_a_string():
    with pytest.raises(TypeError, match="a string"):
        Regression(3)


@pytest.mark.parametrize(
    ("metrics", "primary", "direction"),
    [
        (None, "rmse", "min"),
        (["r2", "mae"], "r2", "max"),
        (["mae"], "mae", "min"),
        ([keras.metrics.MeanAbsoluteError(name="mae")], "mae", "min"),
        ("mse", "mse", "min"),
    ],
)
def test_primary_metric_and_direction(metrics, primary, direction):
    task = Regression("t", metrics=metrics)
    assert (task.primary_metric, task.direction) == (primary, direction)


def test_the_loss_knows_about_logits():
    logits = Classification("t", 3, activation=None)
    assert logits.from_logits
    assert logits.loss.from_logits
    assert not Classification("t", 3).loss.from_logits


def test_logits_and_probabilities_score_alike(rng):
    logits = rng.normal(size=(20, 1)).astype("float32")
    probabilities = 1 / (1 + np.exp(-logits))
    y = rng.integers(2, size=20)
    names = ["accuracy", "auc", "balanced_accuracy", "f1"]
    by_probability = BinaryClassification("t", metrics=names)
    by_logit = BinaryClassification("t", metrics=names, activation=None)
    assert float(by_logit.loss(y[:, None], logits)) == pytest.approx(
        float(by_probability.loss(y[:, None], probabilities)), rel=1e-5
    )
    for first, second in zip(
        by_probability.make_metrics(), by_logit.make_metrics(), strict=True
    ):
        first.update_state(y, probabilities)
        second.update_state(y, logits)
        assert float(first.result()) == pytest.approx(
            float(second.result()), abs=1e-3
        )


@pytest.mark.parametrize(
    ("task", "output", "targets", "message"),
    [
        (Classification("t", 3), (3,), [0, 3], "found label 3 at index"),
        (Classification("t", 3), (3,), [0, -2], "found label -2 at index"),
        (Classification("t", 3), (3,), [0, 1.5], "found label 1.5 at index"),
        (
            Classification("t", 3),
            (3,),
            ["cat", "NA"],
            "found .*'cat'.* index 0",
        ),
        (Classification("t", 3), (3,), [0.0, "NA"], "found '0.0'|'NA'"),
        (Classification("t", 3), (3,), [[1, 1, 0]], "sums from 2"),
        (Classification("t", 3), (3,), [[2, -1, 0]], "values from -1 to 2"),
        (BinaryClassification("t"), (1,), [0, 2], "found label 2"),
        (MultiLabelClassification("t", 2), (2,), [[0, 1.5]], "found label 1.5"),
        (Regression("t"), (1,), [0, np.inf], "found inf at index"),
        (Regression("t"), (1,), ["1.5", "NA"], "found .*'NA'.* index 1"),
        (Regression("t"), (1,), [None, 1.5], "found None at index 0"),
        (Regression("t"), (1,), ["1.5"], r"Convert them with \.astype"),
        (
            DenseRegression("t"),
            (1, 2, 1),
            [[[0.5, np.inf]]],
            r"found inf at index \(0, 0, 1\)",
        ),
        (Segmentation("t", 1), (1, 2, 1), [[[0, 255]]], "divide a mask"),
        (Segmentation("t", 3), (1, 2, 3), [[[0, 3]]], "num_classes=3"),
        (SequenceTagging("t", 2), (2, 2), [[0, 2]], "found label 2 at index"),
    ],
)
def test_invalid_target_values(task, output, targets, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        task.check_target_values(np.array(targets), output)
    assert "'t'" in str(caught.value)


@pytest.mark.parametrize(
    ("task", "output", "targets"),
    [
        (Classification("t", 3), (3,), [0, -1]),
        (Classification("t", 3), (3,), [0, np.nan]),
        (Classification("t", 3), (3,), [[0, 0, 1], [-1, -1, -1]]),
        (Classification("t", 3), (3,), [[0, 0, 1], [np.nan] * 3]),
        (MultiLabelClassification("t", 2), (2,), [[0, -1]]),
        (Segmentation("t", 3), (1, 2, 3), [[[2, np.nan]]]),
        (Regression("t"), (1,), [0.5, np.nan]),
        (DenseRegression("t"), (1, 2, 1), [[[0.5, np.nan]]]),
        (DenseRegression("t", 2), (1, 1, 2), [[[[0.5, np.nan]]]]),
    ],
)
def test_missing_labels_are_valid_unless_declared_complete(
    task, output, targets
):
    targets = np.array(targets)
    task.check_target_values(targets, output)
    labelled = task.labelled(targets, output)
    assert labelled.any() and not labelled.all()
    strict = dataclasses.replace(task, complete_labels=True)
    assert strict.labelled(targets, output) is None
    with pytest.raises(ValueError, match=r"Task 't'"):
        strict.check_target_values(targets, output)


@pytest.mark.parametrize(
    ("task", "targets"),
    [
        (Regression("t"), np.array([-1.0, 0.5])),
        (Regression("t"), np.array([-1, 2])),
        (Classification("t", 3), np.array([0, 2], "uint8")),
        (BinaryClassification("t"), np.array([False, True])),
    ],
)
def test_values_that_are_labels(task, targets):
    labelled = task.labelled(targets, (task.__dict__.get("num_classes", 1),))
    assert labelled is None or labelled.all()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_labels_of_any_dtype(dtype):
    labels = np.array([0, 1, 1, 0]).astype(dtype)
    Classification("t", 2).check_target_values(labels, (2,))
    BinaryClassification("t").check_target_values(labels, (1,))
    Segmentation("t", 1).check_target_values(
        labels.reshape(1, 2, 2, 1), (2, 2, 1)
    )
    assert labels.dtype == dtype


def test_a_user_metric_is_copied_with_its_settings():
    metric = keras.metrics.TopKCategoricalAccuracy(k=2, name="top_2")
    task = Classification("t", 3, metrics=["accuracy", metric])
    (_, copy) = task.make_metrics()
    assert copy is not metric
    assert (copy.name, copy.get_config()["k"]) == ("top_2", 2)
